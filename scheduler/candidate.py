"""A plan while it is searched for: its sequence and its score, and the ways to come by one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.compiled import Floats, Records
from scheduler.decode import Sequences, in_order, times_of
from scheduler.dispatch import Index, Scales, dispatch, new_desk
from scheduler.problem import Problem
from scheduler.score import Score
from scheduler.timing import Sequence, new_floor, new_sequence, new_times


@dataclass(frozen=True)
class Candidate:
    """A sequence of `steps` steps with its score."""

    sequence: Sequence
    steps: int
    score: Score

    def sequences(self, problem: Problem) -> Sequences:
        """Return the steps of every machine."""
        found: Sequences = [[] for _ in problem.machines]
        joined, machines = self.sequence.of["joined"].tolist(), self.sequence.of["machine"].tolist()
        for lead in self.sequence.steps[: self.steps].tolist():
            step = [lead]
            while joined[step[-1]] >= 0:
                step.append(joined[step[-1]])
            found[machines[lead]].append(tuple(step))
        return found

    def times(self, problem: Problem) -> Records:
        """Return when everything runs, records of `scheduler.timing.TIME`."""
        return times_of(problem, self.sequence, self.steps)[0]


def evaluated(problem: Problem, sequences: Sequences, near: Records | None = None) -> Candidate | None:
    """Return sequences with their score, or None if they are circular; `near` is as in `scheduler.decode.times_of`."""
    found = in_order(problem, sequences)
    return None if found is None else Candidate(*found, times_of(problem, *found, near)[1])


class Dispatcher:
    """Makes plans by dispatching rules; what opens the machines' sequences is kept.

    Their scores tell how far they are from the plan to stay near to, `near`.
    """

    def __init__(
        self,
        problem: Problem,
        opening: Sequences,
        asked: dict[int, int] | None = None,
        near: Records | None = None,
    ) -> None:
        self._problem, self._near = problem, near
        leads = [[step[0] for step in steps] for steps in opening]
        self._leads = np.array([lead for row in leads for lead in row], np.int64)
        self._edges = np.cumsum([0, *map(len, leads)]).astype(np.int64)
        self._decided = new_sequence(len(problem.tasks))
        for machine, steps in enumerate(opening):
            for step in steps:
                self._decided.of["machine"][list(step)], self._decided.of["lead"][list(step)] = machine, step[0]
                self._decided.of["joined"][list(step)] = [*step[1:], -1]
        for task, person in (asked or {}).items():
            self._decided.of["asked"][task] = person
        self._scales = _scales(problem)

    def fixed(self) -> Sequence:
        """Return what is decided already."""
        return self._decided

    def plan(self, index: Index, bias: Floats | None = None) -> Candidate | None:
        """Return the plan of a rule; None when what is decided waits for itself in a circle.

        Parameters
        ----------
        bias
            Per task, added to the logarithm of ATC's index.
        """
        sequence = Sequence(self._decided.steps.copy(), self._decided.of.copy())
        shop = self._problem.shop
        scales = self._scales if bias is None else self._scales._replace(bias=bias)
        desk = new_desk(shop, self._leads, self._edges)
        steps = dispatch(shop, index, scales, desk, new_floor(shop), sequence, new_times(len(self._problem.tasks)))
        if steps < 0:
            return None
        return Candidate(sequence, steps, times_of(self._problem, sequence, steps, self._near)[1])


def _scales(problem: Problem) -> Scales:
    able = problem.shop.duration >= 0
    quickest = np.where(able, problem.shop.duration, np.inf).min(axis=1) if len(problem.tasks) else np.zeros(1)
    setup = float(problem.shop.setup.mean()) if problem.shop.setup.size else 0.0
    return Scales(max(float(quickest.mean()), 1.0), setup or 1.0, problem.tails_s, np.zeros(len(problem.tasks)))
