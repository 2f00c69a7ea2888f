"""Which is best, with a stated probability: the fully sequential procedure of Kim and Nelson.

All alternatives are simulated replication by replication; one is eliminated as soon as its mean lies so far behind
another's that the difference can hardly be luck. S.-H. Kim and B. L. Nelson, "A fully sequential procedure for
indifference-zone selection in simulation", ACM Transactions on Modeling and Computer Simulation 11 (2001), 251-273,
with c = 1. It holds under common random numbers, which it profits from: only variances of differences enter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from plant.checks import require, require_positive

FIRST = 32
"""Replications from which the variances of differences are estimated (n0 of the paper)."""


@dataclass(frozen=True)
class Elimination:
    """Who dropped out, after how many replications, behind whom."""

    name: str
    replications: int
    behind: str


@dataclass(frozen=True)
class Selection:
    """What is known of who is best.

    Attributes
    ----------
    best
        The one that is left; None while several are.
    left
        Those not eliminated yet.
    probability
        With which the best is selected, whenever it is better than every other by `indifference` at least.
    replications
        After which it was decided, or that were looked at.
    """

    best: str | None
    left: tuple[str, ...]
    eliminated: tuple[Elimination, ...]
    probability: float
    indifference: float
    replications: int


def select_best(
    samples: NDArray[np.float64],
    names: Sequence[str],
    indifference: float,
    probability: float = 0.95,
    *,
    more_is_better: bool = True,
) -> Selection:
    """Return what the procedure says after the replications there are; more can be added as long as `best` is None.

    Looking again with more replications behind the same ones gives the same eliminations: the answer does not depend
    on when one looks.

    Parameters
    ----------
    samples
        Shape (replications, alternatives), row by row on the same luck.
    indifference
        The difference that matters, in the measure's unit; below it, either of two may be selected.
    """
    require_positive("indifference", indifference)
    count, alternatives = samples.shape
    require(alternatives == len(names) >= 2, f"a selection needs two or more alternatives, not {len(names)}")
    require(
        1 / alternatives < probability < 1,
        f"the probability of selecting the best must lie between 1/{alternatives} and 1, not {probability!r}",
    )
    if count < FIRST:
        return Selection(None, tuple(names), (), probability, indifference, count)
    signed = samples if more_is_better else -samples
    behind = _first_behind(signed, indifference, 1 - probability)
    alive = list(range(alternatives))
    gone: list[Elimination] = []
    decided = count
    for moment in sorted({moment for moment, _, _ in behind}):
        losers = {loser: winner for at, loser, winner in behind if at == moment and loser in alive and winner in alive}
        gone += [Elimination(names[loser], moment, names[winner]) for loser, winner in losers.items()]
        alive = [one for one in alive if one not in losers]
        if len(alive) == 1:
            decided = moment
            break
    best = names[alive[0]] if len(alive) == 1 else None
    return Selection(best, tuple(names[one] for one in alive), tuple(gone), probability, indifference, decided)


def _first_behind(signed: NDArray[np.float64], indifference: float, alpha: float) -> list[tuple[int, int, int]]:
    """Return, for every ordered pair, when the first falls behind the second for the first time: (r, first, second).

    After its first time it matters no more: either the second is still there, and the first drops out, or it is not,
    and never comes back.
    """
    count, alternatives = signed.shape
    eta = 0.5 * ((2 * alpha / (alternatives - 1)) ** (-2 / (FIRST - 1)) - 1)
    square = 2 * eta * (FIRST - 1)
    moments = np.arange(FIRST, count + 1, dtype=np.float64)
    found = []
    for loser, winner in permutations(range(alternatives), 2):
        difference = signed[:, loser] - signed[:, winner]
        variance = float(difference[:FIRST].var(ddof=1))
        allowed = np.maximum(indifference / (2 * moments) * (square * variance / indifference**2 - moments), 0.0)
        behind = difference.cumsum()[FIRST - 1 :] / moments < -allowed
        if behind.any():
            found.append((FIRST + int(np.argmax(behind)), loser, winner))
    return found
