"""Estimates of processing times and changeovers, by `twin.crossed`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from plant.calibration import ANY_CHANGEOVER, Estimate, Fit, Parameter, operation_subject
from plant.plant import Plant
from twin.crossed import CrossedData, CrossedPosterior, sample
from twin.estimates import generator_for, of_draws
from twin.goodness import filled, normality
from twin.observations import Spans

_DRAWS = 400
_LEAST_VARIATION = 0.02
"""A plan that says a time never varies is not believed further than this."""
_SETUP_VARIATION = 0.1
"""What changeovers vary by as far as anybody knows: plans give one time."""


@dataclass(frozen=True)
class _Crossing:
    """Observations by pair of machine and subject."""

    machines: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    data: CrossedData
    posterior: CrossedPosterior
    fits: tuple[Fit | None, ...]

    def counts(self, *, censored: bool) -> NDArray[np.intp]:
        chosen = self.data.pair[self.data.censored == censored]
        return np.bincount(chosen, minlength=len(self.pairs))


def _cross(
    spans: Spans,
    machines: Sequence[str],
    pairs: Sequence[tuple[str, str]],
    noise: Sequence[int],
    planned_variations: Sequence[float],
    purpose: str,
) -> _Crossing:
    """Estimate all pairs; `noise` gives each pair's noise group, `planned_variations` each group's."""
    places = {pair: place for place, pair in enumerate(pairs)}
    rows = {machine: row for row, machine in enumerate(machines)}
    columns = {subject: column for column, subject in enumerate(dict.fromkeys(subject for _, subject in pairs))}
    data = CrossedData(
        log_ratio=np.log(spans.observed_s / spans.planned_s),
        censored=spans.censored,
        pair=np.array([places[pair] for pair in zip(spans.machine, spans.subject, strict=True)], dtype=np.intp),
        batch=spans.batch,
        row=np.array([rows[machine] for machine, _ in pairs], dtype=np.intp),
        column=np.array([columns[subject] for _, subject in pairs], dtype=np.intp),
        noise=np.array(noise, dtype=np.intp),
        noise_planned=np.log1p(np.maximum(np.array(planned_variations), _LEAST_VARIATION) ** 2),
    )
    posterior = sample(data, _DRAWS, generator_for(purpose))
    location, variance = np.median(posterior.location, axis=0), np.median(posterior.noise_variance, axis=0)
    levels = ndtr((data.log_ratio - location[data.pair]) / np.sqrt(variance[data.noise[data.pair]]))
    levels = filled(levels, data.censored, generator_for(purpose, "residuals"))
    alone = data.batch < 0
    fits = tuple(normality(levels[alone & (data.pair == place)]) for place in range(len(pairs)))
    return _Crossing(tuple(machines), tuple(pairs), data, posterior, fits)


def processing_estimates(plant: Plant, spans: Spans) -> list[Estimate]:
    variations = {
        operation_subject(item.id, operation.id): operation.variation
        for item in plant.made_items()
        for operation in item.routing
    }
    capable = [
        (machine.id, operation_subject(item.id, operation.id))
        for item in plant.made_items()
        for operation in item.routing
        for machine in plant.machines_with(operation.capability)
    ]
    pairs = list(dict.fromkeys([*capable, *zip(spans.machine, spans.subject, strict=True)]))
    groups = {subject: group for group, subject in enumerate(variations)}
    machines = [machine.id for machine in plant.machines]
    noise = [groups[subject] for _, subject in pairs]
    crossing = _cross(spans, machines, pairs, noise, list(variations.values()), "processing")
    factors = crossing.posterior.factor(crossing.data.noise)
    exact, censored = crossing.counts(censored=False), crossing.counts(censored=True)
    found = [
        of_draws(Parameter.DURATION, *pair, factors[:, place], exact[place], censored[place], 1.0, crossing.fits[place])
        for place, pair in enumerate(pairs)
    ]
    found += _variations(Parameter.VARIATION, crossing, [(None, subject) for subject in variations], variations)
    for row, machine in enumerate(machines):
        mine = np.flatnonzero(crossing.data.row == row)
        if len(mine):
            counts = exact[mine] if exact[mine].any() else np.ones(len(mine))
            speeds = np.exp(-(np.log(factors[:, mine]) @ (counts / counts.sum())))
            totals = int(exact[mine].sum()), int(censored[mine].sum())
            found.append(of_draws(Parameter.PERFORMANCE, machine, "", speeds, *totals, 1.0))
    return found


def _variations(
    parameter: Parameter,
    crossing: _Crossing,
    names: Sequence[tuple[str | None, str]],
    planned: Mapping[str, float] | None,
) -> list[Estimate]:
    """Return one estimate per noise group; `names` are their (machine, subject)."""
    draws = np.sqrt(np.expm1(crossing.posterior.noise_variance))
    groups = crossing.data.noise[crossing.data.pair]
    exact = np.bincount(groups[~crossing.data.censored], minlength=len(names))
    censored = np.bincount(groups[crossing.data.censored], minlength=len(names))
    return [
        of_draws(
            parameter,
            *name,
            draws[:, group],
            exact[group],
            censored[group],
            None if planned is None else planned[name[1]],
        )
        for group, name in enumerate(names)
    ]


def setup_estimates(plant: Plant, spans: Spans) -> list[Estimate]:
    if not len(spans):
        return []
    machines = [machine.id for machine in plant.machines]
    pairs = list(dict.fromkeys(zip(spans.machine, spans.subject, strict=True)))
    noise = [machines.index(machine) for machine, _ in pairs]
    crossing = _cross(spans, machines, pairs, noise, [_SETUP_VARIATION] * len(machines), "setup")
    factors = crossing.posterior.factor(crossing.data.noise)
    exact, censored = crossing.counts(censored=False), crossing.counts(censored=True)
    found = [
        of_draws(Parameter.SETUP, *pair, factors[:, place], exact[place], censored[place], 1.0, crossing.fits[place])
        for place, pair in enumerate(pairs)
    ]
    # A pair of families this machine was not seen to change between yet.
    excess = (crossing.posterior.noise_variance - crossing.data.noise_planned) / 2
    known = crossing.posterior.new_pair.shape[1]
    unseen = np.exp(crossing.posterior.new_pair + excess[:, :known])
    for row, machine in enumerate(machines[:known]):
        mine = crossing.data.row == row
        totals = int(exact[mine].sum()), int(censored[mine].sum())
        found.append(of_draws(Parameter.SETUP, machine, ANY_CHANGEOVER, unseen[:, row], *totals, 1.0))
    return found + _variations(Parameter.SETUP_VARIATION, crossing, [(machine, "") for machine in machines], None)
