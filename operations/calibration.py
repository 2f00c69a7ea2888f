"""Calibrations: made from history on demand and every night, compared, adopted, rolled back."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from historian import calibrations, ledger, long_jobs, orders, plants, states
from historian.database import Historian, Transaction
from operations import jobs
from operations.estimation import estimate
from plant import calibration as nouns
from plant.actor import SYSTEM, Actor, Permission
from plant.calibration import Calibration, CalibrationSummary, Difference
from plant.checks import require
from plant.errors import Conflict, InvalidInput
from plant.long_job import LongJob, LongJobKind
from plant.ports import Compute, JobQueue, PlantClock, Progress, no_progress
from plant.text import told

NIGHTLY_DAYS = 30.0
"""Plant days of history a nightly calibration rests on."""
_MOST_DAYS = 3650.0
_SUBJECT = re.compile(r"last ([0-9.e+]+) days")
_LOOK_BACK = timedelta(days=14)
"""How far before the history jobs are looked at, to know what machines were set up for."""


def subject_of(days: float) -> str:
    """Return how a long job says on how many days of history its calibration rests."""
    most = told(
        "days of history must be above 0 and at most {most}, not {days}", most=f"{_MOST_DAYS:g}", days=f"{days:g}"
    )
    require(0 < days <= _MOST_DAYS, most)
    return f"last {days:g} days"


def history_of(job: LongJob) -> float:
    """Return the days of history that `subject_of` put into a long job's subject."""
    found = _SUBJECT.match(str(job.subject))
    if found is None:
        raise InvalidInput(f"long job {job.id}: {job.subject!r} does not say on how many days to calibrate")
    return float(found[1])


async def make(
    historian: Historian,
    compute: Compute,
    clock: PlantClock,
    actor: Actor,
    days: float,
    progress: Progress = no_progress,
) -> Calibration:
    """Calibrate from the last `days` plant days and keep the result; it is not used before it is adopted.

    Raises
    ------
    InvalidInput
        If no job was begun in that time.
    """
    actor.require(Permission.CALIBRATE_TWIN)
    subject_of(days)
    until = clock.now()
    since = until - timedelta(days=days)
    async with historian.transaction(actor, "read history") as tx:
        version = await plants.current(tx)
        intervals = await states.intervals(tx, since, until)
        begun = [
            job
            for job in await orders.jobs(tx)
            if job.started_at is not None and since - _LOOK_BACK <= job.started_at < until
        ]
    made = await compute.run(estimate, version, intervals, begun, since, until, progress=progress)
    async with historian.transaction(actor, "keep calibration") as tx:
        if await calibrations.insert(tx, made):
            what = {"since": since.isoformat(), "until": until.isoformat(), "plant_version": version.id}
            await ledger.append(tx, f"calibration/{made.id}", "made", None, what)
    return made


async def list_calibrations(historian: Historian, actor: Actor, limit: int = 50) -> list[CalibrationSummary]:
    """Return the newest calibrations first."""
    actor.require(Permission.VIEW_PLANS)
    async with historian.transaction(actor, "list calibrations") as tx:
        return await calibrations.newest(tx, limit)


async def get(historian: Historian, actor: Actor, calibration_id: str) -> Calibration:
    """Return one calibration, or raise `NotFound`."""
    actor.require(Permission.VIEW_PLANS)
    async with historian.transaction(actor, "read calibration") as tx:
        return await calibrations.get(tx, calibration_id)


async def compare(historian: Historian, actor: Actor, before: str | None, after: str) -> tuple[Difference, ...]:
    """Return what differs between two calibrations, or (None) from the plan; see `plant.calibration.compare`."""
    actor.require(Permission.VIEW_PLANS)
    async with historian.transaction(actor, "compare calibrations") as tx:
        one = None if before is None else await calibrations.get(tx, before)
        other = await calibrations.get(tx, after)
    return nouns.compare(one, other)


async def adopt(historian: Historian, actor: Actor, calibration_id: str) -> None:
    """Have the twin use a calibration from the next plan on; adopting the one in use changes nothing.

    Raises
    ------
    Conflict
        If it was made for another version of the plant: its factors are on times that are planned no more.
    """
    actor.require(Permission.CALIBRATE_TWIN)
    async with historian.transaction(actor, "adopt calibration") as tx:
        await calibrations.lock(tx)
        made, current = await calibrations.get(tx, calibration_id), await plants.current_id(tx)
        if made.plant_version != current:
            raise Conflict(
                told(
                    "calibration {calibration} was made for plant version {made_for}, but {current} is in force; "
                    "make a new one",
                    calibration=calibration_id,
                    made_for=made.plant_version,
                    current=current,
                )
            )
        before = await calibrations.in_use(tx)
        used = None if before is None else before.calibration
        if used != calibration_id:
            await calibrations.adopt(tx, calibration_id, None if before is None else before.number)
            await ledger.append(tx, f"calibration/{calibration_id}", "adopted", used, calibration_id)


async def roll_back(historian: Historian, actor: Actor) -> str | None:
    """Go back to what the twin used before the calibration in use, and return its id; None for the plan as it stands.

    Raises
    ------
    Conflict
        If no calibration is in use.
    """
    actor.require(Permission.CALIBRATE_TWIN)
    async with historian.transaction(actor, "roll back calibration") as tx:
        await calibrations.lock(tx)
        last = await calibrations.in_use(tx)
        if last is None or last.calibration is None:
            raise Conflict(told("no calibration is in use: there is nothing to go back from"))
        earlier = None if last.previous is None else await calibrations.adoption(tx, last.previous)
        back = None if earlier is None else earlier.calibration
        await calibrations.adopt(tx, back, None if earlier is None else earlier.previous)
        await ledger.append(tx, f"calibration/{last.calibration}", "rolled back", last.calibration, back)
    return back


async def usable(tx: Transaction, plant_version: str) -> Calibration | None:
    """Return the calibration in use, None without one or when it is of another version of the plant."""
    last = await calibrations.in_use(tx)
    if last is None or last.calibration is None:
        return None
    found = await calibrations.get(tx, last.calibration)
    return found if found.plant_version == plant_version else None


async def calibrate_if_due(historian: Historian, queue: JobQueue, clock: PlantClock) -> LongJob | None:
    """Ask for the nightly calibration if a plant day has begun since the last one; each night once.

    Returns
    -------
    LongJob or None
        The job that was asked for; None when it is not night, was asked for, or there is no history yet.
    """
    now = clock.now()
    async with historian.transaction(SYSTEM, "look for nightly calibration") as tx:
        if await plants.current_id(tx) is None:
            return None
        zone = ZoneInfo((await plants.current(tx)).plant.timezone)
        subject = f"{subject_of(NIGHTLY_DAYS)}, night to {now.astimezone(zone):%Y-%m-%d}"
        if not await _begun_before(tx, now, zone) or await _is_known(tx, subject, now, zone):
            return None
    return await jobs.request_calibration(historian, queue, SYSTEM, subject)


async def _begun_before(tx: Transaction, now: datetime, zone: ZoneInfo) -> bool:
    """Tell whether a job was begun before today: without, there is no history."""
    today = now.astimezone(zone).date()
    begun = [job.started_at for job in await orders.jobs(tx) if job.started_at is not None]
    return any(moment.astimezone(zone).date() < today for moment in begun)


async def _is_known(tx: Transaction, subject: str, now: datetime, zone: ZoneInfo) -> bool:
    """Tell whether this night's history was calibrated with, or that was asked for."""
    until = await calibrations.newest_until(tx)
    if until is not None and until.astimezone(zone).date() >= now.astimezone(zone).date():
        return True
    asked = await long_jobs.newest(tx, 50)
    return any(job.kind is LongJobKind.CALIBRATION and job.subject == subject for job in asked)
