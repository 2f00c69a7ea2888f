"""Where a series has forgotten that it began empty: MSER-5.

Of the series' means of five, those before index d are deleted, with d such that the marginal standard error of what
is left is least: ``d = argmin (1 / (n - d)^2) * sum_{i > d} (z_i - mean of z_{d+1..n})^2``, for d in the first half.
K. P. White, M. J. Cobb and S. C. Spratt, "A comparison of five steady-state truncation heuristics for simulation",
Proceedings of the 2000 Winter Simulation Conference, 755-760.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plant.checks import require

BATCH = 5


@dataclass(frozen=True)
class WarmUp:
    """What to delete.

    Attributes
    ----------
    delete
        Observations at the front of the series.
    settled
        False where the least error is at the end of the half that was looked at: the series is too short to tell, or
        has no steady state.
    """

    delete: int
    settled: bool


def mser5(series: NDArray[np.float64]) -> WarmUp:
    """Return what MSER-5 deletes at the front of a series, shape (n,).

    Raises
    ------
    InvalidInput
        If the series has fewer than twenty observations, or any that is not finite.
    """
    count = len(series) // BATCH
    require(count >= 4, f"MSER-5 needs at least {4 * BATCH} observations, not {len(series)}")
    require(bool(np.isfinite(series).all()), "MSER-5 needs finite observations")
    means = series[: count * BATCH].reshape(count, BATCH).mean(axis=1)
    errors = _errors(means)
    last = count // 2
    delete = int(np.argmin(errors[: last + 1]))
    return WarmUp(delete * BATCH, delete < last)


def _errors(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the squared marginal standard error of ``means[d:]`` for every d, by Welford's recursion from the end.

    It cancels nothing: what is left of a series that has become constant has an error of exactly 0.
    """
    errors = np.empty(len(means))
    mean, squares = 0.0, 0.0
    for left, value in enumerate(means[::-1].tolist(), start=1):
        gap = value - mean
        mean += gap / left
        squares += gap * (value - mean)
        errors[len(means) - left] = squares / left**2
    return errors
