"""Long jobs on procrastinate: a durable queue in the same PostgreSQL (its schema is its own)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import TracebackType

import procrastinate
from procrastinate.exceptions import AlreadyEnqueued

from plant.long_job import LongJobKind

Runner = Callable[[str], Awaitable[None]]
"""Runs the long job of this id to its end."""

_TABLE = "procrastinate_jobs"


class ProcrastinateQueue:
    """The queue of long jobs at a PostgreSQL URL."""

    def __init__(self, url: str) -> None:
        self._app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url, min_size=1, max_size=4))

    async def __aenter__(self) -> ProcrastinateQueue:
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
        """Enqueue a long job; see `plant.ports.JobQueue`. Enqueueing it again changes nothing."""
        try:
            await self._app.configure_task(kind, queue=kind, queueing_lock=job_id).defer_async(job_id=job_id)
        except AlreadyEnqueued:
            return

    async def work(self, runners: dict[LongJobKind, Runner]) -> None:
        """Run long jobs, one of each kind at a time, until cancelled."""
        for kind, runner in runners.items():
            self._register(kind, runner)
        await self._app.run_worker_async(
            queues=[kind.value for kind in runners], concurrency=1, install_signal_handlers=False, listen_notify=True
        )

    def _register(self, kind: LongJobKind, runner: Runner) -> None:
        async def task(job_id: str) -> None:
            await runner(job_id)

        self._app.task(name=kind.value, queue=kind.value)(task)
