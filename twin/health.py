"""A machine's health from its condition signals: one index from 1 (as ever) towards 0, and which signal lowers it.

Per signal, over the samples taken while the machine executes:

1. Baseline: median and robust standard deviation ``1.4826 * MAD`` of the reference samples (Hampel, JASA 69 (1974);
   1.4826 makes it the standard deviation of a normal signal). Both stand half of the samples being outliers.
2. Exceedance: ``max(0, (x - median) / deviation - 3)``, in standard deviations beyond the three a healthy signal
   keeps within (Shewhart's limit). Only rising signals count: heat, shaking and power grow with wear. It is capped,
   so that one absurd value says no more than that something is absurd.
3. An exponentially weighted moving average of the exceedance (Roberts, Technometrics 1 (1959)) with weight 0.05: what
   lasted for a handful of samples counts little, what lasts for an hour counts in full.

The index is ``0.5 ** (sum of the averages / 10)``: ten standard deviations beyond the limit, kept up, halve it. The
loss ``1 - index`` is shared among the signals in the ratio of their averages (ISO 13374 calls this level health
assessment).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import accumulate

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plant.checks import require

REFERENCE_SAMPLES = 240
"""Usable samples from the beginning that make the baseline when no reference is given: two hours at 30 s."""
LEAST_REFERENCE_SAMPLES = 30
"""Below this a median absolute deviation is not worth having; the signal is then left out."""
WATCH_BELOW, ACT_BELOW = 0.8, 0.5
"""Thresholds of the index: about 3 and 10 standard deviations beyond the limit, kept up."""

_LIMIT = 3.0
_CAP = 50.0
_WEIGHT = 0.05
_HALVING = 10.0
_LEAST_SHARE = 0.01
"""Least deviation, as a share of the median: a signal that never moved may move by this without alarm."""

Column = NDArray[np.float64]
Mask = NDArray[np.bool_]


class HealthState(StrEnum):
    """What the index asks for."""

    GOOD = "good"
    WATCH = "watch"
    """Below `WATCH_BELOW`: have a look when there is time."""
    ACT = "act"
    """Below `ACT_BELOW`: plan maintenance before it fails."""
    UNKNOWN = "unknown"
    """Too few samples to tell."""


@dataclass(frozen=True)
class Baseline:
    """What a signal of a healthy, executing machine looks like: median and robust standard deviation, in its unit."""

    median: float
    deviation: float


@dataclass(frozen=True)
class Health:
    """Health of one machine.

    Attributes
    ----------
    index
        In [0, 1], 1 is healthy; None if no signal has enough samples.
    contributions
        Per signal how much of ``1 - index`` it accounts for; signals without a baseline are left out.
    baselines
        Per signal what it is compared with.
    """

    index: float | None
    state: HealthState
    contributions: Mapping[str, float] = field(default_factory=dict)
    baselines: Mapping[str, Baseline] = field(default_factory=dict)


def health(columns: Mapping[str, ArrayLike], executing: ArrayLike, reference: ArrayLike | None = None) -> Health:
    """Return the health at the last sample.

    Parameters
    ----------
    columns
        Per signal its samples in order of time, each of shape (n,); NaN where one is missing.
    executing
        Whether the machine was executing, shape (n,).
    reference
        Which samples show it healthy, shape (n,); None takes the first `REFERENCE_SAMPLES` usable ones.

    Raises
    ------
    InvalidInput
        If the columns differ in length.
    """
    excess, baselines = _excess(columns, executing, reference)
    if not excess:
        return Health(None, HealthState.UNKNOWN)
    last = {signal: float(column[-1]) for signal, column in excess.items()}
    total = sum(last.values())
    index = 0.5 ** (total / _HALVING)
    shares = {signal: (1 - index) * value / total if total > 0 else 0.0 for signal, value in last.items()}
    return Health(index, state_of_index(index), shares, baselines)


def index_series(columns: Mapping[str, ArrayLike], executing: ArrayLike, reference: ArrayLike | None = None) -> Column:
    """Return the index at every sample, shape (n,); NaN throughout if no signal has enough samples.

    Parameters as of `health`, whose index is the last one here.
    """
    excess, _ = _excess(columns, executing, reference)
    if not excess:
        return np.full(len(np.asarray(executing)), np.nan)
    index: Column = 0.5 ** (np.sum(list(excess.values()), axis=0) / _HALVING)
    return index


def state_of_index(index: float) -> HealthState:
    """Return what an index asks for."""
    if index < ACT_BELOW:
        return HealthState.ACT
    return HealthState.WATCH if index < WATCH_BELOW else HealthState.GOOD


def baseline(samples: ArrayLike) -> Baseline | None:
    """Return median and robust standard deviation of samples, None if fewer than `LEAST_REFERENCE_SAMPLES` are finite.

    A deviation of less than 1 % of the median counts as that much.
    """
    column = np.asarray(samples, dtype=np.float64)
    column = column[np.isfinite(column)]
    if len(column) < LEAST_REFERENCE_SAMPLES:
        return None
    median = float(np.median(column))
    deviation = 1.4826 * float(np.median(np.abs(column - median)))
    return Baseline(median, max(deviation, _LEAST_SHARE * abs(median), 1e-9))


def _excess(
    columns: Mapping[str, ArrayLike], executing: ArrayLike, reference: ArrayLike | None
) -> tuple[dict[str, Column], dict[str, Baseline]]:
    """Averaged exceedance per signal at every sample, and the baselines; signals without a baseline are left out."""
    runs = np.asarray(executing, dtype=np.bool_)
    chosen = None if reference is None else np.asarray(reference, dtype=np.bool_)
    excess: dict[str, Column] = {}
    baselines: dict[str, Baseline] = {}
    for signal, samples in columns.items():
        column = np.asarray(samples, dtype=np.float64)
        require(
            column.shape == runs.shape and (chosen is None or chosen.shape == runs.shape),
            f"{signal}: its {len(column)} samples must be as many as those of executing ({len(runs)}) and reference",
        )
        usable = runs & np.isfinite(column)
        found = baseline(column[usable][:REFERENCE_SAMPLES] if chosen is None else column[usable & chosen])
        if found is not None:
            baselines[signal] = found
            excess[signal] = _averaged(column, usable, found)
    return excess, baselines


def _averaged(column: Column, usable: Mask, healthy: Baseline) -> Column:
    """Exponentially weighted average of the exceedance, held where a sample is not usable."""
    exceedance = np.zeros(len(column))
    exceedance[usable] = np.clip((column[usable] - healthy.median) / healthy.deviation - _LIMIT, 0.0, _CAP)
    weights = np.where(usable, _WEIGHT, 0.0)
    pairs = zip(exceedance.tolist(), weights.tolist(), strict=True)
    steps = accumulate(pairs, lambda value, pair: value + pair[1] * (pair[0] - value), initial=0.0)
    return np.array(list(steps)[1:])
