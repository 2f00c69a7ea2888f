"""Long jobs on procrastinate: a durable queue in the same PostgreSQL (its schema is its own)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

import procrastinate
import structlog
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Status

from plant.errors import Unavailable
from plant.long_job import LongJobKind
from plant.text import told

Runner = Callable[[str, int], Awaitable[None]]
"""Runs the long job of this id to its end; the number tells how often a worker died at it before."""

_TABLE = "procrastinate_jobs"
_STALLED_S = 10.0
_PATIENT = frozenset({LongJobKind.LEARNING})
"""Kinds that take long on a big plant: plans do not wait for them, so they have a turn of their own."""

log = structlog.get_logger()


class ProcrastinateQueue:
    """The queue of long jobs at a PostgreSQL URL.

    Parameters
    ----------
    stalled_s
        A worker that was not heard of for so many wall seconds is dead: another takes over what it was at.
    """

    def __init__(self, url: str, stalled_s: float = _STALLED_S) -> None:
        self._stalled_s = stalled_s
        self._app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url, min_size=1, max_size=4))

    async def __aenter__(self) -> ProcrastinateQueue:
        with _translated("opening the queue"):
            await self._app.open_async()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._app.close_async()

    async def migrate(self) -> None:
        """Make procrastinate's tables where they are missing."""
        row = await self._app.connector.execute_query_one_async("SELECT to_regclass(%(name)s) AS found", name=_TABLE)
        if row["found"] is None:
            await self._app.schema_manager.apply_schema_async()

    async def defer(self, kind: str, job_id: str) -> None:
        """Enqueue a long job; see `plant.ports.JobQueue`. One that waits or is being done is not enqueued again.

        Raises
        ------
        Unavailable
            When the database does not answer.
        """
        with _translated("enqueueing"):
            held = await self._app.job_manager.list_jobs_async(queueing_lock=job_id)
            if any(job.status in {Status.TODO.value, Status.DOING.value} for job in held):
                return
            try:
                task = self._app.configure_task(kind, queue=kind, queueing_lock=job_id, lock=job_id)
                await task.defer_async(job_id=job_id)
            except AlreadyEnqueued:
                return

    async def work(self, runners: dict[LongJobKind, Runner]) -> None:
        """Run long jobs until cancelled, one at a time and beside it one that takes long; take over from dead workers.

        A job that is going on when this is cancelled is cancelled, too, and leaves the queue.
        """
        for kind, runner in runners.items():
            self._register(kind, runner)
        async with asyncio.TaskGroup() as group:
            for lane in (runners.keys() - _PATIENT, runners.keys() & _PATIENT):
                if lane:
                    group.create_task(self._run_worker(sorted(kind.value for kind in lane)))
            group.create_task(self._take_over())

    def _register(self, kind: LongJobKind, runner: Runner) -> None:
        async def task(context: procrastinate.JobContext, job_id: str) -> None:
            await runner(job_id, context.job.attempts)

        self._app.task(name=kind.value, queue=kind.value, pass_context=True)(task)

    async def _run_worker(self, queues: list[str]) -> None:
        while True:
            # It also ends by itself, without an error, when its connection breaks.
            with _survived("the queue's worker ended, it is started again"):
                await self._app.run_worker_async(
                    queues=queues,
                    concurrency=1,
                    install_signal_handlers=False,
                    listen_notify=True,
                    shutdown_graceful_timeout=0,
                    delete_jobs="always",  # the long job itself is the record
                    fetch_job_polling_interval=self._stalled_s / 5,
                    update_heartbeat_interval=self._stalled_s / 5,
                    stalled_worker_timeout=self._stalled_s,
                )
            await asyncio.sleep(self._stalled_s / 10)

    async def _take_over(self) -> None:
        while True:
            with _survived("stalled jobs not looked for"):
                for job in await self._app.job_manager.get_stalled_jobs(seconds_since_heartbeat=self._stalled_s):
                    log.warning("job of a dead worker begins again", job=job.task_kwargs, attempts=job.attempts + 1)
                    await self._app.job_manager.retry_job(job)
            await asyncio.sleep(self._stalled_s / 4)


@contextmanager
def _translated(doing: str) -> Iterator[None]:
    try:
        yield
    except ConnectorException as error:
        raise Unavailable(
            told("{doing}: the database does not answer ({cause}); is it running?", doing=doing, cause=str(error))
        ) from error


@contextmanager
def _survived(what: str) -> Iterator[None]:
    try:
        yield
    except ConnectorException as error:
        log.warning(what, reason=str(error))
