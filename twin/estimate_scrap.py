"""Estimates of scrap, by `twin.shrink`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlog1py, xlogy
from scipy.stats import binom

from plant.calibration import Estimate, Parameter, operation_subject
from plant.plant import Plant
from twin.estimates import STORED_DRAWS, Array, generator_for, rounded, stated
from twin.goodness import uniformity
from twin.observations import Pieces
from twin.shrink import LOG_FACTORS, Shrunk, loose_prior, shrink

_LEAST_SCRAP = 1e-3
_MOST_SCRAP = 0.999


def scrap_estimates(plant: Plant, pieces: Pieces) -> list[Estimate]:
    planned = {
        operation_subject(item.id, operation.id): operation.scrap_ratio
        for item in plant.made_items()
        for operation in item.routing
    }
    groups = {subject: group for group, subject in enumerate(planned)}
    group = np.array([groups[subject] for subject in pieces.subject], dtype=np.intp)
    made = np.bincount(group, pieces.made, len(groups))
    bad = np.bincount(group, pieces.bad, len(groups))
    never = np.array([ratio == 0 for ratio in planned.values()], dtype=np.bool_)
    centres = np.where(never, _LEAST_SCRAP, np.maximum(list(planned.values()), _LEAST_SCRAP / 10))
    shares = np.minimum(centres[:, None] * np.exp(LOG_FACTORS), _MOST_SCRAP)
    logs = xlogy(bad[:, None], shares) + xlog1py((made - bad)[:, None], -shares)
    posterior = shrink(logs, never)
    # Where no scrap is planned and none was seen, it may well be that there is none at all: even odds to begin with.
    some = np.exp(logs) @ loose_prior()
    none_at_all = np.where(never & (bad == 0), 1 / (1 + some), 0.0)
    return [
        _scrap_estimate(
            subject,
            planned[subject],
            _Shares(centres[place], posterior, place, none_at_all[place]),
            pieces,
            group == place,
        )
        for subject, place in groups.items()
    ]


@dataclass(frozen=True)
class _Shares:
    """Posterior of an operation's share of bad pieces, `none_at_all` being the chance that it is 0."""

    centre: float
    posterior: Shrunk
    place: int
    none_at_all: float

    def quantiles(self, probabilities: Array) -> Array:
        left = np.maximum(probabilities - self.none_at_all, 0.0) / (1 - self.none_at_all)
        shares = np.minimum(self.centre * np.exp(self.posterior.quantiles(self.place, left)), _MOST_SCRAP)
        return np.where(probabilities <= self.none_at_all, 0.0, shares)


def _scrap_estimate(subject: str, planned: float, shares: _Shares, pieces: Pieces, mine: NDArray[np.bool_]) -> Estimate:
    generator = generator_for(Parameter.SCRAP, subject)
    low, value, high = shares.quantiles(np.array([0.05, 0.5, 0.95]))
    draws = shares.quantiles(generator.random(STORED_DRAWS))
    made, bad = pieces.made[mine], pieces.bad[mine]
    below, upto = binom.cdf(bad - 1, made, value), binom.cdf(bad, made, value)
    fit = uniformity(below + (upto - below) * generator.random(len(made)))
    return Estimate(
        Parameter.SCRAP, None, subject, *stated(low, value, high), int(made.sum()), 0, planned, fit, rounded(draws)
    )
