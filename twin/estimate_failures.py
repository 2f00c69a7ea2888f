"""Estimates of times between failures and of repairs, by `twin.lifetimes` and `twin.shrink`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plant.calibration import Estimate, Fit, Parameter
from plant.distribution import Distribution, Family
from plant.plant import Plant
from twin.estimates import STORED_DRAWS, Array, generator_for, rounded, stated
from twin.goodness import filled, normality
from twin.lifetimes import distribution_function, log_likelihood
from twin.observations import Spans
from twin.shrink import LOG_FACTORS, Shrunk, shrink

_GUESS_BETWEEN_S, _GUESS_REPAIR_S = 360000.0, 3600.0
"""Centre for a machine that fails though its plan says nothing of it and no other machine's does."""
_FEWEST_UNPLANNED = 2
"""Failures from which on such a machine gets a reliability of its own."""
_VARIATION_RATIOS = np.exp(np.linspace(-0.9, 0.9, 13))
_VARIATION_SPREAD = 0.3
"""Standard deviation of the log of real over planned variation of failures and repairs."""


@dataclass(frozen=True)
class _Lifetimes:
    """One machine's failures or repairs, and what they are thought to be before any was seen."""

    machine: str
    family: Family
    planned: Distribution | None
    centre_s: float
    variation: float
    observed_s: Array
    censored: NDArray[np.bool_]
    residual: NDArray[np.bool_]

    @property
    def ratios(self) -> Array:
        """Real over planned variation, as far as it is open."""
        return np.ones(1) if self.family is Family.EXPONENTIAL else _VARIATION_RATIOS

    def log_likelihoods(self) -> Array:
        """Return the log-likelihood with the prior of the variation, shape (ratios, U)."""
        prior = -((np.log(self.ratios) / _VARIATION_SPREAD) ** 2) / 2
        prior -= np.log(np.exp(prior).sum())
        means = self.centre_s * np.exp(LOG_FACTORS)
        rows = [
            weight
            + log_likelihood(
                self.family, self.observed_s, self.censored, self.residual, means, self.variation * float(ratio)
            )
            for ratio, weight in zip(self.ratios, prior, strict=True)
        ]
        return np.array(rows)


def reliability_estimates(plant: Plant, between: Spans, repairs: Spans) -> list[Estimate]:
    planned = [machine.reliability for machine in plant.machines if machine.reliability is not None]
    between_s = float(np.mean([one.time_between_failures.mean for one in planned])) if planned else _GUESS_BETWEEN_S
    repair_s = float(np.mean([one.time_to_repair.mean for one in planned])) if planned else _GUESS_REPAIR_S
    gaps, mends = [], []
    for machine in plant.machines:
        one = machine.reliability
        seen = int(np.count_nonzero(~between.censored[between.of_machine(machine.id)]))
        if one is None and seen < _FEWEST_UNPLANNED:
            continue
        gaps.append(
            _lifetimes(
                machine.id, between, None if one is None else one.time_between_failures, between_s, Family.EXPONENTIAL
            )
        )
        mends.append(
            _lifetimes(machine.id, repairs, None if one is None else one.time_to_repair, repair_s, Family.LOGNORMAL)
        )
    return [
        *_lifetime_estimates(gaps, Parameter.TIME_BETWEEN_FAILURES, Parameter.FAILURE_VARIATION),
        *_lifetime_estimates(mends, Parameter.TIME_TO_REPAIR, Parameter.REPAIR_VARIATION),
    ]


def _lifetimes(machine: str, spans: Spans, planned: Distribution | None, guess_s: float, family: Family) -> _Lifetimes:
    rows = spans.of_machine(machine)
    columns = spans.observed_s[rows], spans.censored[rows], spans.residual[rows]
    if planned is None:
        return _Lifetimes(machine, family, None, guess_s, 1.0 if family is Family.EXPONENTIAL else 0.7, *columns)
    if planned.family is Family.CONSTANT:  # nothing that breaks is that regular
        return _Lifetimes(machine, Family.LOGNORMAL, planned, planned.mean, 0.2, *columns)
    return _Lifetimes(machine, planned.family, planned, planned.mean, planned.variation, *columns)


def _lifetime_estimates(lives: Sequence[_Lifetimes], mean: Parameter, variation: Parameter) -> list[Estimate]:
    if not lives:
        return []
    likelihoods = [life.log_likelihoods() for life in lives]
    marginal = np.array([np.logaddexp.reduce(rows, axis=0) for rows in likelihoods])
    posterior = shrink(marginal, np.array([life.planned is None for life in lives]))
    return [
        found
        for place, life in enumerate(lives)
        for found in _of_life(life, likelihoods[place] - marginal[place], posterior, place, mean, variation)
    ]


def _of_life(
    life: _Lifetimes, log_given_mean: Array, posterior: Shrunk, place: int, mean: Parameter, variation: Parameter
) -> list[Estimate]:
    """Return the estimates of the mean and, where it is open, of the variation.

    Parameters
    ----------
    log_given_mean
        Log-probability of each variation ratio given each mean, shape (ratios, U).
    """
    generator = generator_for(mean, life.machine)
    draws = life.centre_s * np.exp(posterior.quantiles(place, generator.random(STORED_DRAWS)))
    low, value, high = life.centre_s * np.exp(posterior.quantiles(place, np.array([0.05, 0.5, 0.95])))
    spread = [
        life.variation * one for one in _quantiles(life.ratios, np.exp(log_given_mean) @ posterior.weights[place])
    ]
    counts = int(np.count_nonzero(~life.censored)), int(np.count_nonzero(life.censored))
    means, variations = (None, None) if life.planned is None else (life.planned.mean, life.planned.variation)
    fit = _fit(life, value, spread[1], generator)
    found = [Estimate(mean, life.machine, "", *stated(low, value, high), *counts, means, fit, rounded(draws))]
    if life.family is not Family.EXPONENTIAL:
        found.append(Estimate(variation, life.machine, "", *stated(*spread), *counts, variations))
    return found


def _quantiles(values: Array, weights: Array) -> tuple[float, float, float]:
    """Return the 5, 50 and 95 % quantiles of a distribution on a grid of ratios, in logarithms between them."""
    if len(values) == 1:
        return (float(values[0]),) * 3
    logs = np.log(values)
    step = logs[1] - logs[0]
    edges = np.concatenate([[logs[0] - step / 2], logs + step / 2])
    heights = np.concatenate([[0.0], np.cumsum(weights)]) / weights.sum()
    low, middle, high = np.exp(np.interp([0.05, 0.5, 0.95], heights, edges))
    return float(low), float(middle), float(high)


def _fit(life: _Lifetimes, mean_s: float, cv: float, generator: np.random.Generator) -> Fit | None:
    levels = np.empty(len(life.observed_s))
    for residual in (False, True):
        rows = life.residual == residual
        levels[rows] = distribution_function(life.family, life.observed_s[rows] / mean_s, cv, residual)
    return normality(filled(levels, life.censored, generator))
