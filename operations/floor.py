"""The floor as people and systems look at it: machines now, their states and OEE over a period."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np

from historian import latest, orders, plants, quarantine, samples, states
from historian.database import Historian, Transaction
from plant.actor import Actor, Permission
from plant.checks import require
from plant.machine_state import MachineState, StateInterval
from plant.order import JobOrder, JobProgress
from plant.plant import Machine, Plant
from plant.reading import Signal
from twin.oee import PieceCount, Times, times_of

LONGEST_PERIOD = timedelta(days=366)
"""The longest period anything is computed over: calendars are laid out for all of it."""


@dataclass(frozen=True)
class MachineNow:
    """A machine as it stands.

    Attributes
    ----------
    path
        ``site/area/work_center/machine``.
    since
        When this state (with this job) began; None while nothing was heard of it.
    counters, conditions
        Newest value by signal.
    updated_at
        Time of its newest reading.
    """

    id: str
    name: str
    path: str
    state: MachineState
    reason: str
    since: datetime | None
    job_order: str | None
    counters: Mapping[str, float]
    conditions: Mapping[str, float]
    updated_at: datetime | None


@dataclass(frozen=True)
class MachineOee:
    """One machine's times (ISO 22400-2) over a period and the ratios made of them; None where undefined."""

    machine: str
    times: Times
    oee: float | None
    availability: float | None
    effectiveness: float | None
    quality_ratio: float | None

    @staticmethod
    def of(machine: str, times: Times) -> MachineOee:
        """Return the ratios of `times`."""
        return MachineOee(machine, times, times.oee, times.availability, times.effectiveness, times.quality_ratio)


async def machines(historian: Historian, actor: Actor) -> list[MachineNow]:
    """Return every machine of the plant as it stands."""
    actor.require(Permission.VIEW_FLOOR)
    async with historian.transaction(actor, "read floor") as tx:
        plant = (await plants.current(tx)).plant
        rows = {row.machine: row for row in await latest.rows(tx)}
    return [_now(plant, machine, rows.get(machine.id, latest.FloorRow(machine.id))) for machine in plant.machines]


def _now(plant: Plant, machine: Machine, row: latest.FloorRow) -> MachineNow:
    return MachineNow(
        id=machine.id,
        name=machine.name,
        path=plant.machine_path(machine.id),
        state=row.state,
        reason=row.reason,
        since=row.since,
        job_order=row.job_order,
        counters=row.counters,
        conditions=row.conditions,
        updated_at=row.updated_at,
    )


async def states_of(
    historian: Historian, actor: Actor, start: datetime, end: datetime, machine_id: str | None = None
) -> list[StateInterval]:
    """Return the state intervals that touch [start, end), of one machine or of all.

    Raises
    ------
    NotFound
        If the machine is unknown.
    InvalidInput
        If the period does not end after it starts, or is longer than a year.
    """
    actor.require(Permission.VIEW_FLOOR)
    check_period(start, end)
    async with historian.transaction(actor, "read states") as tx:
        if machine_id is not None:
            (await plants.current(tx)).plant.machine(machine_id)
        return await states.intervals(tx, start, end, [machine_id] if machine_id is not None else None)


async def quarantined(historian: Historian, actor: Actor) -> dict[str, int]:
    """Return how many inputs were refused, by source."""
    actor.require(Permission.VIEW_FLOOR)
    async with historian.transaction(actor, "count quarantine") as tx:
        return await quarantine.counts(tx)


async def oee(historian: Historian, actor: Actor, start: datetime, end: datetime) -> list[MachineOee]:
    """Return OEE per machine over a period of plant time; add up `times` to get an area or the site.

    Raises
    ------
    InvalidInput
        If the period does not end after it starts, or is longer than a year.
    """
    actor.require(Permission.VIEW_FLOOR)
    check_period(start, end)
    async with historian.transaction(actor, "compute OEE") as tx:
        plant = (await plants.current(tx)).plant
        intervals = await states.intervals(tx, start, end)
        jobs = {progress.job.id: progress for progress in await orders.jobs(tx)}
        counts = {
            machine.id: await _counts(tx, plant, machine, intervals, jobs, start, end) for machine in plant.machines
        }
    found = []
    for machine in plant.machines:
        own = [interval for interval in intervals if interval.machine == machine.id]
        windows = plant.calendar_of(machine.id).windows(start, end)
        found.append(MachineOee.of(machine.id, times_of(own, counts[machine.id], windows, (start, end))))
    return found


def check_period(start: datetime, end: datetime) -> None:
    """Refuse a period that does not end after it starts, or is longer than anything is computed over."""
    require(start < end, f"the period must end after it starts, not {start} to {end}")
    require(end - start <= LONGEST_PERIOD, f"the period must not be longer than {LONGEST_PERIOD.days} days")


async def _counts(
    tx: Transaction,
    plant: Plant,
    machine: Machine,
    intervals: Sequence[StateInterval],
    jobs: Mapping[str, JobProgress],
    start: datetime,
    end: datetime,
) -> list[PieceCount]:
    if machine.batch_capacity > 1:
        # A batch machine's controller names one of the jobs in it; the job responses tell their pieces apart.
        done = [job for job in jobs.values() if job.machine == machine.id and job.completed_at is not None]
        return [
            PieceCount(job.completed_at, job.good, job.scrap, planned_piece_s(plant, machine, job.job))
            for job in done
            if job.completed_at is not None and start < job.completed_at <= end
        ]
    own = [interval for interval in intervals if interval.machine == machine.id]
    return await _counted(tx, plant, machine, own, jobs, start, end)


async def _counted(
    tx: Transaction,
    plant: Plant,
    machine: Machine,
    intervals: Sequence[StateInterval],
    jobs: Mapping[str, JobProgress],
    start: datetime,
    end: datetime,
) -> list[PieceCount]:
    """Return the counters' steps, each for the job its machine had when the piece was finished."""
    path = plant.machine_path(machine.id)
    good, scrap = f"{path}/{Signal.GOOD_COUNT}", f"{path}/{Signal.SCRAP_COUNT}"
    series = await samples.series(tx, [good, scrap], start, end + timedelta(microseconds=1))
    before = await samples.last_before(tx, [good, scrap], start)
    steps = [
        (moment, step if tag == good else 0, step if tag == scrap else 0)
        for tag, one in series.items()
        for moment, step in _steps(before.get(tag), one)
    ]
    found = []
    for moment, plus_good, plus_scrap in sorted(steps):
        job = jobs.get(_job_at(intervals, moment) or "")
        if job is not None:
            found.append(PieceCount(moment, plus_good, plus_scrap, planned_piece_s(plant, machine, job.job)))
    return found


def _steps(before: float | None, series: samples.Series) -> list[tuple[datetime, int]]:
    """Return by how much a cumulative counter grew, and when; one that fell was reset and counts from 0."""
    known = ~np.isnan(series.values)
    values = [*([before] if before is not None else []), *series.values[known].tolist()]
    moments = series.moments(known)
    offset = 0 if before is not None else 1
    grown = [int(after - earlier) if after >= earlier else int(after) for earlier, after in pairwise(values)]
    return [(moment, step) for moment, step in zip(moments[offset:], grown, strict=True) if step > 0]


def _job_at(intervals: Sequence[StateInterval], moment: datetime) -> str | None:
    """Return the job of the interval a piece finished at `moment` was made in: its end belongs to it."""
    for interval in intervals:
        if interval.started_at < moment and (interval.ended_at is None or moment <= interval.ended_at):
            return interval.job_order
    return None


def planned_piece_s(plant: Plant, machine: Machine, job: JobOrder) -> float:
    """Return the planned run time per piece of a job order on a machine, in seconds.

    Fixed time is spread over the ordered pieces. On a batch machine a full load shares the time of its program,
    so that a half-empty oven shows as half its effectiveness and a full one as no more than all of it.
    """
    operation = plant.operation(job.item, job.operation)
    return operation.duration_s(job.quantity, machine.speed) / job.quantity / machine.batch_capacity
