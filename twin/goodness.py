"""Does the family fit? Residuals that are normal, or uniform, if it does, and tests of that.

Where an end was not seen, the residual is drawn among those it could be (P. K. Dunn and G. K. Smyth, "Randomized
quantile residuals", J. Comp. Graph. Stat. 5 (1996), 236-244).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri
from scipy.stats import kstest

from plant.calibration import Fit

Array = NDArray[np.float64]

LEAST = 8
"""With fewer residuals nothing can be said."""
_EDGE = 1e-12


def filled(levels: Array, censored: NDArray[np.bool_], generator: np.random.Generator) -> Array:
    """Return PIT values: `levels`, but of those not seen to their end one drawn uniformly above."""
    drawn = levels + (1 - levels) * generator.random(len(levels))
    return np.where(censored, drawn, levels)


def normality(levels: Array) -> Fit | None:
    """Test whether PIT values are those of the right family, its location and spread being estimated.

    Anderson-Darling on the normal scores with mean and variance estimated, with the approximation of the p-value by
    R. B. D'Agostino and M. A. Stephens, "Goodness-of-Fit Techniques" (1986), table 4.9.
    """
    count = len(levels)
    if count < LEAST:
        return None
    scores = np.sort(ndtri(np.clip(levels, _EDGE, 1 - _EDGE)))
    spread = scores.std(ddof=1)
    if spread <= 0:
        return None
    below = np.clip(ndtr((scores - scores.mean()) / spread), _EDGE, 1 - _EDGE)
    places = 2 * np.arange(1, count + 1) - 1
    statistic = -count - float((places * (np.log(below) + np.log1p(-below[::-1]))).mean())
    adjusted = statistic * (1 + 0.75 / count + 2.25 / count**2)
    return Fit("anderson-darling", adjusted, _normal_p(adjusted), count)


def _normal_p(a: float) -> float:
    if a >= 0.6:
        p = math.exp(1.2937 - 5.709 * a + 0.0186 * a * a)
    elif a >= 0.34:
        p = math.exp(0.9177 - 4.279 * a - 1.38 * a * a)
    elif a > 0.2:
        p = 1 - math.exp(-8.318 + 42.796 * a - 59.938 * a * a)
    else:
        p = 1 - math.exp(-13.436 + 101.14 * a - 223.73 * a * a)
    return min(max(p, 0.0), 1.0)


def uniformity(levels: Array) -> Fit | None:
    """Test PIT values for uniformity (Kolmogorov-Smirnov)."""
    if len(levels) < LEAST:
        return None
    found = kstest(levels, "uniform")
    return Fit("kolmogorov-smirnov", float(found.statistic), float(found.pvalue), len(levels))
