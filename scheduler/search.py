"""Searching from a plan on both cores: walks by simulated annealing that share the best they find.

Walks go in bursts, side by side. After each burst the coolness is that of the share of the limit that is spent, and
now and then the walk that is behind goes on from the best plan. With a limit of moves the result depends on the seed
and the number of walks only; with a limit of time also on how fast the machine is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from plant.tuning import DEFAULT, MoveShares
from scheduler.candidate import Candidate
from scheduler.compiled import dice
from scheduler.decode import Sequences, times_of
from scheduler.neighbours import Known
from scheduler.problem import Problem
from scheduler.retime import new_trace
from scheduler.score import BROKEN, Aims, Score
from scheduler.shares import shares_of
from scheduler.timing import Sequence, new_floor, new_times
from scheduler.walk import BEST, CURRENT, Walk, adopt, begin, burst, worsenings

Proceed = Callable[[int, "Candidate"], float]
"""Called between bursts with moves made per walk and the best plan; returns the share of the limit that is spent (1:
stop), and may raise."""

_LEAST_MOVES = 100
"""Moves of the first burst, and of any whose length is told in seconds: where others want the machine, a burst takes
long whatever its length, and shorter ones would only be started more often."""

_MOST_IN_VAIN = 1000
"""Moves in a row that could not be made at all, after which there is nothing to search; a few may well come to
nothing."""

_SAMPLED = 500
"""Moves that are tried to find the first temperature."""

_COMMON = 0.1
"""Share of the moves that make a plan worse which the first temperature makes common, where that is hot."""

_COOLEST, _COOLEST_OF_HOT = 1e-3, 2e-2
"""The last temperature, relative to the first: to a task's time, and to one that was measured. Where moves are dear the
search stands still well before the first of them."""

_SHARES = 25
"""How often in a search the walk that is behind goes on from the best."""


@dataclass
class Search:
    """Walks from one plan.

    Attributes
    ----------
    aims, shares
        What the walks are after, and with what chances they choose their moves.
    opening
        Per machine the steps that are decided already; none of them moves.
    seed, walks
        The dice of each walk depend on the seed and on its number; one thread runs each.
    """

    problem: Problem
    aims: Aims
    opening: Sequences
    seed: int
    walks: int
    shares: MoveShares = DEFAULT.shares

    def run(self, start: Candidate, a_burst: float, proceed: Proceed) -> Candidate:
        """Search until `proceed` returns 1; return the best plan seen.

        Parameters
        ----------
        start
            Its machines begin with `opening`.
        a_burst
            Moves in a burst, where it is a whole number, else about how many seconds one takes.
        """
        shop = self.problem.shop
        walks = [self.walk(start, number) for number in range(self.walks)]
        for walk in walks:
            begin(shop, walk, self.aims)
        best, best_cost, moves, shares, in_vain = start, walks[0].cost[BEST], 0, 0, 0
        (hot, cold), count = self.temperatures(start, walks[0]), a_burst if isinstance(a_burst, int) else _LEAST_MOVES
        with ThreadPoolExecutor(self.walks) as threads:
            while (spent := proceed(moves, best)) < 1:
                temperature = hot * (cold / hot) ** spent
                began = time.monotonic()
                jobs = [threads.submit(burst, shop, walk, self.aims, count, temperature) for walk in walks]
                made = [job.result() for job in jobs]
                moves += count
                if not isinstance(a_burst, int):
                    took_s = max(time.monotonic() - began, 1e-4)
                    count = max(int(count * min(a_burst / took_s, 2.0)), _LEAST_MOVES)
                leader = min(walks, key=lambda walk: walk.cost[BEST])
                if leader.cost[BEST] < best_cost:
                    best, best_cost = self._candidate(leader), leader.cost[BEST]
                in_vain = 0 if any(made) else in_vain + count
                if in_vain >= _MOST_IN_VAIN:
                    break
                if spent * _SHARES > shares + 1:
                    shares += 1
                    self._share(walks)
        return best

    def walk(self, start: Candidate, number: int) -> Walk:
        """Return a walk that stands at a plan."""
        count = len(self.problem.tasks)
        fixed = np.zeros(count, np.bool_)
        fixed[[step[0] for steps in self.opening for step in steps]] = True
        known = Known(
            new_times(count),
            np.zeros(count, np.int64),
            np.full(count, -1, np.int64),
            fixed,
            np.full(len(self.problem.machines), -1, np.int64),
            np.zeros(len(self.problem.work.orders)),
        )
        return Walk(
            _copy(start.sequence),
            known,
            _copy(start.sequence),
            new_times(count),
            _copy(start.sequence),
            np.full(2, start.steps, np.int64),
            np.zeros(2),
            np.zeros(len(Score._fields)),
            np.zeros(len(Score._fields)),
            np.zeros(1, np.int64),
            dice(self.seed, number),
            shares_of(self.shares),
            new_floor(self.problem.shop),
            new_trace(self.problem.shop, self.aims),
        )

    def temperatures(self, start: Candidate, walk: Walk) -> tuple[float, float]:
        """Return the first and the last temperature.

        At first, moves are common that cost a task's time on an order of middling weight; or, where that is more, what
        the mildest of the moves that make the plan worse do cost. It is measured, as Ben-Ameur does (Computational
        Optimization and Applications 29, 2004): where most orders are late, a step that comes later holds up all that
        is behind it, and costs a hundred times its own time.
        """
        able = self.problem.shop.duration >= 0
        mean = float(np.where(able, self.problem.shop.duration, 0.0).sum() / max(able.sum(), 1))
        counts = np.array(start.score) > 0
        counts[BROKEN] = False
        least = max(mean * float(self.aims.weights.max(initial=0.0, where=counts)), 1e-9)
        worse = np.zeros(_SAMPLED)
        count = worsenings(self.problem.shop, walk, self.aims, worse)
        measured = float(np.quantile(worse[:count], _COMMON)) if count else 0.0
        return (measured, measured * _COOLEST_OF_HOT) if measured > least else (least, least * _COOLEST)

    def _share(self, walks: list[Walk]) -> None:
        """Let the walk whose current plan is worst go on from that of the best."""
        first, last = min(walks, key=_current), max(walks, key=_current)
        if first is last or _current(first) == _current(last):
            return
        last.current.steps[:], last.current.of[:] = first.current.steps, first.current.of
        last.steps[CURRENT] = first.steps[CURRENT]
        adopt(self.problem.shop, last, self.aims)

    def _candidate(self, walk: Walk) -> Candidate:
        sequence, steps = _copy(walk.best), int(walk.steps[BEST])
        return Candidate(sequence, steps, times_of(self.problem, sequence, steps, self.aims.near)[1])


def _current(walk: Walk) -> float:
    return float(walk.cost[CURRENT])


def _copy(sequence: Sequence) -> Sequence:
    return Sequence(sequence.steps.copy(), sequence.of.copy())
