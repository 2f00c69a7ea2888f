"""The contract of `plant.ports.JobQueue` on procrastinate: durable, each job once, none lost with its worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import psycopg
import pytest
from procrastinate.exceptions import ConnectorException

from plant.errors import Unavailable
from plant.long_job import LongJobKind
from runtime.jobs import ProcrastinateQueue

PLAN = LongJobKind.PLAN
DEADLINE_S = 30


@pytest.fixture
async def url(database_url: str) -> str:
    """URL of a database with the queue's tables, empty."""
    async with ProcrastinateQueue(database_url) as queue:
        await queue.migrate()
        await queue.migrate()  # again changes nothing
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await connection.execute("truncate procrastinate_jobs, procrastinate_workers cascade")
    return database_url


@asynccontextmanager
async def _working(queue: ProcrastinateQueue, runner: Callable[[str, int], Awaitable[None]]) -> AsyncIterator[None]:
    task = asyncio.create_task(queue.work({PLAN: runner}))
    try:
        yield
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, DEADLINE_S)


class Runs:
    """Runs jobs by noting them."""

    def __init__(self) -> None:
        self.came: asyncio.Queue[tuple[str, int]] = asyncio.Queue()

    async def __call__(self, job_id: str, attempt: int) -> None:
        await self.came.put((job_id, attempt))

    async def next(self) -> tuple[str, int]:
        return await asyncio.wait_for(self.came.get(), DEADLINE_S)


async def test_what_was_enqueued_before_a_worker_was_there_is_run(url: str) -> None:
    async with ProcrastinateQueue(url) as asking:
        await asking.defer(PLAN, "job-1")
    runs = Runs()
    async with ProcrastinateQueue(url) as queue, _working(queue, runs):
        assert await runs.next() == ("job-1", 0)
        await queue.defer(PLAN, "job-2")
        assert await runs.next() == ("job-2", 0)


async def test_enqueued_twice_it_runs_once(url: str) -> None:
    runs = Runs()
    async with ProcrastinateQueue(url) as queue:
        await asyncio.gather(*(queue.defer(PLAN, "job-1") for _ in range(5)))
        await queue.defer(PLAN, "last")
        async with _working(queue, runs):
            assert [(await runs.next())[0] for _ in range(2)] == ["job-1", "last"]
        assert runs.came.empty()


async def test_one_that_is_running_is_not_enqueued_again(url: str) -> None:
    begun, go_on, runs = asyncio.Event(), asyncio.Event(), Runs()

    async def run(job_id: str, attempt: int) -> None:
        await runs(job_id, attempt)
        begun.set()
        await go_on.wait()

    async with ProcrastinateQueue(url) as queue, _working(queue, run):
        await queue.defer(PLAN, "job-1")
        await asyncio.wait_for(begun.wait(), DEADLINE_S)
        await queue.defer(PLAN, "job-1")
        await queue.defer(PLAN, "job-2")
        go_on.set()
        assert [(await runs.next())[0] for _ in range(2)] == ["job-1", "job-2"]


async def test_one_that_fails_does_not_stop_the_next(url: str) -> None:
    runs = Runs()

    async def run(job_id: str, attempt: int) -> None:
        await runs(job_id, attempt)
        if job_id == "job-1":
            raise KeyError("a fault")

    async with ProcrastinateQueue(url) as queue, _working(queue, run):
        await queue.defer(PLAN, "job-1")
        await queue.defer(PLAN, "job-2")
        assert [(await runs.next())[0] for _ in range(2)] == ["job-1", "job-2"]


async def test_what_a_dead_worker_was_at_is_taken_over(url: str) -> None:
    async with ProcrastinateQueue(url) as dying:
        await dying.defer(PLAN, "job-1")
        manager = dying._app.job_manager
        taken = await manager.fetch_job(queues=[PLAN.value], worker_id=await manager.register_worker())
        assert taken is not None  # and then it was killed
    runs = Runs()
    async with ProcrastinateQueue(url, stalled_s=0.5) as queue, _working(queue, runs):
        assert await runs.next() == ("job-1", 1)


async def test_a_worker_that_is_stopped_cancels_its_job_which_can_be_enqueued_again(url: str) -> None:
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def run(job_id: str, attempt: int) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async with ProcrastinateQueue(url) as queue:
        await queue.defer(PLAN, "job-1")
        async with _working(queue, run):
            await asyncio.wait_for(begun.wait(), DEADLINE_S)
        assert cancelled.is_set()
    runs = Runs()
    async with ProcrastinateQueue(url) as queue, _working(queue, runs):
        await queue.defer(PLAN, "job-1")
        assert await runs.next() == ("job-1", 0)


async def test_a_worker_whose_connections_broke_goes_on(url: str) -> None:
    runs = Runs()
    async with ProcrastinateQueue(url, stalled_s=1.0) as queue, _working(queue, runs):
        await queue.defer(PLAN, "job-1")
        await runs.next()
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            await _until_empty(connection)
            await connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
        async with ProcrastinateQueue(url) as asking:
            await asking.defer(PLAN, "job-2")
        assert (await runs.next())[0] == "job-2"


async def _until_empty(connection: psycopg.AsyncConnection[tuple[int]]) -> None:
    """Wait until the queue has forgotten what was done."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            row = await (await connection.execute("select count(*) from procrastinate_jobs")).fetchone()
            if row == (0,):
                return
            await asyncio.sleep(0.01)


async def test_a_database_that_is_away_is_unavailable(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise ConnectorException

    async with ProcrastinateQueue(url) as queue:
        monkeypatch.setattr(queue._app.job_manager, "list_jobs_async", fail)
        with pytest.raises(Unavailable, match="database does not answer"):
            await queue.defer(PLAN, "job-1")


async def test_a_plan_does_not_wait_for_what_is_learned(url: str) -> None:
    learning, planned = Runs(), Runs()
    over = asyncio.Event()

    async def learn(job_id: str, attempt: int) -> None:
        await learning(job_id, attempt)
        await over.wait()

    async with ProcrastinateQueue(url) as queue:
        task = asyncio.create_task(queue.work({PLAN: planned, LongJobKind.LEARNING: learn}))
        try:
            await queue.defer(LongJobKind.LEARNING, "job-1")
            assert await learning.next() == ("job-1", 0)
            await queue.defer(PLAN, "job-2")
            assert await planned.next() == ("job-2", 0)
            assert not over.is_set()
            over.set()
        finally:
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asyncio.wait_for(task, DEADLINE_S)
