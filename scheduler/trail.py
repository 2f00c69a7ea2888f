"""What a tabu search remembers, and how it chooses among the moves it looks at."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scheduler.compiled import Dice, Floats, inlined_any
from scheduler.disjunctive import Arrays, Ints, Times

FAR = np.int64(1 << 62)
"""Later than anything."""

_PAIR_BITS = 16
"""That two pairs of operations share one of so many slots is rare and does little harm."""

STEP, BEST, IMPROVED, TENURE = range(4)
"""Indices into `Trail.counts`."""

ESTIMATE, TIES, SEEN, OPERATION, ALTERNATIVE, PLACE, ANY = range(7)
"""Indices into `Trail.choice`; from `ANY` on stands any move, as operation, alternative, place."""


class Trail(NamedTuple):
    """The memory of a search over N operations with A alternatives.

    Attributes
    ----------
    counts
        Steps made, the best objective, the step it was found at, and the shortest time a move stays forbidden.
    dice
        State of the random numbers; shape (1,).
    pairs
        By hash of (a, b): until which step putting a before b is forbidden.
    returns
        By alternative: until which step going (back) to it is forbidden; shape (A,).
    choice, second
        The best move of this step so far, and what decided between those of equal estimates, see `offer`.
    path, starts, end, late
        Working space: a longest path, starts along a block, and ends and lates without an operation.
    chosen, order
        The best solution's alternatives and topological order; shape (N,).
    """

    counts: Times
    dice: Dice
    pairs: Ints
    returns: Times
    choice: Times
    second: Floats
    path: Ints
    starts: Times
    end: Times
    late: Times
    chosen: Ints
    order: Ints


def empty_trail(problem: Arrays, seed: tuple[int, ...]) -> Trail:
    """Return the memory of a search that has not begun; the same seed gives the same search."""
    count = problem.head.size
    start = np.random.SeedSequence(seed).generate_state(1, np.uint64) | np.uint64(1)
    return Trail(
        counts=np.zeros(4, np.int64),
        dice=start,
        pairs=np.zeros(1 << _PAIR_BITS, np.int32),
        returns=np.zeros(problem.machine.size, np.int64),
        choice=np.zeros(ANY + 3, np.int64),
        second=np.zeros(1),
        path=np.zeros(count, np.int32),
        starts=np.zeros(problem.machine.size, np.int64),
        end=np.zeros(count + 1, np.int64),
        late=np.zeros(count + 1, np.int64),
        chosen=np.zeros(count, np.int32),
        order=np.zeros(count, np.int32),
    )


@inlined_any
def draw(dice: Dice, below: int) -> np.int64:
    """Return a random number from 0 to before `below` (xorshift64*: Vigna, ACM TOMS 42, 2016)."""
    x = dice[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    dice[0] = x
    return np.int64(((x * np.uint64(2685821657736338717)) >> np.uint64(33)) % np.uint64(below))


@inlined_any
def slot(a: int, b: int) -> np.uint64:
    """Return where `Trail.pairs` keeps the order of a before b."""
    pair = (np.uint64(a) << np.uint64(32)) | np.uint64(b)
    return (pair * np.uint64(11400714819323198485)) >> np.uint64(64 - _PAIR_BITS)


@inlined_any
def offer(trail: Trail, estimate: int, second: float, v: int, alternative: int, place: int, forbidden: bool) -> None:
    """Keep a move if it is the best so far, the least by estimate, then by `second`.

    Ties are broken by chance. A forbidden move counts only if it seems better than anything before (aspiration);
    `ANY` holds one of all moves, for when all are forbidden.
    """
    choice = trail.choice
    choice[SEEN] += 1
    if draw(trail.dice, choice[SEEN]) == 0:
        choice[ANY], choice[ANY + 1], choice[ANY + 2] = v, alternative, place
    if not forbidden or estimate < trail.counts[BEST]:
        better = estimate < choice[ESTIMATE] or (estimate == choice[ESTIMATE] and second < trail.second[0])
        if better:
            choice[ESTIMATE], trail.second[0], choice[TIES] = estimate, second, 0
        if estimate == choice[ESTIMATE] and second == trail.second[0]:
            choice[TIES] += 1
            if draw(trail.dice, choice[TIES]) == 0:
                choice[OPERATION], choice[ALTERNATIVE], choice[PLACE] = v, alternative, place
