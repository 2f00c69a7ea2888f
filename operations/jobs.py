"""Long jobs: asked for, followed, cancelled, run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from historian import long_jobs
from operations.store import Store
from plant.actor import SYSTEM, Actor, Permission
from plant.checks import require
from plant.errors import Cancelled, ForerunError
from plant.long_job import LongJob, LongJobKind, LongJobState
from plant.ports import JobQueue, Progress

_REPORT_EVERY_S = 0.25

log = structlog.get_logger()

Work = Callable[[LongJob, Progress], Awaitable[str]]
"""Does a long job and returns the id of what it made."""


async def request_plan(store: Store, queue: JobQueue, actor: Actor, reason: str) -> LongJob:
    """Ask for a new plan; a worker makes it."""
    actor.require(Permission.MAKE_PLANS)
    require(bool(reason.strip()), "say why the plan is asked for")
    async with store.transaction(actor, "request plan") as tx:
        job = await long_jobs.get(tx, await long_jobs.create(tx, LongJobKind.PLAN, reason))
    await queue.defer(job.kind, job.id)
    return job


async def get(store: Store, actor: Actor, job_id: str) -> LongJob:
    """Return a long job, or raise `NotFound`."""
    actor.require(Permission.VIEW_PLANS)
    async with store.transaction(actor, "read job") as tx:
        return await long_jobs.get(tx, job_id)


async def newest(store: Store, actor: Actor, limit: int = 20) -> tuple[LongJob, ...]:
    """Return the latest long jobs, the newest first."""
    actor.require(Permission.VIEW_PLANS)
    async with store.transaction(actor, "list jobs") as tx:
        return await long_jobs.newest(tx, limit)


async def cancel(store: Store, actor: Actor, job_id: str) -> LongJob:
    """Ask a long job to stop; harmless when it has ended."""
    actor.require(Permission.MAKE_PLANS)
    async with store.transaction(actor, "cancel job") as tx:
        job = await long_jobs.get(tx, job_id)
        if job.state.ended:
            return job
        await long_jobs.request_cancel(tx, job_id)
        return await long_jobs.get(tx, job_id)


async def run(store: Store, job_id: str, work: Work) -> None:
    """Run one long job to its end, keeping its progress and obeying a wish to cancel.

    Its own errors end up in the job, where whoever asked for it sees them; anything unexpected is raised too.
    """
    async with store.transaction(SYSTEM, "start job") as tx:
        job = await long_jobs.get(tx, job_id)
        if job.state.ended:
            return
        await long_jobs.progress(tx, job_id, 0.0, "starting")
    progress: list[float | str] = [0.0, "starting"]

    def note(share: float, doing: str) -> None:
        progress[:] = [share, doing]

    task = asyncio.ensure_future(work(job, note))
    watcher = asyncio.create_task(_watch(store, job_id, task, progress))
    try:
        made = await task
    except (asyncio.CancelledError, Cancelled):
        if not task.cancelled():
            task.cancel()
        await _finish(store, job_id, LongJobState.CANCELLED)
        current = asyncio.current_task()
        if current is not None and current.cancelling():
            raise
    except ForerunError as error:
        await _finish(store, job_id, LongJobState.FAILED, error=str(error))
    except Exception as error:
        await _finish(store, job_id, LongJobState.FAILED, error=f"internal error: {type(error).__name__}; see the log")
        raise
    else:
        await _finish(store, job_id, LongJobState.DONE, result=made)
    finally:
        watcher.cancel()


async def _watch(store: Store, job_id: str, task: asyncio.Future[str], progress: list[float | str]) -> None:
    while True:
        async with store.transaction(SYSTEM, "report progress") as tx:
            if await long_jobs.progress(tx, job_id, float(progress[0]), str(progress[1])):
                task.cancel()
                return
        await asyncio.sleep(_REPORT_EVERY_S)


async def _finish(store: Store, job_id: str, state: LongJobState, result: str | None = None, error: str = "") -> None:
    async with store.transaction(SYSTEM, "finish job") as tx:
        await long_jobs.finish(tx, job_id, state, result, error)
    log.info("long job ended", job=job_id, state=state.value, result=result, error=error)
