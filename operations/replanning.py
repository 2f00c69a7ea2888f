"""When a plan is made without anyone asking: the first one, after a breakdown, and for what the MES gave up."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from historian import long_jobs, orders, plans, plants
from historian.database import Historian, Transaction
from operations import jobs, situation
from plant.actor import SYSTEM
from plant.long_job import LongJob, LongJobKind, LongJobState
from plant.ports import JobQueue
from plant.text import Told, listed, told
from plant.trouble import Abort, Troubles

_TRIES = 3
"""How often a plan for one and the same reason is asked for when it could not be made."""
_LOOK_BACK = 50
"""Long jobs among which one for the same reason is looked for."""


async def replan_if_stale(historian: Historian, queue: JobQueue) -> LongJob | None:
    """Ask for a plan if there is none yet, or if the newest one was made not knowing what went wrong on the floor.

    A machine that broke down and a job order that the MES gave up make a plan stale unless they were known when it
    was made, whenever they happened: news may come late. Each of them is a reason once: a plan that was cancelled, or
    that fails again and again, is not asked for anew.

    Returns
    -------
    LongJob or None
        The job that was asked for; None when nothing made the plan stale, or a plan is being made already.
    """
    async with historian.transaction(SYSTEM, "look for stale plan") as tx:
        reason = await _reason(tx)
        if reason is None or await _is_planning(tx) or await _was_tried(tx, reason):
            return None
    return await jobs.request_plan(historian, queue, SYSTEM, reason)


async def _is_planning(tx: Transaction) -> bool:
    return any(job.kind is LongJobKind.PLAN for job in await long_jobs.open_jobs(tx))


async def _reason(tx: Transaction) -> Told | None:
    if not await plans.newest(tx, 1):
        return told("first plan") if await _is_work_left(tx) else None
    unknown = (await situation.troubles(tx)).beyond(await plans.newest_knew(tx))
    return await _told(tx, unknown) if unknown and await _is_work_left(tx) else None


async def _is_work_left(tx: Transaction) -> bool:
    return bool(await orders.jobs(tx, open_only=True))


async def _told(tx: Transaction, troubles: Troubles) -> Told:
    """Name machines and job orders and since when, which tells this time from the next of the same one."""
    zone = ZoneInfo((await plants.current(tx)).plant.timezone)
    reasons = [_aborted(name, abort, zone) for name, abort in sorted(troubles.aborts.items())]
    if troubles.breakdowns:
        broken = sorted(troubles.breakdowns.items())
        machines = [told("{machine} ({since:moment})", machine=name, since=at.astimezone(zone)) for name, at in broken]
        reasons.insert(0, told("breakdown of {machines}", machines=listed(machines)))
    return listed(reasons)


def _aborted(job_order: str, abort: Abort, zone: ZoneInfo) -> Told:
    at = abort.at.astimezone(zone)
    if abort.times == 1:
        return told("job order {job_order} aborted ({at:moment})", job_order=job_order, at=at)
    return told(
        "job order {job_order} aborted ({at:moment}; {n:count} times by now)", job_order=job_order, at=at, n=abort.times
    )


async def _was_tried(tx: Transaction, reason: Told) -> bool:
    """Tell whether a plan for this reason was made or called off, or could not be made too often."""
    asked = [job for job in await long_jobs.newest(tx, _LOOK_BACK) if job.subject == reason]
    asked = [job for job in asked if job.requested_by == SYSTEM.name]
    return len(asked) >= _TRIES or any(job.state is not LongJobState.FAILED for job in asked)
