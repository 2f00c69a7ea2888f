"""The worker on a real queue and database: plans by itself, releases, dispatches, delivers, goes on after failures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from historian import outbox
from historian.database import Historian
from operations import calibration, dispatch, fidelity, ingest, jobs, learning, planning
from operations.learner import LearningSettings
from plant.actor import SYSTEM
from plant.errors import Unavailable
from plant.long_job import LongJobState
from plant.machine_state import MachineState, packml_of
from plant.message import DeliveryState, Receipt
from plant.order import JobState
from plant.plan import PlanState
from plant.reading import Reading, Signal
from runtime import worker as workers
from runtime.compute import InlineCompute
from runtime.jobs import ProcrastinateQueue
from runtime.worker import Worker
from tests.operations.past import with_history
from tests.operations.shop import PLANNER, PLANT, RULES, Clock, at, enter, order, with_orders
from tests.operations.shop import jobs as job_orders

DEADLINE_S = 60


class Mes:
    """An MES that takes everything, after a while."""

    def __init__(self, failures: int = 0) -> None:
        self.taken: dict[str, str] = {}
        self._failures = failures

    async def send(self, kind: str, message_id: str, payload: dict[str, Any]) -> Receipt:
        if self._failures:
            self._failures -= 1
            raise Unavailable("not yet")
        self.taken[payload["id"]] = payload["machine"]
        return Receipt(DeliveryState.DELIVERED)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_TICK_S", 0.1)
    monkeypatch.setattr(workers, "_RESUME_S", 0.5)


@asynccontextmanager
async def _working(historian: Historian, url: str, clock: Clock, mes: Mes) -> AsyncIterator[None]:
    async with ProcrastinateQueue(url) as queue:
        await queue.migrate()
        worker = Worker(historian, queue, InlineCompute(), clock, RULES, mes, True, timedelta(days=30))
        task = asyncio.create_task(worker.run())
        try:
            yield
        finally:
            assert not task.done(), task.exception()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asyncio.wait_for(task, DEADLINE_S)


async def _until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not await holds():  # noqa: ASYNC110 - the database is asked
            await asyncio.sleep(0.02)


async def _break(historian: Historian, machine: str, seconds: float) -> None:
    number, mode, interlocks = packml_of(MachineState.BREAKDOWN)
    values = {Signal.PACKML_STATE: number, Signal.PACKML_MODE: mode, Signal.INTERLOCKS: interlocks}
    readings = [Reading(f"{PLANT.machine_path(machine)}/{name}", at(seconds), value) for name, value in values.items()]
    await ingest.store(historian, SYSTEM, Clock(at(seconds)), ingest.Known.of(PLANT), "line", readings)


async def test_from_an_order_to_the_mes_and_once_more_after_a_breakdown(
    historian: Historian, database_url: str
) -> None:
    await with_orders(historian)
    clock, mes = Clock(at(60)), Mes(failures=1)

    async def plans() -> list[PlanState]:
        return [one.state for one in await planning.list_plans(historian, PLANNER)]

    async def first_is_out() -> bool:
        return set(mes.taken) == {"CO-1/1-10", "CO-1/1-20"}

    async def replanned() -> bool:
        return await plans() == [PlanState.RELEASED, PlanState.SUPERSEDED, PlanState.SUPERSEDED]

    async with _working(historian, database_url, clock, mes):
        await enter(historian, order("CO-1"))
        await _until(first_is_out)
        assert await plans() == [PlanState.RELEASED]
        states = {progress.state for progress in (await job_orders(historian)).values()}
        assert states == {JobState.DISPATCHED}
        clock.moment = at(600)
        broken = mes.taken["CO-1/1-10"]
        await _break(historian, broken, 500)
        await _until(replanned)
        newest, repaired, _ = await planning.list_plans(historian, PLANNER)
        assert str(newest.reason).startswith(f"breakdown of {broken} (")
        assert str(repaired.reason).startswith(f"repair of the plan in force: breakdown of {broken} (")
    made = [job for job in await jobs.newest(historian, PLANNER) if job.state is LongJobState.DONE]
    assert len(made) == 2


async def test_being_stopped_is_heard_at_the_moment_of_a_notice() -> None:
    wake = asyncio.Event()
    waiting = asyncio.create_task(workers._wait(wake, DEADLINE_S))
    await asyncio.sleep(0.01)
    wake.set()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_what_another_worker_left_behind_is_done(historian: Historian, database_url: str) -> None:
    class Lost:
        async def defer(self, kind: str, job_id: str) -> None:
            """Die before the queue has it."""

    await with_orders(historian, order("CO-1"))
    job = await jobs.request_plan(historian, Lost(), PLANNER, "asked for before the crash")

    async def done() -> bool:
        return (await jobs.get(historian, PLANNER, job.id)).state is LongJobState.DONE

    async with _working(historian, database_url, Clock(at(60)), Mes()):
        await _until(done)
    (made,) = await planning.list_plans(historian, PLANNER)
    assert (made.reason, made.state) == ("asked for before the crash", PlanState.PROPOSED)  # a planner releases it


async def test_a_database_that_is_away_for_a_moment_is_waited_for(
    historian: Historian, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await with_orders(historian, order("CO-1"))
    mes, due, failures = Mes(), dispatch.dispatch_due, 3

    async def shaky(*args: Any) -> int:
        nonlocal failures
        if failures:
            failures -= 1
            raise Unavailable("restarting")
        return await due(*args)

    monkeypatch.setattr(dispatch, "dispatch_due", shaky)

    async def delivered() -> bool:
        async with historian.transaction(SYSTEM, "test") as tx:
            return len(mes.taken) == 2 and failures == 0 and await outbox.pending(tx) == 0

    async with _working(historian, database_url, Clock(at(60)), mes):
        await _until(delivered)


async def test_a_calibration_that_is_asked_for_is_made_by_the_worker(historian: Historian, database_url: str) -> None:
    clock = await with_history(historian)

    async with _working(historian, database_url, clock, Mes()), ProcrastinateQueue(database_url) as queue:
        asked = await jobs.request_calibration(historian, queue, PLANNER, calibration.subject_of(30))

        async def has_ended() -> bool:
            return (await jobs.get(historian, PLANNER, asked.id)).state.ended

        await _until(has_ended)
    ended = await jobs.get(historian, PLANNER, asked.id)
    assert ended.state is LongJobState.DONE
    assert ended.result == (await calibration.list_calibrations(historian, PLANNER))[0].id


async def test_learning_that_is_asked_for_is_done_by_the_worker(
    historian: Historian, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    little = LearningSettings(candidates=2, first_cases=1, cases=10, effort=0.001, replications=4)
    monkeypatch.setattr(workers, "LearningSettings", lambda: little)
    clock = await with_history(historian)

    async with _working(historian, database_url, clock, Mes()), ProcrastinateQueue(database_url) as queue:
        asked = await jobs.request_learning(historian, queue, PLANNER)

        async def has_ended() -> bool:
            return (await jobs.get(historian, PLANNER, asked.id)).state.ended

        await _until(has_ended)
    ended = await jobs.get(historian, PLANNER, asked.id)
    assert ended.state is LongJobState.DONE, ended.error
    assert ended.result == (await learning.list_learned(historian, PLANNER))[0].learned.id


async def test_the_twin_is_compiled_before_anything_is_planned_and_measured_anew_when_calibrated(
    historian: Historian, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []

    async def run(self: InlineCompute, function: Callable[..., Any], *args: Any, **named: Any) -> Any:
        begun.append(function.__name__)
        return await asyncio.to_thread(function, *args, **named)

    monkeypatch.setattr(InlineCompute, "run", run)
    clock = await with_history(historian)
    made = await calibration.make(historian, InlineCompute(), clock, PLANNER, 30)
    begun.clear()
    await fidelity.measure(historian, PLANNER, clock)

    async def is_new() -> bool:
        found = await fidelity.newest(historian, PLANNER)
        return found is not None and found.charts_since == made.until

    async with _working(historian, database_url, clock, Mes()):
        await calibration.adopt(historian, PLANNER, made.id)
        await _until(is_new)
    assert begun[0] == "warm_up"
