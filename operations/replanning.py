"""When a plan is made without anyone asking: the first one, and after a breakdown."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from historian import latest, long_jobs, orders, plans, plants
from historian.database import Historian, Transaction
from historian.latest import FloorRow
from operations import jobs
from plant.actor import SYSTEM
from plant.long_job import LongJob, LongJobState
from plant.machine_state import MachineState
from plant.ports import JobQueue

_TRIES = 3
"""How often a plan for one and the same reason is asked for when it could not be made."""
_LOOK_BACK = 50
"""Long jobs among which one for the same reason is looked for."""


async def replan_if_stale(historian: Historian, queue: JobQueue) -> LongJob | None:
    """Ask for a plan if there is none yet, or if a machine broke down after the newest one was made.

    Each breakdown is a reason once: a plan that was cancelled, or that fails again and again, is not asked for anew.

    Returns
    -------
    LongJob or None
        The job that was asked for; None when nothing made the plan stale, or a plan is being made already.
    """
    async with historian.transaction(SYSTEM, "look for stale plan") as tx:
        reason = await _reason(tx)
        if reason is None or await long_jobs.open_jobs(tx) or await _was_tried(tx, reason):
            return None
    return await jobs.request_plan(historian, queue, SYSTEM, reason)


async def _reason(tx: Transaction) -> str | None:
    newest = await plans.newest(tx, 1)
    if newest:
        since = newest[0].made_at
        broken = [row for row in await latest.rows(tx) if row.state is MachineState.BREAKDOWN]
        broken = [row for row in broken if row.since is not None and row.since > since]
        if not broken:
            return None
    if not await orders.jobs(tx, open_only=True):
        return None  # there is nothing to plan
    return await _told(tx, broken) if newest else "first plan"


async def _told(tx: Transaction, broken: Sequence[FloorRow]) -> str:
    """Name the machines and since when, which tells this breakdown from the next one of the same machine."""
    zone = ZoneInfo((await plants.current(tx)).plant.timezone)
    told = [f"{row.machine} ({row.since.astimezone(zone):%a %d %b %H:%M:%S})" for row in broken if row.since]
    return f"breakdown of {', '.join(sorted(told))}"


async def _was_tried(tx: Transaction, reason: str) -> bool:
    """Tell whether a plan for this reason was made or called off, or could not be made too often."""
    asked = [job for job in await long_jobs.newest(tx, _LOOK_BACK) if job.subject == reason]
    asked = [job for job in asked if job.requested_by == SYSTEM.name]
    return len(asked) >= _TRIES or any(job.state is not LongJobState.FAILED for job in asked)
