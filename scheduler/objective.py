"""What the best plan is: aims in their order, or weighed against each other."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from plant.checks import require, require_not_negative
from plant.text import told
from scheduler.decode import BUFFERED
from scheduler.timing import Score, Weights

_BROKEN = 1e4
"""Weight of a second by which a wait is too long or a lock is missed: before everything else."""

_STEP = 1e-2
"""In the search an aim weighs so much of the one before it; plans are compared strictly in order."""


class Aim(StrEnum):
    """What a plan may be good in."""

    TARDINESS = "tardiness"
    TIGHTNESS = "tightness"
    MAKESPAN = "makespan"
    SETUP = "setup"


@dataclass(frozen=True)
class Objective:
    """Aims of a plan. A plan that keeps all waits and locks is always better than one that does not.

    Attributes
    ----------
    aims
        The most important first.
    weights
        What a second of each costs; empty: the first aim decides, the second between equals, and so on.

    Tightness tells how little room orders have before they are due (`scheduler.timing.Score`): of two plans with
    nothing late the better one can do with more bad luck.
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
    def weights_(self) -> Weights:
        """Weights of the parts of a `Score` in the search."""
        given = self.weights or tuple(_STEP**place for place in range(len(self.aims)))
        found = dict(zip(self.aims, given, strict=True))
        return BUFFERED._replace(broken=_BROKEN, **{aim.value: weight for aim, weight in found.items()})

    def rank(self, score: Score) -> tuple[float, ...]:
        """Return what plans are compared by: the smaller, the better."""
        values = [getattr(score, aim.value) for aim in self.aims]
        if self.weights:
            return score.broken, sum(weight * value for weight, value in zip(self.weights, values, strict=True))
        return (score.broken, *values)


OBJECTIVE = Objective()
"""What is meant where nothing is said: least weighted tardiness, then least makespan."""
