"""Likelihoods of times to failure and repair by family, mean and variation, ends unseen and beginnings unknown.

A time whose end was not seen contributes its survival function. One of a machine of unknown age was met somewhere in
its course: in a steady state what is left of it has the density ``S(x) / mean`` (D. R. Cox, "Renewal Theory", 1962,
ch. 5), so its survival is ``1 - integral of S up to x / mean``, with ``integral of S = x S(x) + E[X; X <= x]``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainc, gammaincc, gammaln, log_ndtr, ndtr

from plant.distribution import Family
from twin.draws import weibull_shape

Array = NDArray[np.float64]
_TINY = 1e-300


def log_likelihood(
    family: Family, observed_s: Array, censored: NDArray[np.bool_], residual: NDArray[np.bool_], mean: Array, cv: float
) -> Array:
    """Return the log-likelihood of all observations for each mean.

    Parameters
    ----------
    observed_s, censored, residual
        Shape (n,); see `twin.observations.Spans`.
    mean
        Shape (U,).

    Returns
    -------
    Array
        Shape (U,).
    """
    total = np.zeros(len(mean))
    for is_censored in (False, True):
        for is_residual in (False, True):
            x = observed_s[(censored == is_censored) & (residual == is_residual)]
            if not len(x):
                continue
            ratio = x[:, None] / mean
            if is_residual:
                terms = _log_left(family, ratio, cv) if is_censored else _log_survival(family, ratio, cv)
            else:
                terms = _log_survival(family, ratio, cv) if is_censored else _log_density(family, ratio, cv)
            total += terms.sum(axis=0)
            if not is_censored:
                total -= len(x) * np.log(mean)
    return total


def distribution_function(family: Family, ratio: Array, cv: float, residual: bool = False) -> Array:
    """Return P(X <= ratio x mean), of what is left of a time met in its course if `residual`."""
    log_above = _log_left(family, ratio, cv) if residual else _log_survival(family, ratio, cv)
    below: Array = -np.expm1(log_above)
    return below


def _log_density(family: Family, ratio: Array, cv: float) -> Array:
    """Return the log-density of X / mean."""
    if family is Family.LOGNORMAL:
        variance = np.log1p(cv * cv)
        z2 = (np.log(ratio) + variance / 2) ** 2 / variance
        found: Array = -z2 / 2 - np.log(ratio) - np.log(2 * np.pi * variance) / 2
        return found
    if family is Family.WEIBULL:
        shape, scale = _weibull(cv)
        x = ratio / scale
        density: Array = np.log(shape / scale) + (shape - 1) * np.log(x) - x**shape
        return density
    shape = 1.0 if family is Family.EXPONENTIAL else cv**-2
    gamma: Array = shape * np.log(shape) + (shape - 1) * np.log(ratio) - shape * ratio - gammaln(shape)
    return gamma


def _log_survival(family: Family, ratio: Array, cv: float) -> Array:
    if family is Family.LOGNORMAL:
        spread = np.sqrt(np.log1p(cv * cv))
        above: Array = log_ndtr(-(np.log(ratio) / spread + spread / 2))
        return above
    if family is Family.WEIBULL:
        shape, scale = _weibull(cv)
        power: Array = -((ratio / scale) ** shape)
        return power
    if family is Family.EXPONENTIAL:
        return -ratio
    log_above: Array = np.log(np.maximum(gammaincc(cv**-2, ratio * cv**-2), _TINY))
    return log_above


def _log_left(family: Family, ratio: Array, cv: float) -> Array:
    """Return the log-survival of what is left of a time met in its course."""
    if family is Family.EXPONENTIAL:
        return -ratio
    if family is Family.LOGNORMAL:
        spread = np.sqrt(np.log1p(cv * cv))
        partial = ndtr(np.log(ratio) / spread - spread / 2)
    elif family is Family.WEIBULL:
        shape, scale = _weibull(cv)
        partial = gammainc(1 + 1 / shape, (ratio / scale) ** shape)
    else:
        partial = gammainc(cv**-2 + 1, ratio * cv**-2)
    left = 1 - ratio * np.exp(_log_survival(family, ratio, cv)) - partial
    log_left: Array = np.log(np.maximum(left, _TINY))
    return log_left


def _weibull(cv: float) -> tuple[float, float]:
    """Return shape and scale of the Weibull with mean 1."""
    shape = weibull_shape(cv)
    return shape, float(np.exp(-gammaln(1 + 1 / shape)))
