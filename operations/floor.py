"""The floor as people and systems look at it: machines now, their states and OEE over a period."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from historian import latest, orders, plants, quarantine, states
from historian.database import Historian, Transaction
from operations.produced import counts_of
from plant.actor import Actor, Permission
from plant.checks import require
from plant.machine_state import MachineState, StateInterval
from plant.plant import Machine, Plant
from plant.text import told
from twin.oee import Times, times_of

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
        return await measured(tx, (await plants.current(tx)).plant, start, end)


async def measured(tx: Transaction, plant: Plant, start: datetime, end: datetime) -> list[MachineOee]:
    """Return OEE per machine over a period, as `oee` does, within a transaction."""
    intervals = await states.intervals(tx, start, end)
    jobs = {progress.job.id: progress for progress in await orders.jobs(tx)}
    found = []
    for machine in plant.machines:
        counts = await counts_of(tx, plant, machine, intervals, jobs, start, end)
        own = [interval for interval in intervals if interval.machine == machine.id]
        windows = plant.calendar_of(machine.id).windows(start, end)
        found.append(MachineOee.of(machine.id, times_of(own, counts, windows, (start, end))))
    return found


def check_period(start: datetime, end: datetime) -> None:
    """Refuse a period that does not end after it starts, or is longer than anything is computed over."""
    require(start < end, told("the period must end after it starts, not {start} to {end}", start=start, end=end))
    require(
        end - start <= LONGEST_PERIOD,
        told("the period must not be longer than {days:count} days", days=LONGEST_PERIOD.days),
    )
