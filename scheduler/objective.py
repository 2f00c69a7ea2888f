"""What an objective makes of the parts of a score: weights for the search, and a rank to compare plans by."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from plant.objective import Aim, Objective
from scheduler.compiled import Floats
from scheduler.score import BROKEN, Score

_BROKEN = 1e4
"""Weight of a second by which a wait is too long or a lock is missed: before everything else."""

_STEP = 1e-2
"""In the search an aim weighs so much of the one before it; plans are compared strictly in order."""

_MONEY_S = 60.0
"""In the search's order of aims a unit of money counts as a minute."""

PART: Mapping[Aim, str] = {
    Aim.TARDINESS: "tardiness",
    Aim.MAKESPAN: "makespan",
    Aim.SETUP: "setup",
    Aim.WORK_IN_PROCESS: "waiting",
    Aim.OVERTIME: "overtime",
    Aim.ENERGY: "energy",
    Aim.NEARNESS: "moved",
}
"""Field of `Score` that tells an aim."""


def weights_of(objective: Objective) -> Floats:
    """Return the weights of the parts of a `Score` in the search, shape (8,)."""
    found = np.zeros(len(Score._fields))
    for place, aim in enumerate(objective.aims):
        unit = _MONEY_S if aim is Aim.ENERGY else 1.0
        weight = objective.weights[place] if objective.weights else unit * _STEP**place
        found[Score._fields.index(PART[aim])] = weight
    found[BROKEN] = _BROKEN
    return found


def rank(objective: Objective, score: Score) -> tuple[float, ...]:
    """Return what plans are compared by: the smaller, the better."""
    values = [getattr(score, PART[aim]) for aim in objective.aims]
    if objective.weights:
        return score.broken, sum(weight * value for weight, value in zip(objective.weights, values, strict=True))
    return (score.broken, *values)
