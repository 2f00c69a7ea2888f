"""Equipment health: the index per machine, and the condition signals behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from historian import plants, samples, states
from historian.database import Historian
from historian.samples import Series
from operations.floor import check_period
from plant.actor import Actor, Permission
from plant.machine_state import MachineState, StateInterval
from plant.plant import Plant
from plant.reading import CONDITION_SIGNALS
from twin.health import Baseline, Health, HealthState, health

LOOK_BACK = timedelta(days=3)
"""How much of the past the index looks at; what a machine was like before its last repair is left out."""

_NORMAL = 3.0
"""Deviations from the median within which a signal is taken for normal."""


@dataclass(frozen=True)
class Contribution:
    """What one signal takes off a machine's index, and its newest value."""

    signal: str
    share: float
    value: float | None


@dataclass(frozen=True)
class MachineHealth:
    """A machine's health index in [0, 1], 1 being as after its last repair; None while it is not known."""

    machine: str
    index: float | None
    state: HealthState
    contributions: tuple[Contribution, ...]
    at: datetime | None


@dataclass(frozen=True)
class SignalHistory:
    """One condition signal over time: `times` and `values` go together; a None value is a gap.

    Attributes
    ----------
    low, high
        Where it is taken for normal, None where that is open.
    """

    signal: str
    times: tuple[datetime, ...]
    values: tuple[float | None, ...]
    low: float | None = None
    high: float | None = None


async def machines(historian: Historian, actor: Actor, now: datetime) -> list[MachineHealth]:
    """Return the health of every machine at plant time `now`."""
    actor.require(Permission.VIEW_HEALTH)
    start = now - LOOK_BACK
    async with historian.transaction(actor, "compute health") as tx:
        plant = (await plants.current(tx)).plant
        tags = [tag for machine in plant.machines for tag in _tags(plant, machine.id).values()]
        series = await samples.series(tx, tags, start, now + timedelta(microseconds=1))
        intervals = await states.intervals(tx, start, now)
    return [_health(plant, machine.id, series, intervals) for machine in plant.machines]


async def signals(
    historian: Historian, actor: Actor, machine_id: str, start: datetime, end: datetime
) -> list[SignalHistory]:
    """Return the condition signals of a machine over [start, end].

    Raises
    ------
    NotFound
        If the machine is unknown.
    InvalidInput
        If the period does not end after it starts, or is longer than a year.
    """
    actor.require(Permission.VIEW_HEALTH)
    check_period(start, end)
    async with historian.transaction(actor, "read signals") as tx:
        plant = (await plants.current(tx)).plant
        tags = _tags(plant, machine_id)
        begin = min(start, end - LOOK_BACK)
        series = await samples.series(tx, list(tags.values()), begin, end + timedelta(microseconds=1))
        intervals = await states.intervals(tx, begin, end, [machine_id])
    # The limits shown are those the index is worked out with, whatever part of the past is looked at.
    normal = _assess(plant, machine_id, series, intervals).health.baselines
    return [_history(signal, series.get(tag), normal.get(signal), start) for signal, tag in tags.items()]


def _tags(plant: Plant, machine_id: str) -> dict[str, str]:
    path = plant.machine_path(machine_id)
    return {signal: f"{path}/{signal}" for signal in CONDITION_SIGNALS}


@dataclass(frozen=True)
class _Assessment:
    """A machine's condition since its last repair: the samples' times, the columns, and what they say."""

    times: NDArray[np.float64]
    columns: Mapping[str, NDArray[np.float64]]
    health: Health


def _assess(
    plant: Plant, machine_id: str, series: Mapping[str, Series], intervals: Sequence[StateInterval]
) -> _Assessment:
    own = [interval for interval in intervals if interval.machine == machine_id]
    repaired_s = max(
        (_epoch_s(one.ended_at) for one in own if one.state is MachineState.BREAKDOWN and one.ended_at), default=0.0
    )
    found = {signal: series[tag] for signal, tag in _tags(plant, machine_id).items() if tag in series}
    times = np.unique(np.concatenate([one.time_s for one in found.values()])) if found else np.empty(0)
    times = times[times >= repaired_s]
    columns = {signal: _aligned(one, times) for signal, one in found.items()}
    result = health(columns, _executing(times, own)) if len(times) else Health(None, HealthState.UNKNOWN)
    return _Assessment(times, columns, result)


def _health(
    plant: Plant, machine_id: str, series: Mapping[str, Series], intervals: Sequence[StateInterval]
) -> MachineHealth:
    found = _assess(plant, machine_id, series, intervals)
    newest = {signal: _newest(column) for signal, column in found.columns.items()}
    return MachineHealth(
        machine=machine_id,
        index=found.health.index,
        state=found.health.state,
        contributions=tuple(
            Contribution(signal, found.health.contributions.get(signal, 0.0), newest.get(signal))
            for signal in CONDITION_SIGNALS
        ),
        at=datetime.fromtimestamp(found.times[-1], UTC) if len(found.times) else None,
    )


def _history(signal: str, series: Series | None, normal: Baseline | None, start: datetime) -> SignalHistory:
    high = normal.median + _NORMAL * normal.deviation if normal is not None else None
    if series is None:
        return SignalHistory(signal, (), (), None, high)
    shown = series.time_s >= start.timestamp()
    values = tuple(None if np.isnan(value) else float(value) for value in series.values[shown])
    return SignalHistory(signal, tuple(series.moments(shown)), values, None, high)


def _aligned(series: Series, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the signal's values at `times`, NaN where it has none."""
    column = np.full(len(times), np.nan)
    kept = np.isin(series.time_s, times)
    column[np.searchsorted(times, series.time_s[kept])] = series.values[kept]
    return column


def _executing(times: NDArray[np.float64], intervals: Sequence[StateInterval]) -> NDArray[np.bool_]:
    """Tell for each time whether the machine was executing."""
    mask = np.zeros(len(times), dtype=np.bool_)
    for interval in intervals:
        if interval.state is MachineState.EXECUTING:
            first, last = np.searchsorted(times, [_epoch_s(interval.started_at), _epoch_s(interval.ended_at)])
            mask[first:last] = True
    return mask


def _epoch_s(moment: datetime | None) -> float:
    return float("inf") if moment is None else moment.timestamp()


def _newest(column: NDArray[np.float64]) -> float | None:
    finite = column[np.isfinite(column)]
    return float(finite[-1]) if len(finite) else None
