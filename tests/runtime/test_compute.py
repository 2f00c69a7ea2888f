"""The contract of `plant.ports.Compute`, on both implementations; and what only real processes promise."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from plant.errors import Cancelled, InvalidInput, Unavailable
from plant.ports import Compute
from runtime.compute import InlineCompute, ProcessCompute
from tests.runtime import work_for_compute as work


@pytest.fixture(params=[ProcessCompute, InlineCompute])
def compute(request: pytest.FixtureRequest) -> Compute:
    implementation: Compute = request.param()
    return implementation


def test_returns_the_result_and_reports_progress(compute: Compute) -> None:
    seen: list[tuple[float, str]] = []

    async def run() -> int:
        return await compute.run(work.add, 2, 3, progress=lambda share, doing: seen.append((share, doing)))

    assert asyncio.run(run()) == 5
    assert seen == [(0.5, "adding"), (1.0, "added")]


def test_our_errors_come_through_as_they_are(compute: Compute) -> None:
    with pytest.raises(InvalidInput, match="no such thing: 7"):
        asyncio.run(compute.run(work.refuse, 7))


def test_a_progress_callback_may_cancel(compute: Compute) -> None:
    def cancel(share: float, doing: str) -> None:
        raise Cancelled("enough")

    with pytest.raises(Cancelled):
        asyncio.run(compute.run(work.add, 1, 1, progress=cancel))


def test_a_cancelled_call_leaves_no_process(tmp_path: Path) -> None:
    async def run() -> int:
        started: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def note(share: float, doing: str) -> None:
            started.set_result(int(doing))

        task = asyncio.create_task(ProcessCompute().run(work.never_ends, progress=note))
        pid = await asyncio.wait_for(started, 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return pid

    pid = asyncio.run(run())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_process_that_dies_is_reported() -> None:
    with pytest.raises(Unavailable, match="died"):
        asyncio.run(ProcessCompute().run(work.die))
