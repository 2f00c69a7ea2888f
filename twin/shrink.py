"""Factors on planned values that borrow strength from each other, by exact quadrature on a grid.

Each group (a machine, an operation) has a log-factor, normal about a common shift with a common standard deviation;
both are learned. Few observations leave a group near its plan and the others, many let it speak for itself. All
integrals are sums over a grid of log-factors, so nothing is assumed of the likelihood's shape.
Sources: A. Gelman et al., "Bayesian Data Analysis", 3rd ed. (2013), ch. 5 and 10.1; the gamma prior of shape 2 on the
standard deviation, which keeps a handful of groups from looking alike by chance: Y. Chung et al., "A nondegenerate
penalized likelihood estimator for variance parameters in multilevel models", Psychometrika 78 (2013), 685-709.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LOG_FACTORS = np.linspace(-4.0, 4.0, 641)
"""Log-factors at which likelihoods are taken: from 1/55 to 55 times the plan."""
_SHIFTS = np.linspace(-0.45, 0.45, 13)
_SHIFT_SCALE = 0.2
_SPREADS = np.geomspace(0.02, 1.6, 16)
_SPREAD_SCALE = 0.25
_LOOSE_SPREAD = 1.5
"""For a group with no plan of its own: its centre is only a guess."""


@dataclass(frozen=True)
class Shrunk:
    """Posterior of every group's log-factor.

    Attributes
    ----------
    weights
        Posterior probabilities on `LOG_FACTORS`, shape (G, U).
    """

    weights: Array

    def quantiles(self, group: int, probabilities: Array) -> Array:
        """Return quantiles of a group's log-factor."""
        heights = np.cumsum(self.weights[group])
        step = LOG_FACTORS[1] - LOG_FACTORS[0]
        edges = np.concatenate([[LOG_FACTORS[0] - step / 2], LOG_FACTORS + step / 2])
        found: Array = np.interp(probabilities, np.concatenate([[0.0], heights / heights[-1]]), edges)
        return found


def shrink(log_likelihood: Array, loose: NDArray[np.bool_] | None = None) -> Shrunk:
    """Return the posterior of all groups.

    Parameters
    ----------
    log_likelihood
        Of each group's observations at `LOG_FACTORS`, shape (G, U); zeros for a group with none.
    loose
        Groups whose centre is only a guess, shape (G,): they stand alone.
    """
    groups = len(log_likelihood)
    alone = np.zeros(groups, dtype=np.bool_) if loose is None else loose
    likelihood = np.exp(log_likelihood - log_likelihood.max(axis=1, keepdims=True))
    shifts, spreads = (grid.ravel() for grid in np.meshgrid(_SHIFTS, _SPREADS, indexing="ij"))
    prior = _normal(LOG_FACTORS[None, :], shifts[:, None], spreads[:, None])  # (H, U)
    evidence = likelihood @ prior.T  # (G, H)
    log_hyper = -((shifts / _SHIFT_SCALE) ** 2) / 2 - spreads / _SPREAD_SCALE + 2 * np.log(spreads)
    log_hyper = log_hyper + np.log(evidence[~alone]).sum(axis=0)
    hyper = np.exp(log_hyper - log_hyper.max())
    hyper /= hyper.sum()
    mixed = (hyper / evidence) @ prior
    if alone.any():
        mixed[alone] = loose_prior()
    weights = likelihood * mixed
    weights /= weights.sum(axis=1, keepdims=True)
    return Shrunk(weights)


def loose_prior() -> Array:
    """Return the prior probabilities of a group that stands alone on `LOG_FACTORS`, shape (U,)."""
    return _normal(LOG_FACTORS, 0.0, _LOOSE_SPREAD)


def _normal(x: Array, mean: Array | float, spread: Array | float) -> Array:
    density: Array = np.exp(-(((x - mean) / spread) ** 2) / 2) / spread
    total: Array = density.sum(axis=-1, keepdims=True)
    return density / total
