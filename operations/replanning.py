"""When a plan is made without anyone asking: the first one, and whenever something the plan did not know happened."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from historian import long_jobs, orders, plans, plants
from historian.database import Historian, Transaction
from operations import jobs, situation
from plant.actor import SYSTEM
from plant.long_job import LongJob, LongJobKind, LongJobState
from plant.ports import JobQueue, PlantClock
from plant.text import Told, listed, told
from plant.trouble import Abort, Tolerances, Troubles

_TRIES = 3
"""How often a plan for one and the same reason is asked for when it could not be made."""
_LOOK_BACK = 50
"""Long jobs among which one for the same reason is looked for."""


async def replan_if_stale(
    historian: Historian, queue: JobQueue, clock: PlantClock, tolerances: Tolerances
) -> LongJob | None:
    """Ask for a plan if there is none yet, or if the newest one was made not knowing what went wrong on the floor.

    A machine that broke down, a job order that the MES gave up or that is behind the plan, a rush order, somebody who
    is away, material that comes late and more scrap than planned make a plan stale unless they were known when it was
    made, whenever they happened: news may come late. Each of them is a reason once: a plan that was cancelled, or that
    fails again and again, is not asked for anew.

    Returns
    -------
    LongJob or None
        The job that was asked for; None when nothing made the plan stale, or a plan is being made already.
    """
    async with historian.transaction(SYSTEM, "look for stale plan") as tx:
        reason = await _reason(tx, clock, tolerances)
        if reason is None or await _is_planning(tx) or await _was_tried(tx, reason):
            return None
    return await jobs.request_plan(historian, queue, SYSTEM, reason)


async def _is_planning(tx: Transaction) -> bool:
    return any(job.kind is LongJobKind.PLAN for job in await long_jobs.open_jobs(tx))


async def _reason(tx: Transaction, clock: PlantClock, tolerances: Tolerances) -> Told | None:
    if not await plans.newest(tx, 1):
        return told("first plan") if await _is_work_left(tx) else None
    troubles = await situation.troubles(tx, clock.now(), tolerances)
    unknown = troubles.beyond(await plans.newest_knew(tx))
    return await _told(tx, unknown) if unknown and await _is_work_left(tx) else None


async def _is_work_left(tx: Transaction) -> bool:
    return bool(await orders.jobs(tx, open_only=True))


async def _told(tx: Transaction, troubles: Troubles) -> Told:
    """Name what happened to whom and when, which tells this time from the next of the same one."""
    zone = ZoneInfo((await plants.current(tx)).plant.timezone)
    return listed([*_of_machines_and_jobs(troubles, zone), *_of_others(troubles, zone)])


def _of_machines_and_jobs(troubles: Troubles, zone: ZoneInfo) -> list[Told]:
    reasons: list[Told] = []
    if troubles.breakdowns:
        broken = sorted(troubles.breakdowns.items())
        machines = [told("{machine} ({since:moment})", machine=name, since=at.astimezone(zone)) for name, at in broken]
        reasons.append(told("breakdown of {machines}", machines=listed(machines)))
    reasons += [_aborted(name, abort, zone) for name, abort in sorted(troubles.aborts.items())]
    reasons += [
        told("job order {job_order} behind the plan ({at:moment})", job_order=name, at=at.astimezone(zone))
        for name, at in sorted(troubles.delays.items())
    ]
    reasons += [
        told("{pieces:count} bad pieces of job order {job_order}", pieces=pieces, job_order=name)
        if pieces > 1
        else told("bad piece of job order {job_order}", job_order=name)
        for name, pieces in sorted(troubles.scrap.items())
    ]
    return reasons


def _of_others(troubles: Troubles, zone: ZoneInfo) -> list[Told]:
    reasons = [
        told("rush order {order} (due {due:moment})", order=name, due=due.astimezone(zone))
        for name, due in sorted(troubles.rush_orders.items())
    ]
    reasons += [
        told(
            "{person} absent from {start:moment} until {end:moment}",
            person=name,
            start=absence.start.astimezone(zone),
            end=absence.end.astimezone(zone),
        )
        for name, absence in sorted(troubles.absences.items())
    ]
    reasons += [
        told(
            "{machine} stopped as planned from {start:moment} until {end:moment}",
            machine=name,
            start=stop.start.astimezone(zone),
            end=stop.end.astimezone(zone),
        )
        for name, stop in sorted(troubles.planned_stops.items())
    ]
    reasons += [
        told("{item} late until {until:moment}", item=name, until=until.astimezone(zone))
        for name, until in sorted(troubles.late_materials.items())
    ]
    return reasons


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
