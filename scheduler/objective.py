"""What the best plan is: aims in their order, or weighed against each other."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from plant.checks import require, require_not_negative
from plant.text import told
from scheduler.compiled import Floats
from scheduler.score import BROKEN, Score

_BROKEN = 1e4
"""Weight of a second by which a wait is too long or a lock is missed: before everything else."""

_STEP = 1e-2
"""In the search an aim weighs so much of the one before it; plans are compared strictly in order."""

_MONEY_S = 60.0
"""In the search's order of aims a unit of money counts as a minute."""


class Aim(StrEnum):
    """What a plan may be good in; each is a part of `scheduler.score.Score`."""

    TARDINESS = "tardiness"
    MAKESPAN = "makespan"
    SETUP = "setup"
    WORK_IN_PROCESS = "work in process"
    OVERTIME = "overtime"
    ENERGY = "energy"
    NEARNESS = "nearness"

    @property
    def part(self) -> str:
        """Field of `Score` that tells it."""
        return {Aim.WORK_IN_PROCESS: "waiting", Aim.NEARNESS: "moved"}.get(self, self.value)


@dataclass(frozen=True)
class Objective:
    """Aims of a plan. A plan that keeps all waits and locks is always better than one that does not.

    Attributes
    ----------
    aims
        The most important first.
    weights
        What a second of each (of energy: a unit of money) costs; empty: the first aim decides, the second between
        equals, and so on.
    """

    aims: tuple[Aim, ...] = (Aim.TARDINESS, Aim.MAKESPAN)
    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        require(bool(self.aims), told("name at least one aim"))
        require(
            len(set(self.aims)) == len(self.aims), told("an aim is named twice in {aims:words}", aims=list(self.aims))
        )
        require(
            len(self.weights) in (0, len(self.aims)),
            told("give each of the {n:count} aims a weight, or none", n=len(self.aims)),
        )
        for aim, weight in zip(self.aims, self.weights, strict=False):
            require_not_negative(f"weight of {aim}", weight)

    @property
    def of_parts(self) -> Floats:
        """Weights of the parts of a `Score` in the search."""
        found = np.zeros(len(Score._fields))
        for place, aim in enumerate(self.aims):
            unit = _MONEY_S if aim is Aim.ENERGY else 1.0
            found[Score._fields.index(aim.part)] = self.weights[place] if self.weights else unit * _STEP**place
        found[BROKEN] = _BROKEN
        return found

    def rank(self, score: Score) -> tuple[float, ...]:
        """Return what plans are compared by: the smaller, the better."""
        values = [getattr(score, aim.part) for aim in self.aims]
        if self.weights:
            return score.broken, sum(weight * value for weight, value in zip(self.weights, values, strict=True))
        return (score.broken, *values)


OBJECTIVE = Objective()
"""What is meant where nothing is said: least weighted tardiness, then least makespan."""
