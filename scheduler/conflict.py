"""Why is there no plan? A smallest set of requirements that cannot be met together, in shop words.

Smallest in the sense that without any one of them the others can be met: each was left out and looked at again
(deletion filter: Chinneck and Dravnieks, ORSA Journal on Computing 3, 1991), from what the solver's assumptions left.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, tzinfo

from plant.errors import Infeasible
from plant.ports import Progress, no_progress
from plant.text import Text, told
from plant.work import Work
from scheduler.conflict_words import sentences
from scheduler.requirement import Demands, Requirement

MOST_S = 10.0


@dataclass(frozen=True)
class Conflict:
    """Requirements that cannot be met together.

    Attributes
    ----------
    minimal
        Whether without each of them the others were seen to be met; else the time did not suffice.
    """

    requirements: tuple[Requirement, ...]
    minimal: bool

    def words(self, work: Work, zone: tzinfo = UTC) -> tuple[Text, ...]:
        """Return the requirements in sentences, one for each chain of steps (`scheduler.conflict_words`)."""
        return sentences(work, self.requirements, zone)

    def error(self, work: Work, zone: tzinfo = UTC) -> Infeasible:
        """Return the error to raise where a plan was asked for."""
        first, *others = sentences(work, self.requirements, zone)
        for other in others:
            first = told("{first}; {next}", first=first, next=other)
        return Infeasible(
            told("no plan can meet all of this at once: {sentences}; change one of them", sentences=first)
        )


def conflict(work: Work, demands: Demands, most_s: float = MOST_S, progress: Progress = no_progress) -> Conflict | None:
    """Return why no plan for `work` meets the demands; None if one does, or `most_s` wall seconds did not tell."""
    progress(0.0, told("looking for what stands in the way"))
    # Here, because importing the solver takes most of a second and only whoever explains needs it.
    from scheduler.conflict_model import Answer, ConflictModel

    ends = time.monotonic() + most_s
    model = ConflictModel(work, demands)
    answer, core = model.can(model.requirements, most_s)
    if answer is not Answer.NO:
        return None
    needed, minimal = list(core), True
    for one in core:
        if one not in needed:
            continue
        others = [other for other in needed if other != one]
        answer, smaller = model.can(others, max(ends - time.monotonic(), 0.1))
        if answer is Answer.NO:
            needed = smaller
        minimal = minimal and answer is not Answer.UNKNOWN
    return Conflict(tuple(reversed(needed)), minimal)
