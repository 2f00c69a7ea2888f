"""The pages' contract, held against the use cases on a real database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from dashboard.views import Topic
from historian import calibrations, outbox, plans
from historian.database import Historian
from operations import ingest, jobs
from operations import outbox as delivery
from operations.access import current_actor
from plant.actor import SYSTEM, Actor
from plant.calibration import Calibration, Estimate, Parameter
from plant.errors import InvalidInput
from plant.folder import load
from plant.machine_state import MachineState, packml_of
from plant.message import DeliveryState, MessageKind, OutboxMessage, Receipt, new_message_id
from plant.reading import Reading, Signal
from runtime.clock import RealPlantClock, SharedPlantClock
from runtime.compute import InlineCompute
from runtime.live import DatabaseLive
from runtime.views import OperationViews, _working_day
from tests.dashboard.contract import PLANNER, VIEWER, LiveContract, ViewsContract
from tests.operations.shop import (
    MONDAY,
    PLANT,
    RULES,
    VERSION,
    Clock,
    Queue,
    at,
    order,
    plan_version,
    report,
    response,
    with_orders,
)

T = TypeVar("T")
DEADLINE_S = 20
SLOW = Estimate(Parameter.DURATION, "L1", "shaft/10", 1.2, 1.1, 1.3, 12, 1, 1.0)
MADE = Calibration(VERSION.id, MONDAY, MONDAY + timedelta(hours=2), (SLOW,))


class Operations:
    """A site with two plans on an event loop of its own, as the application has one."""

    passing_plan, refused_plan = "plan-1", "plan-2"
    calibration = MADE.id

    def __init__(self, url: str) -> None:
        self._runner = asyncio.Runner()
        self.historian: Historian = self._runner.run(Historian.open(url))
        clock = SharedPlantClock(PLANT, None)
        clock._latest = at(4 * 3600.0)
        self.views = OperationViews(self.historian, clock, Queue(), RULES, InlineCompute())
        self.live = DatabaseLive(self.historian)
        self._listening: asyncio.Task[None] | None = None
        self._runner.run(self._fill())
        self._runner.run(self._listen())

    def ask(self, actor: Actor | None, question: Callable[[], Awaitable[T]]) -> T:
        async def asked() -> T:
            if actor is not None:
                current_actor.set(actor)
            return await question()

        return self._runner.run(asked())

    def close(self) -> None:
        async def close() -> None:
            assert self._listening is not None
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
            await self.historian.close()

        self._runner.run(close())
        self._runner.close()

    async def _fill(self) -> None:
        await with_orders(self.historian, order("CO-1"), order("CO-2"))
        for hour, state in ((1, MachineState.SETUP), (2, MachineState.EXECUTING), (3, MachineState.BREAKDOWN)):
            await self._tell("L1", hour * 3600.0, state)
        await report(self.historian, response("CO-1/1-10", "started", 3600))
        await report(self.historian, response("CO-1/1-10", "progress", 7000, good=2, scrap=1))
        async with self.historian.transaction(SYSTEM, "test") as tx:
            for id_, passed in ((self.passing_plan, True), (self.refused_plan, False)):
                places = (("CO-1/1-20", "MILL", 3600.0), ("CO-2/1-10", "L2", 3600.0))
                await plans.insert(tx, plan_version(id_, *places, passed=passed, made_s=60.0))
            await calibrations.insert(tx, MADE)

    async def _tell(self, machine: str, seconds: float, state: MachineState) -> None:
        number, mode, interlocks = packml_of(state)
        values: dict[str, Any] = {
            Signal.PACKML_STATE: number,
            Signal.PACKML_MODE: mode,
            Signal.INTERLOCKS: interlocks,
            Signal.JOB_ORDER: "CO-1/1-10",
            Signal.GOOD_COUNT: int(seconds // 3600),
            Signal.SCRAP_COUNT: 0,
            "temperature_c": 40.0 + seconds / 3600,
        }
        path = PLANT.machine_path(machine)
        readings = [Reading(f"{path}/{signal}", at(seconds), value) for signal, value in values.items()]
        taken = await ingest.store(
            self.historian, SYSTEM, Clock(at(5 * 3600.0)), ingest.Known.of(PLANT), "line", readings
        )
        assert taken.quarantined == 0

    async def _listen(self) -> None:
        async with self.live.subscribe(frozenset({Topic.CLOCK})) as topics:
            self._listening = asyncio.create_task(self.live.run())
            await asyncio.wait_for(anext(topics), DEADLINE_S)


@pytest.fixture
def subject(database_url: str) -> Iterator[Operations]:
    made = Operations(database_url)
    yield made
    made.close()


class TestOperations(ViewsContract, LiveContract):
    pass


def test_the_floor_shows_what_was_told(subject: Operations) -> None:
    floor = subject.ask(VIEWER, subject.views.floor)
    lathe = next(machine for machine in floor.machines if machine.id == "L1")
    assert (lathe.state, lathe.since) == (MachineState.BREAKDOWN, at(3 * 3600.0))
    assert [(job.job_order, job.good, job.scrap) for job in lathe.jobs] == [("CO-1/1-10", 2, 1)]
    assert [interval.state for interval in lathe.timeline][-3:] == [
        MachineState.SETUP,
        MachineState.EXECUTING,
        MachineState.BREAKDOWN,
    ]
    assert lathe.good == 2  # from the first count told to the last
    assert floor.clock.now == at(4 * 3600.0)
    assert floor.clock.runs_until is None  # it stands


def test_signals_are_asked_for_within_a_year(subject: Operations) -> None:
    seen = subject.ask(VIEWER, lambda: subject.views.signals("L1", 24 * 300))
    assert seen.start == MONDAY + timedelta(hours=4 - 24 * 300)
    for hours in (-1.0, 0.0, 24 * 400.0):
        with pytest.raises(InvalidInput, match="period"):
            subject.ask(VIEWER, lambda wanted=hours: subject.views.signals("L1", wanted))


def test_a_plan_comes_with_its_load_and_what_it_changes(subject: Operations) -> None:
    async def make_next() -> None:
        async with subject.historian.transaction(SYSTEM, "test") as tx:
            places = (("CO-1/1-20", "MILL", 3600.0), ("CO-2/1-10", "L1", 7200.0))
            await plans.insert(tx, plan_version("plan-3", *places, parent="plan-1", made_s=120.0))

    subject.ask(None, make_next)
    first, next_ = (subject.ask(VIEWER, lambda id_=id_: subject.views.plan(id_)) for id_ in ("plan-1", "plan-3"))
    assert (first.before, first.diff, first.frozen_until) == (None, None, None)
    assert next_.before == first.plan
    assert next_.diff is not None
    assert [one.after for one in next_.diff.machines] == ["L1"]
    assert next_.frozen_until == at(120.0 + RULES.frozen_zone_s)
    loads = {one.resource: sum(one.work_s) for one in next_.load.machines}
    assert loads == {"L1": 600.0, "L2": 0.0, "MILL": 600.0, "OVEN": 0.0}
    assert next_.jobs["CO-2/1-10"].machines == ("L1", "L2")


def test_a_real_plants_clock_jumps_over_nothing(subject: Operations) -> None:
    views = OperationViews(subject.historian, RealPlantClock(), Queue(), RULES, InlineCompute())
    clock = subject.ask(VIEWER, views.clock)
    assert (clock.rate, clock.runs_until) == (1.0, None)


def test_a_calibration_is_no_planning_work(subject: Operations) -> None:
    def shown() -> list[str]:
        return [job.subject for job in subject.ask(VIEWER, subject.views.long_jobs)]

    before = shown()
    subject.ask(None, lambda: jobs.request_calibration(subject.historian, Queue(), SYSTEM, "last 30 days"))
    assert shown() == before
    subject.ask(None, lambda: jobs.request_plan(subject.historian, Queue(), SYSTEM, "new orders"))
    assert shown() == ["new orders", *before]


def test_what_the_mes_refused_is_shown_announced_and_sent_again(subject: Operations) -> None:
    async def refuse() -> None:
        message = OutboxMessage(new_message_id(), MessageKind.DISPATCH, "job-order/CO-2/1-10", {"machine": "L9"})
        async with subject.historian.transaction(SYSTEM, "test") as tx:
            await outbox.add(tx, message)
        async with subject.live.subscribe(frozenset({Topic.MESSAGES})) as announcements:
            await delivery.deliver(subject.historian, SYSTEM, Refusing())
            assert await asyncio.wait_for(anext(announcements), DEADLINE_S) is Topic.MESSAGES

    subject.ask(None, refuse)
    (refused,) = subject.ask(VIEWER, subject.views.refused_messages)
    assert (refused.subject, refused.reason) == ("job-order/CO-2/1-10", "unknown machine L9")
    subject.ask(PLANNER, lambda: subject.views.send_again(refused.id))
    assert subject.ask(VIEWER, subject.views.refused_messages) == ()


class Refusing:
    """An MES that knows no machine."""

    async def send(self, kind: str, message_id: str, payload: dict[str, Any]) -> Receipt:
        return Receipt(DeliveryState.REFUSED, f"unknown machine {payload['machine']}")


@pytest.mark.parametrize(
    ("now", "begins", "ends"), [("21:30", "06:00", "22:00"), ("22:30", "06:00", "23:30"), ("04:30", "04:30", "22:00")]
)
def test_the_floor_shows_the_working_day_and_holds_now(now: str, begins: str, ends: str) -> None:
    plant = load(Path(__file__).parents[2] / "plants" / "machine_shop")

    def moment(text: str) -> datetime:
        return datetime.fromisoformat(f"2026-01-06T{text}+08:00")

    assert _working_day(plant, moment(now)) == (moment(begins), moment(ends))
