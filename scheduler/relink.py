"""Elite solutions, and the way from one to another.

Solutions are kept as a topological order by starting time. Where a share of one order's places is added to the rest
of another's, the sum is again a topological order: what precedes in both precedes in the sum. So the solution between
two elites keeps every sequence they agree on, and needs no repair; path relinking (Peng, Lü and Cheng, Computers &
Operations Research 53, 2015) takes it as the start of the next search.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.disjunctive import Ints


@dataclass(frozen=True)
class Elite:
    """A good solution: its objective, each operation's alternative, and a topological order by starting time."""

    objective: int
    chosen: Ints
    order: Ints

    def same(self, other: Elite) -> bool:
        """Tell whether both are one solution."""
        return bool(
            self.objective == other.objective
            and (self.chosen == other.chosen).all()
            and (self.order == other.order).all()
        )


def between(one: Elite, other: Elite, share: float, dice: np.random.Generator) -> tuple[Ints, Ints]:
    """Return alternatives and order of a solution that has this share of its way from `one` to `other` behind it."""
    places = np.empty((2, one.order.size))
    for row, elite in zip(places, (one, other), strict=True):
        row[elite.order] = np.arange(elite.order.size)
    order = np.argsort((1 - share) * places[0] + share * places[1], kind="stable").astype(np.int32)
    chosen = np.where(dice.random(one.chosen.size) < share, other.chosen, one.chosen)
    return chosen, order


class Pool:
    """Up to `size` elites, none twice; the worst leaves first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._elites: list[Elite] = []
        self._vain = 0

    @property
    def full(self) -> bool:
        """Whether it holds as many elites as it may."""
        return len(self._elites) == self._size

    def add(self, elite: Elite) -> None:
        """Take an elite in if it is new and better than the worst; when nothing comes of it any more, begin anew.

        Of elites that became too much alike, only the best is kept.
        """
        known = any(elite.same(kept) for kept in self._elites)
        worse = self.full and elite.objective > self._elites[-1].objective
        self._vain = self._vain + 1 if known or worse else 0
        if not (known or worse):
            self._elites = sorted([*self._elites, elite], key=lambda kept: kept.objective)[: self._size]
        if self._vain > self._size:
            self._elites, self._vain = self._elites[:1], 0

    def pair(self, dice: np.random.Generator) -> tuple[Elite, Elite]:
        """Return two different elites, by chance."""
        one, other = dice.choice(len(self._elites), 2, replace=False)
        return self._elites[one], self._elites[other]
