"""Long jobs: progress seen, failures told, cancelled when asked, and none left behind by a worker that ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from historian import long_jobs
from historian.database import Historian
from operations import jobs
from plant.actor import SYSTEM
from plant.errors import Cancelled, InvalidInput, NotFound, Unavailable
from plant.long_job import LongJob, LongJobState
from plant.ports import Progress
from tests.operations.shop import PLANNER, Queue

DEADLINE_S = 20


async def _asked(historian: Historian, reason: str = "new orders") -> LongJob:
    return await jobs.request_plan(historian, Queue(), PLANNER, reason)


async def _get(historian: Historian, job: LongJob) -> LongJob:
    return await jobs.get(historian, PLANNER, job.id)


async def _until(question: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not await question():  # noqa: ASYNC110 - the database is asked, as a page would
            await asyncio.sleep(0.01)


async def test_a_plan_that_is_asked_for_is_kept_and_enqueued(historian: Historian) -> None:
    queue = Queue()
    job = await jobs.request_plan(historian, queue, PLANNER, "new orders")
    assert queue.deferred == [("plan", job.id)]
    assert (job.state, job.subject, job.requested_by) == (LongJobState.QUEUED, "new orders", PLANNER.name)
    assert await jobs.newest(historian, PLANNER) == [job]
    with pytest.raises(InvalidInput, match="say why"):
        await jobs.request_plan(historian, queue, PLANNER, "  ")


async def test_a_job_that_could_not_be_enqueued_is_brought_to_the_queue_later(historian: Historian) -> None:
    class Away(Queue):
        async def defer(self, kind: str, job_id: str) -> None:
            raise Unavailable("the queue is away")

    job = await jobs.request_plan(historian, Away(), PLANNER, "new orders")
    ended = await _asked(historian)
    await jobs.cancel(historian, PLANNER, ended.id)
    queue = Queue()
    await jobs.resume(historian, queue)
    assert queue.deferred == [("plan", job.id)]


async def test_what_a_job_makes_is_its_result(historian: Historian) -> None:
    job = await _asked(historian)

    async def work(asked: LongJob, progress: Progress) -> str:
        assert asked == job
        return "plan-1"

    await jobs.run(historian, job.id, work)
    done = await _get(historian, job)
    assert (done.state, done.share, done.result, done.error) == (LongJobState.DONE, 1.0, "plan-1", "")
    await jobs.run(historian, job.id, _never)  # enqueued twice, it is done once


async def _never(job: LongJob, progress: Progress) -> str:
    raise AssertionError("this job must not be begun")


async def test_progress_is_seen_while_it_runs(historian: Historian) -> None:
    job = await _asked(historian)
    seen = asyncio.Event()

    async def work(asked: LongJob, progress: Progress) -> str:
        progress(0.4, "solving")
        await seen.wait()
        return "plan-1"

    running = asyncio.create_task(jobs.run(historian, job.id, work))

    async def at_it() -> bool:
        now = await _get(historian, job)
        return (now.state, now.share, now.doing) == (LongJobState.RUNNING, 0.4, "solving")

    await _until(at_it)
    seen.set()
    await running


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (InvalidInput("there is nothing to plan; enter an order"), "there is nothing to plan; enter an order"),
        (Unavailable("the process died (out of memory?)"), "the process died (out of memory?)"),
    ],
)
async def test_why_it_failed_reaches_whoever_asked(historian: Historian, error: Exception, told: str) -> None:
    job = await _asked(historian)

    async def work(asked: LongJob, progress: Progress) -> str:
        raise error

    await jobs.run(historian, job.id, work)
    failed = await _get(historian, job)
    assert (failed.state, failed.error, failed.result) == (LongJobState.FAILED, told, None)


async def test_a_fault_of_ours_is_told_without_its_insides_and_raised(historian: Historian) -> None:
    job = await _asked(historian)

    async def work(asked: LongJob, progress: Progress) -> str:
        raise KeyError("secret detail")

    with pytest.raises(KeyError):
        await jobs.run(historian, job.id, work)
    failed = await _get(historian, job)
    assert (failed.state, str(failed.error)) == (LongJobState.FAILED, "internal error: KeyError; see the log")


async def test_a_running_job_stops_when_it_is_asked_to(historian: Historian) -> None:
    job = await _asked(historian)
    begun, gone = asyncio.Event(), asyncio.Event()

    async def work(asked: LongJob, progress: Progress) -> str:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            gone.set()
        return "never"

    running = asyncio.create_task(jobs.run(historian, job.id, work))
    await begun.wait()
    asked = await jobs.cancel(historian, PLANNER, job.id)
    assert asked.state is LongJobState.RUNNING
    await asyncio.wait_for(running, DEADLINE_S)
    assert gone.is_set()
    assert (await _get(historian, job)).state is LongJobState.CANCELLED


async def test_work_that_gives_up_by_itself_is_cancelled(historian: Historian) -> None:
    job = await _asked(historian)

    async def work(asked: LongJob, progress: Progress) -> str:
        raise Cancelled("enough")

    await jobs.run(historian, job.id, work)
    assert (await _get(historian, job)).state is LongJobState.CANCELLED


async def test_a_waiting_job_is_cancelled_at_once_and_never_begun(historian: Historian) -> None:
    job = await _asked(historian)
    assert (await jobs.cancel(historian, PLANNER, job.id)).state is LongJobState.CANCELLED
    assert (await jobs.cancel(historian, PLANNER, job.id)).state is LongJobState.CANCELLED
    await jobs.run(historian, job.id, _never)


async def test_one_cancelled_while_no_worker_was_there_is_not_begun_again(historian: Historian) -> None:
    job = await _asked(historian)
    async with historian.transaction(SYSTEM, "a worker that dies") as tx:
        await long_jobs.report(tx, job.id, 0.5, "solving")
    assert (await jobs.cancel(historian, PLANNER, job.id)).state is LongJobState.RUNNING
    await jobs.run(historian, job.id, _never, attempt=1)
    assert (await _get(historian, job)).state is LongJobState.CANCELLED


async def test_a_job_whose_worker_is_stopped_stays_open_and_is_resumed(historian: Historian) -> None:
    job = await _asked(historian)
    begun, gone = asyncio.Event(), asyncio.Event()

    async def work(asked: LongJob, progress: Progress) -> str:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            gone.set()
        return "never"

    running = asyncio.create_task(jobs.run(historian, job.id, work))
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert gone.is_set()
    assert (await _get(historian, job)).state is LongJobState.RUNNING
    queue = Queue()
    await jobs.resume(historian, queue)
    assert queue.deferred == [("plan", job.id)]


async def test_one_that_kills_its_workers_is_given_up(historian: Historian) -> None:
    job = await _asked(historian)
    await jobs.run(historian, job.id, _never, attempt=3)
    failed = await _get(historian, job)
    assert failed.state is LongJobState.FAILED
    assert "given up: the worker ended 3 times" in str(failed.error)


async def test_a_database_that_is_away_for_a_moment_costs_progress_not_the_work(
    historian: Historian, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await _asked(historian)
    monkeypatch.setattr(jobs, "_REPORT_EVERY_S", 0.0)
    report, calls = long_jobs.report, 0
    recovered = asyncio.Event()

    async def shaky(*args: Any) -> bool:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise Unavailable("restarting")
        if calls > 3:
            recovered.set()
        return await report(*args)

    monkeypatch.setattr(long_jobs, "report", shaky)

    async def work(asked: LongJob, progress: Progress) -> str:
        await asyncio.wait_for(recovered.wait(), DEADLINE_S)
        return "plan-1"

    await jobs.run(historian, job.id, work)
    assert (await _get(historian, job)).state is LongJobState.DONE


@pytest.mark.parametrize("job_id", ["no uuid", "0193f0a0-0000-7000-8000-000000000009"])
async def test_an_unknown_job_is_not_found(historian: Historian, job_id: str) -> None:
    with pytest.raises(NotFound, match="unknown long job"):
        await jobs.get(historian, PLANNER, job_id)
    with pytest.raises(NotFound, match="unknown long job"):
        await jobs.cancel(historian, PLANNER, job_id)
