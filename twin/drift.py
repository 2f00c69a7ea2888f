"""Has a machine's cycle time drifted? One chart per machine and operation, specified in standard deviations.

A shift of the mean by 0.5 standard deviations is seen within 60 cycles on average, and nothing is reported falsely more
often than once in 10,000 cycles. The chart:

1. Sequential normal scores. The n-th cycle is ranked among the n seen so far, ``z = Phi⁻¹((rank - 0.5) / n)``. As long
   as nothing changes these ranks are independent and uniform whatever the distribution (O. Barndorff-Nielsen, "On the
   limit behaviour of extreme order statistics", Annals of Mathematical Statistics 34 (1963), 992-1002), so that the
   rate of false alarms holds for skewed cycle times, and without a mean and a deviation that had to be estimated
   first: an error of 0.05 deviations in the mean would make false alarms three times as frequent. (W. J. Conover,
   V. G. Tercero-Gómez and A. E. Cordero-Franco, "The sequential normal scores transformation", Sequential Analysis 36
   (2017), 397-414.) Nothing is lost by it: tests on normal scores are at least as efficient against a shift as those
   on means, for every distribution (H. Chernoff and I. R. Savage, Annals of Mathematical Statistics 29 (1958)).
2. Two CUSUM charts of the scores (E. S. Page, "Continuous inspection schemes", Biometrika 41 (1954), 100-115), one for
   each direction, with ``k = 0.25``, half of the shift, and the limit `LIMIT`.

What can be had is known: for a known direction and a false alarm in 10,000 cycles no procedure has a worst-case delay
below 49.1 cycles (`twin.arl`); not knowing the direction costs 5.5 more, the margin in `LIMIT` 0.8. Having to learn
what is normal costs a young chart more: with 2,000 cycles seen before the shift it takes 52 of normal ones, with 1,000
58, with 500 about 64, with 300 now and then hundreds (`python -m benchmarks fidelity`). And where times grow by a
factor that moves the mean by 0.5 deviations, a very skewed shape holds less evidence: exponential times grown by half
take about 90 cycles, where even knowing all about them would take more than 60 (a cycle's divergence is 0.095, that of
a normal one's shift 0.125).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from plant.checks import require

SHIFT = 0.5
"""The shift of the mean the chart is made for, in standard deviations."""
REFERENCE = SHIFT / 2
"""`k` of the charts."""
LIMIT = 14.69
"""`h`: on average 11,000 cycles between false alarms of either direction, a tenth more than asked for."""


class Direction(StrEnum):
    """Which way the mean went."""

    LONGER = "longer"
    SHORTER = "shorter"


@dataclass(frozen=True)
class Alarm:
    """The chart says that cycle times have changed.

    Attributes
    ----------
    seen_at
        Number of the cycle, from 0, with which the chart signalled.
    since
        Number of the first cycle after the change, as the chart estimates it: the first since its sum was last 0.
    shift
        Estimated size in standard deviations, signed: mean score from `since` to `seen_at`.
    """

    direction: Direction
    seen_at: int
    since: int
    shift: float


@dataclass(frozen=True)
class Drift:
    """What the chart of one machine and operation shows.

    Attributes
    ----------
    cycles
        How many it has seen.
    compared_with
        How many it compares the next one with: those since the last alarm.
    longer, shorter
        The two sums as shares of the limit, in [0, 1): how near the next alarm is.
    """

    cycles: int
    compared_with: int
    longer: float
    shorter: float
    alarms: tuple[Alarm, ...] = ()


class DriftChart:
    """The chart of one machine and operation. After an alarm it begins anew: what follows is the new normal."""

    def __init__(self, limit: float = LIMIT, reference: float = REFERENCE) -> None:
        require(limit > 0 and reference > 0, f"limit and reference must be above 0, not {limit!r} and {reference!r}")
        self._limit = limit
        self._reference = reference
        self._cycles = 0
        self._alarms: list[Alarm] = []
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._known: list[float] = []
        self._up = _Sum(self._cycles)
        self._down = _Sum(self._cycles)

    def observe(self, cycle: float) -> Alarm | None:
        """Take in one cycle time and return the alarm it raises, if it does.

        Raises
        ------
        InvalidInput
            If it is not finite.
        """
        require(np.isfinite(cycle).item(), f"a cycle time must be a finite number, not {cycle!r}")
        score = self._score(float(cycle))
        self._up.add(score, self._reference, self._cycles)
        self._down.add(-score, self._reference, self._cycles)
        self._cycles += 1
        alarm = self._alarm()
        if alarm is not None:
            self._alarms.append(alarm)
            self._begin_anew()
        return alarm

    def _score(self, cycle: float) -> float:
        """Rank the cycle among those known and itself (ties share their middle rank) as a normal score."""
        known = self._known
        rank = (bisect_left(known, cycle) + bisect_right(known, cycle)) / 2 + 0.5
        insort(known, cycle)
        return float(ndtri(rank / len(known)))

    def _alarm(self) -> Alarm | None:
        for direction, total, sign in ((Direction.LONGER, self._up, 1.0), (Direction.SHORTER, self._down, -1.0)):
            if total.value >= self._limit:
                shift = sign * (total.value / (self._cycles - total.since) + self._reference)
                return Alarm(direction, self._cycles - 1, total.since, shift)
        return None

    @property
    def drift(self) -> Drift:
        """What it shows now."""
        longer, shorter = self._up.value / self._limit, self._down.value / self._limit
        return Drift(self._cycles, len(self._known), longer, shorter, tuple(self._alarms))


class _Sum:
    """One side: the sum, and the first cycle since it was last 0."""

    def __init__(self, cycle: int) -> None:
        self.value = 0.0
        self.since = cycle

    def add(self, score: float, reference: float, cycle: int) -> None:
        self.value += score - reference
        if self.value <= 0:
            self.value, self.since = 0.0, cycle + 1


def drift_of(cycles: ArrayLike) -> Drift:
    """Return what a chart shows that has seen these cycle times, shape (n,), in the order in which they ended.

    Any unit will do, and any increasing function of the times gives the same. Cycles of one machine and operation but
    of different lots are made comparable first: actual over planned seconds.

    Raises
    ------
    InvalidInput
        If one is not finite.
    """
    chart = DriftChart()
    for cycle in np.asarray(cycles, dtype=np.float64).ravel().tolist():
        chart.observe(cycle)
    return chart.drift
