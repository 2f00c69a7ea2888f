"""Successive halving: which of many is best, when each look at one is dear and noisy.

All are looked at in a few cases; the better half goes on to twice as many, until one is left. Everybody meets the same
cases, so that their luck is common. K. Jamieson and A. Talwalkar, "Non-stochastic best arm identification and
hyperparameter optimization", AISTATS (2016), with the number of cases as the resource.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from plant.checks import require

T = TypeVar("T")
Score = tuple[float, ...]
"""The less, the better; what comes later counts between equals."""


def rungs(arms: int, first: int) -> list[tuple[int, int]]:
    """Return how many are looked at in how many cases, rung by rung; a rung's cases include those before."""
    found = []
    while arms > 1:
        found.append((arms, first))
        arms, first = math.ceil(arms / 2), first * 2
    return found


def looks(arms: int, first: int) -> int:
    """Return how often one of them is looked at in a case, over all rungs."""
    seen, total = 0, 0
    for count, cases in rungs(arms, first):
        total += count * (cases - seen)
        seen = cases
    return total


def best_of(arms: Sequence[T], score: Callable[[T, int], Score], first: int) -> T:
    """Return the one that is left.

    Parameters
    ----------
    arms
        Of those that do equally well, the first one is kept.
    score
        Of an arm in a case by number, counted from 0; asked for once each.
    first
        Cases of the first rung.
    """
    require(bool(arms) and first >= 1, "halving needs something to halve, and a case to look at it in")
    left, scores = list(range(len(arms))), [[] for _ in arms]  # type: tuple[list[int], list[list[Score]]]
    for count, cases in rungs(len(arms), first):
        for case in range(cases):
            for arm in left[:count]:
                if len(scores[arm]) == case:
                    scores[arm].append(score(arms[arm], case))
        left = sorted(left, key=lambda arm: (_mean(scores[arm]), arm))[: math.ceil(count / 2)]
    return arms[left[0]]


def _mean(scores: Sequence[Score]) -> Score:
    return tuple(np.mean(np.array(scores), axis=0).tolist())
