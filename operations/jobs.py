"""Long jobs: asked for, followed, cancelled, run."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable

import structlog

from historian import long_jobs
from historian.database import Historian
from plant.actor import SYSTEM, Actor, Permission
from plant.checks import require
from plant.clock import wall_now
from plant.errors import Cancelled, Conflict, ForerunError, NotFound, Unavailable
from plant.long_job import LongJob, LongJobKind, LongJobState
from plant.message import new_message_id
from plant.ports import JobQueue, Progress
from plant.text import Text, told

_REPORT_EVERY_S = 0.25
_ATTEMPTS = 3
"""How often a job is begun again whose worker died while it was at it."""

log = structlog.get_logger()

Work = Callable[[LongJob, Progress], Awaitable[str]]
"""Does a long job and returns the id of what it made."""


async def request_plan(
    historian: Historian, queue: JobQueue, actor: Actor, reason: Text, *, near: bool = False
) -> LongJob:
    """Ask for a new plan, perhaps one that stays near to the one in force; a worker makes it."""
    actor.require(Permission.MAKE_PLANS)
    require(bool(str(reason).strip()), told("say why the plan is asked for"))
    return await _request(historian, queue, actor, LongJobKind.PLAN, reason, near)


async def request_calibration(historian: Historian, queue: JobQueue, actor: Actor, subject: str) -> LongJob:
    """Ask for a calibration; `subject` says of which history (see `operations.calibration.history_of`)."""
    actor.require(Permission.CALIBRATE_TWIN)
    return await _request(historian, queue, actor, LongJobKind.CALIBRATION, subject)


async def request_learning(historian: Historian, queue: JobQueue, actor: Actor) -> LongJob:
    """Ask to learn from the plant's orders how plans are found best."""
    actor.require(Permission.CALIBRATE_TWIN)
    return await _request(historian, queue, actor, LongJobKind.LEARNING, told("how plans are found best"))


async def _request(
    historian: Historian, queue: JobQueue, actor: Actor, kind: LongJobKind, subject: Text, near: bool = False
) -> LongJob:
    job = LongJob(
        id=new_message_id(),
        kind=kind,
        subject=subject,
        requested_by=actor.name,
        state=LongJobState.QUEUED,
        created_at=wall_now(),
        near=near,
    )
    async with historian.transaction(actor, f"request {kind}") as tx:
        await long_jobs.insert(tx, job)
    try:
        await queue.defer(job.kind, job.id)
    except Unavailable as error:
        log.warning("long job waits for the queue", job=job.id, reason=str(error))  # `resume` brings it there
    return job


async def resume(historian: Historian, queue: JobQueue) -> None:
    """Have the queue hold every long job that has not ended.

    One that was asked for just before a crash may never have reached the queue; one whose worker was stopped has
    left it.
    """
    async with historian.transaction(SYSTEM, "look for long jobs") as tx:
        waiting = await long_jobs.open_jobs(tx)
    for job in waiting:
        await queue.defer(job.kind, job.id)


async def get(historian: Historian, actor: Actor, job_id: str) -> LongJob:
    """Return a long job, or raise `NotFound`."""
    actor.require(Permission.VIEW_PLANS)
    job_id = _canonical(job_id)
    async with historian.transaction(actor, "read job") as tx:
        return await long_jobs.get(tx, job_id)


async def newest(historian: Historian, actor: Actor, limit: int = 20) -> list[LongJob]:
    """Return the latest long jobs, the newest first."""
    actor.require(Permission.VIEW_PLANS)
    async with historian.transaction(actor, "list jobs") as tx:
        return await long_jobs.newest(tx, limit)


async def cancel(historian: Historian, actor: Actor, job_id: str) -> LongJob:
    """Ask a long job to stop; harmless when it has ended. One that no worker has begun ends at once."""
    actor.require(Permission.MAKE_PLANS)
    job_id = _canonical(job_id)
    async with historian.transaction(actor, "cancel job") as tx:
        await long_jobs.request_cancel(tx, job_id)
        job = await long_jobs.get(tx, job_id)
        if job.state is LongJobState.QUEUED:
            await long_jobs.finish(tx, job_id, LongJobState.CANCELLED)
            job = await long_jobs.get(tx, job_id)
        return job


def _canonical(job_id: str) -> str:
    try:
        return str(uuid.UUID(job_id))  # it takes more spellings than the database does
    except ValueError:
        raise NotFound(told("unknown long job '{job}'", job=job_id)) from None


async def run(historian: Historian, job_id: str, work: Work, attempt: int = 0) -> None:
    """Run one long job to its end, keeping its progress and obeying a wish to cancel.

    Its own errors end up in the job, where whoever asked for it sees them; anything unexpected is raised too. A
    job whose worker is told to stop stays open: `resume` has it begun again.

    Parameters
    ----------
    attempt
        How often a worker died while it was at this job; one that kills every worker is given up.
    """
    job = await _begin(historian, job_id)
    if job is None:
        return
    if attempt >= _ATTEMPTS:
        error = told(
            "given up: the worker ended {attempts:count} times while it was at it; its log may say why",
            attempts=attempt,
        )
        await _finish(historian, job_id, LongJobState.FAILED, error=error)
        return
    newest: tuple[float, Text] = (0.0, told("starting"))

    def note(share: float, doing: Text) -> None:
        nonlocal newest
        newest = share, doing

    task = asyncio.ensure_future(work(job, note))
    watcher = asyncio.create_task(_watch(historian, job_id, task, lambda: newest))
    try:
        made = await task
    except (asyncio.CancelledError, Cancelled):
        current = asyncio.current_task()
        if current is not None and current.cancelling():
            raise
        await _finish(historian, job_id, LongJobState.CANCELLED)
    except ForerunError as error:
        await _finish(historian, job_id, LongJobState.FAILED, error=error.text)
    except Exception as error:
        fault = told("internal error: {error}; see the log", error=type(error).__name__)
        await _finish(historian, job_id, LongJobState.FAILED, error=fault)
        raise
    else:
        await _finish(historian, job_id, LongJobState.DONE, result=made)
    finally:
        watcher.cancel()


async def _begin(historian: Historian, job_id: str) -> LongJob | None:
    """Note that a job runs; None when it has ended, if only because someone wished so while no worker was there."""
    try:
        async with historian.transaction(SYSTEM, "start job") as tx:
            job = await long_jobs.get(tx, job_id)
            if job.state.ended:
                return None
            if not await long_jobs.report(tx, job_id, 0.0, told("starting")):
                return job
            await long_jobs.finish(tx, job_id, LongJobState.CANCELLED)
    except Conflict as error:
        log.info("long job not begun", job=job_id, reason=str(error))
    return None


async def _watch(
    historian: Historian, job_id: str, task: asyncio.Future[str], newest: Callable[[], tuple[float, Text]]
) -> None:
    while True:
        try:
            async with historian.transaction(SYSTEM, "report progress") as tx:
                stop = await long_jobs.report(tx, job_id, *newest())
        except Unavailable as error:
            log.warning("progress not kept", job=job_id, reason=str(error))  # the work itself goes on
        else:
            if stop:
                task.cancel()
                return
        await asyncio.sleep(_REPORT_EVERY_S)


async def _finish(
    historian: Historian, job_id: str, state: LongJobState, result: str | None = None, error: Text = ""
) -> None:
    async with historian.transaction(SYSTEM, "finish job") as tx:
        await long_jobs.finish(tx, job_id, state, result, error)
    log.info("long job ended", job=job_id, state=state.value, result=result, error=str(error))
