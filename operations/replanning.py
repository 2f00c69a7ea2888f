"""When a plan is made without anyone asking: the first one, and after a breakdown."""

from __future__ import annotations

from historian import latest, long_jobs, orders, plans
from historian.database import Historian
from operations import jobs
from plant.actor import SYSTEM
from plant.long_job import LongJob
from plant.machine_state import MachineState
from plant.order import JobState
from plant.ports import JobQueue


async def replan_if_stale(historian: Historian, queue: JobQueue) -> LongJob | None:
    """Ask for a plan if there is none yet, or if a machine broke down after the newest one was made.

    Returns
    -------
    LongJob or None
        The job that was asked for; None when nothing made the plan stale, or a plan is being made already.
    """
    async with historian.transaction(SYSTEM, "look for stale plan") as tx:
        if any(not job.state.ended for job in await long_jobs.newest(tx, 20)):
            return None
        newest = await plans.newest(tx, 1)
        if not newest:
            waiting = any(progress.state is not JobState.COMPLETED for progress in await orders.jobs(tx))
            reason = "first plan" if waiting else None
        else:
            planned_from = newest[0].made_at
            broken = [
                row.machine
                for row in await latest.rows(tx)
                if row.state is MachineState.BREAKDOWN and row.since is not None and row.since > planned_from
            ]
            reason = f"breakdown of {', '.join(sorted(broken))}" if broken else None
    return await jobs.request_plan(historian, queue, SYSTEM, reason) if reason else None
