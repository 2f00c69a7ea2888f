"""Confidence intervals: of a mean, of a difference on common random numbers, and of several differences at once.

Replications are independent of each other, so Student's t applies to their means; two scenarios in the same
replication meet the same luck, so their differences are paired (A. M. Law, "Simulation Modeling and Analysis",
5th ed., 2015, sections 9.4.1, 10.2.1 and 10.4.1).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from plant.checks import require

Row = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A mean with the half-width within which it is known.

    Attributes
    ----------
    half_width
        Infinite below two replications.
    confidence
        Probability that such an interval covers the true mean.
    """

    mean: float
    half_width: float
    confidence: float
    replications: int

    @property
    def low(self) -> float:
        """Lower end."""
        return self.mean - self.half_width

    @property
    def high(self) -> float:
        """Upper end."""
        return self.mean + self.half_width

    @property
    def differs(self) -> bool:
        """Whether zero lies outside: the mean is known to be on one side of it."""
        return self.low > 0 or self.high < 0


def mean_interval(values: Row, confidence: float) -> Interval:
    """Return the mean of independent values, shape (n,), with its t-interval."""
    require(0 < confidence < 1, f"a confidence lies between 0 and 1, not {confidence!r}")
    count = len(values)
    require(count > 0, "there is no replication to average")
    mean = float(values.mean())
    if count < 2:
        return Interval(mean, math.inf, confidence, count)
    deviation = float(values.std(ddof=1))
    quantile = float(stdtrit(count - 1, (1 + confidence) / 2))  # of Student's t
    return Interval(mean, quantile * deviation / math.sqrt(count), confidence, count)


def paired_interval(values: Row, base: Row, confidence: float) -> Interval:
    """Return the mean of ``values - base``, both of shape (n,) and replication by replication on the same luck."""
    require(len(values) == len(base), f"pairs need as many values as base values, not {len(values)} and {len(base)}")
    return mean_interval(values - base, confidence)


def each_of(confidence: float, count: int) -> float:
    """Return the confidence that each of `count` intervals needs so that all of them hold with `confidence`.

    Bonferroni's inequality: ``1 - (1 - confidence) / count``.
    """
    require(0 < confidence < 1, f"a confidence lies between 0 and 1, not {confidence!r}")
    return 1 - (1 - confidence) / max(count, 1)
