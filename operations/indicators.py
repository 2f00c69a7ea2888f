"""Key performance indicators of the floor over a period: per machine, work center, area or site."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import numpy as np

from historian import orders, plants, samples, states
from historian.database import Historian, Transaction
from operations.floor import check_period
from operations.produced import counts_of
from plant.actor import Actor, Permission
from plant.plant import Machine, Plant
from plant.reading import Signal, is_good
from twin.energy import energy_kwh
from twin.kpi import Kpis
from twin.kpi import kpis as kpis_of
from twin.pieces import PieceLog
from twin.state_log import StateLog
from twin.tally import Tally, Thresholds, tallies

_LONGEST_HOLD = timedelta(minutes=15)
"""How long a reading of power is taken to hold when no other follows."""
_LONGEST_EXACT = timedelta(days=8)
"""Up to here energy is summed reading by reading, beyond it by the hour."""


class Level(StrEnum):
    """What a row of KPIs adds up: a level of the equipment hierarchy."""

    MACHINE = "machine"
    WORK_CENTER = "work_center"
    AREA = "area"
    SITE = "site"


_DEPTH = {Level.SITE: 1, Level.AREA: 2, Level.WORK_CENTER: 3, Level.MACHINE: 4}


@dataclass(frozen=True)
class KpiRow:
    """KPIs of a machine or of a group of machines.

    Attributes
    ----------
    path
        ``site/area/work_center/machine``, cut at the level.
    machines
        Ids of the machines that are added up.
    tally
        The sums; rows of one level can be added to those of any higher one.
    kpis
        The ratios made of the sums.
    """

    path: str
    machines: tuple[str, ...]
    tally: Tally
    kpis: Kpis


async def kpis(
    historian: Historian,
    actor: Actor,
    start: datetime,
    end: datetime,
    level: Level = Level.MACHINE,
    machine_id: str | None = None,
    thresholds: Thresholds | None = None,
) -> list[KpiRow]:
    """Return the KPIs over a period of plant time, in the order of the plant's machines.

    Parameters
    ----------
    machine_id
        Only this machine; None for all.

    Raises
    ------
    NotFound
        If the machine is unknown.
    InvalidInput
        If the period does not end after it starts, or is longer than a year.
    """
    actor.require(Permission.VIEW_FLOOR)
    check_period(start, end)
    limits = thresholds or Thresholds()
    # Whether a stop at the edge of the period is a micro-stop shows within this margin.
    margin = timedelta(seconds=limits.micro_stop_s)
    async with historian.transaction(actor, "compute KPIs") as tx:
        plant = (await plants.current(tx)).plant
        chosen = plant.machines if machine_id is None else (plant.machine(machine_id),)
        intervals = await states.intervals(tx, start - margin, end + margin, [machine.id for machine in chosen])
        jobs = {progress.job.id: progress for progress in await orders.jobs(tx)}
        counts = {one.id: await counts_of(tx, plant, one, intervals, jobs, start, end) for one in chosen}
        energy = await _energy(tx, plant, chosen, start, end)
    found = tallies(
        StateLog.of_intervals(intervals),
        PieceLog.of_counts(counts),
        {machine.id: plant.calendar_of(machine.id).windows(start, end) for machine in chosen},
        (start, end),
        limits,
        energy,
    )
    return _rows(plant, found, level)


def _rows(plant: Plant, found: dict[str, Tally], level: Level) -> list[KpiRow]:
    groups: dict[str, list[str]] = {}
    for machine in found:
        path = "/".join(plant.machine_path(machine).split("/")[: _DEPTH[level]])
        groups.setdefault(path, []).append(machine)
    rows = []
    for path, members in groups.items():
        tally = sum((found[machine] for machine in members), Tally())
        rows.append(KpiRow(path, tuple(members), tally, kpis_of(tally)))
    return rows


async def _energy(
    tx: Transaction, plant: Plant, machines: Sequence[Machine], start: datetime, end: datetime
) -> dict[str, float]:
    """Return the energy each machine drew; a machine that tells no power is left out."""
    found = {}
    for machine in machines:  # one at a time: weeks of them all are more than need be in memory at once
        tag = f"{plant.machine_path(machine.id)}/{Signal.POWER}"
        drawn_kwh = await (_drawn if end - start <= _LONGEST_EXACT else _drawn_by_hours)(tx, tag, start, end)
        if drawn_kwh is not None:
            found[machine.id] = drawn_kwh
    return found


async def _drawn(tx: Transaction, tag: str, start: datetime, end: datetime) -> float | None:
    series = (await samples.series(tx, [tag], start - _LONGEST_HOLD, end)).get(tag)
    if series is None:
        return None
    usable = np.array([is_good(quality) for quality in series.quality.tolist()], dtype=np.bool_)
    power_kw = np.where(usable, series.values, np.nan)
    return energy_kwh(series.time_s, power_kw, start.timestamp(), end.timestamp(), _LONGEST_HOLD.total_seconds())


async def _drawn_by_hours(tx: Transaction, tag: str, start: datetime, end: datetime) -> float | None:
    """Return the sum of hourly means; of an hour at the edge its share."""
    hour = timedelta(hours=1)
    buckets = await samples.rollup(tx, [tag], start - hour, end, hour)
    shares = [(one, (min(one.bucket + hour, end) - max(one.bucket, start)) / hour) for one in buckets]
    known = [one.total / one.count * share for one, share in shares if share > 0]
    return sum(known) if known else None
