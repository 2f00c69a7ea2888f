"""The situation plans are made in: the stored floor, restored and looked at from one moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from historian import latest, states
from historian.database import Transaction
from plant.order import JobProgress, JobState
from plant.plant import Plant
from plant.work import Snapshot
from twin import snapshot as snapshots
from twin.floor import LiveFloor, LiveMachine

_LOOK_BACK = timedelta(days=14)
"""How far back a machine's last job is looked for, to know what it is set up for."""


async def snapshot(tx: Transaction, plant: Plant, jobs: Sequence[JobProgress], at: datetime) -> Snapshot:
    """Return the floor at plant time `at` as plans are made from it."""
    running = [job.started_at for job in jobs if job.state is JobState.RUNNING and job.started_at is not None]
    intervals = await states.intervals(tx, min([at - _LOOK_BACK, *running]), at)
    known = {row.machine for row in await latest.rows(tx)}
    floor = LiveFloor(
        {
            machine.id: LiveMachine(machine.id).fold([one for one in intervals if one.machine == machine.id])
            for machine in plant.machines
            if machine.id in known
        }
    )
    families = {job.job.id: plant.operation(job.job.item, job.job.operation).setup_family for job in jobs}
    return snapshots.snapshot(plant, at, floor, jobs, intervals, families)
