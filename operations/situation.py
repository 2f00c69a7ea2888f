"""The situation plans are made in: the stored floor, restored and looked at from one moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from historian import disturbances, latest, orders, plans, plants, responses, states
from historian.database import Historian, Transaction
from operations.deviations import Floor, deviations
from plant.actor import Actor, Permission
from plant.machine_state import MachineState, StateInterval
from plant.order import JobProgress, JobState
from plant.ports import PlantClock
from plant.snapshot import Snapshot
from plant.trouble import Tolerances, Troubles
from plant.version import PlantVersion
from twin import snapshot as snapshots
from twin.floor import LiveFloor, LiveMachine

_LOOK_BACK = timedelta(days=14)
"""How far back a machine's last job is looked for, to know what it is set up for."""


async def snapshot(tx: Transaction, version: PlantVersion, jobs: Sequence[JobProgress], at: datetime) -> Snapshot:
    """Return the floor at plant time `at` as plans are made from it."""
    plant = version.plant
    running = [job.started_at for job in jobs if job.state is JobState.RUNNING and job.started_at is not None]
    intervals = await states.intervals(tx, min([at - _LOOK_BACK, *running]), at)
    known = {row.machine for row in await latest.rows(tx)}
    by_machine: dict[str, list[StateInterval]] = {}
    for interval in intervals:
        by_machine.setdefault(interval.machine, []).append(interval)
    floor = LiveFloor(
        {
            machine.id: LiveMachine(machine.id).fold(by_machine.get(machine.id, []))
            for machine in plant.machines
            if machine.id in known
        }
    )
    families = {job.job.id: plant.operation(job.job.item, job.job.operation).setup_family for job in jobs}
    in_force = await plans.released(tx)
    return snapshots.snapshot(
        plant,
        at,
        floor,
        jobs,
        intervals,
        families,
        await orders.customer_orders(tx),
        in_force.plan if in_force is not None else None,
        version.id,
    )


async def take(historian: Historian, actor: Actor, clock: PlantClock) -> tuple[PlantVersion, Snapshot]:
    """Return the plant and its floor as it stands now, with its open orders: what a plan made now is made from."""
    actor.require(Permission.MAKE_PLANS)
    async with historian.transaction(actor, "take snapshot") as tx:
        version = await plants.current(tx)
        return version, await snapshot(tx, version, await orders.jobs(tx), clock.now())


async def troubles(tx: Transaction, now: datetime, tolerances: Tolerances, before: datetime | None = None) -> Troubles:
    """Return what a plan may not have reckoned with, as far as is stored at plant time `now`.

    Parameters
    ----------
    before
        Leave out what broke down at this plant time or later: a snapshot of that moment does not show it.
    """
    broken = {row.machine: row.since for row in await latest.rows(tx) if row.state is MachineState.BREAKDOWN}
    in_force = await plans.released(tx)
    floor = Floor(
        plant=(await plants.current(tx)).plant,
        now=now,
        orders=await orders.customer_orders(tx),
        jobs=await orders.jobs(tx),
        plan=None if in_force is None else in_force.plan,
        broken=frozenset(broken),
        absences=await disturbances.absences(tx, now),
        expected=await disturbances.late_materials(tx, now),
        stops=await disturbances.planned_stops(tx, now),
    )
    return replace(
        deviations(floor, tolerances),
        breakdowns={
            machine: since for machine, since in broken.items() if since and (before is None or since < before)
        },
        aborts=await responses.aborts(tx),
    )
