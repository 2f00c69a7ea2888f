"""Long jobs: asked for, followed, cancelled, run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from historian import long_jobs
from historian.database import Historian
from plant.actor import SYSTEM, Actor, Permission
from plant.checks import require
from plant.clock import wall_now
from plant.errors import Cancelled, ForerunError
from plant.long_job import LongJob, LongJobKind, LongJobState
from plant.message import new_message_id
from plant.ports import JobQueue, Progress

_REPORT_EVERY_S = 0.25

log = structlog.get_logger()

Work = Callable[[LongJob, Progress], Awaitable[str]]
"""Does a long job and returns the id of what it made."""


async def request_plan(historian: Historian, queue: JobQueue, actor: Actor, reason: str) -> LongJob:
    """Ask for a new plan; a worker makes it."""
    actor.require(Permission.MAKE_PLANS)
    require(bool(reason.strip()), "say why the plan is asked for")
    job = LongJob(
        id=new_message_id(),
        kind=LongJobKind.PLAN,
        subject=reason,
        requested_by=actor.name,
        state=LongJobState.QUEUED,
        created_at=wall_now(),
    )
    async with historian.transaction(actor, "request plan") as tx:
        await long_jobs.insert(tx, job)
    await queue.defer(job.kind, job.id)
    return job


async def get(historian: Historian, actor: Actor, job_id: str) -> LongJob:
    """Return a long job, or raise `NotFound`."""
    actor.require(Permission.VIEW_PLANS)
    async with historian.transaction(actor, "read job") as tx:
        return await long_jobs.get(tx, job_id)


async def newest(historian: Historian, actor: Actor, limit: int = 20) -> list[LongJob]:
    """Return the latest long jobs, the newest first."""
    actor.require(Permission.VIEW_PLANS)
    async with historian.transaction(actor, "list jobs") as tx:
        return await long_jobs.newest(tx, limit)


async def cancel(historian: Historian, actor: Actor, job_id: str) -> LongJob:
    """Ask a long job to stop; harmless when it has ended."""
    actor.require(Permission.MAKE_PLANS)
    async with historian.transaction(actor, "cancel job") as tx:
        await long_jobs.request_cancel(tx, job_id)
        return await long_jobs.get(tx, job_id)


async def run(historian: Historian, job_id: str, work: Work) -> None:
    """Run one long job to its end, keeping its progress and obeying a wish to cancel.

    Its own errors end up in the job, where whoever asked for it sees them; anything unexpected is raised too.
    """
    async with historian.transaction(SYSTEM, "start job") as tx:
        job = await long_jobs.get(tx, job_id)
        if job.state.ended:
            return
        await long_jobs.report(tx, job_id, 0.0, "starting")
    progress: list[float | str] = [0.0, "starting"]

    def note(share: float, doing: str) -> None:
        progress[:] = [share, doing]

    task = asyncio.ensure_future(work(job, note))
    watcher = asyncio.create_task(_watch(historian, job_id, task, progress))
    try:
        made = await task
    except (asyncio.CancelledError, Cancelled):
        if not task.cancelled():
            task.cancel()
        await _finish(historian, job_id, LongJobState.CANCELLED)
        current = asyncio.current_task()
        if current is not None and current.cancelling():
            raise
    except ForerunError as error:
        await _finish(historian, job_id, LongJobState.FAILED, error=str(error))
    except Exception as error:
        await _finish(
            historian, job_id, LongJobState.FAILED, error=f"internal error: {type(error).__name__}; see the log"
        )
        raise
    else:
        await _finish(historian, job_id, LongJobState.DONE, result=made)
    finally:
        watcher.cancel()


async def _watch(historian: Historian, job_id: str, task: asyncio.Future[str], progress: list[float | str]) -> None:
    while True:
        async with historian.transaction(SYSTEM, "report progress") as tx:
            if await long_jobs.report(tx, job_id, float(progress[0]), str(progress[1])):
                task.cancel()
                return
        await asyncio.sleep(_REPORT_EVERY_S)


async def _finish(
    historian: Historian, job_id: str, state: LongJobState, result: str | None = None, error: str = ""
) -> None:
    async with historian.transaction(SYSTEM, "finish job") as tx:
        await long_jobs.finish(tx, job_id, state, result, error)
    log.info("long job ended", job=job_id, state=state.value, result=result, error=error)
