"""A small factory in memory behind the pages' protocols: what `Views` and `Live` promise, without anything below."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dashboard.shown.clock import ClockView
from dashboard.shown.floor import FloorView, MachineView, OeeView, RunningJob
from dashboard.shown.health import HealthView, MachineHealth, SignalsView
from dashboard.shown.plan import PlannedJob, PlanSummary, PlanView
from dashboard.shown.promise import PromiseOffer, PromiseQuestion, PromiseView
from dashboard.shown.twin import TwinView
from dashboard.views import Topic
from methods.load import Load, LoadProfile
from operations.health import Contribution, SignalHistory
from operations.plan_diff import MachineChange, OrderChange, PlanDiff, TimeChange, sentences
from plant.actor import Actor, Permission, Role
from plant.calendar import Calendar, Shift, Window, WorkingTime
from plant.calibration import (
    ANY_CHANGEOVER,
    Calibration,
    CalibrationSummary,
    Difference,
    Estimate,
    Parameter,
    compare,
)
from plant.errors import Conflict, GateRefused, InvalidInput, NotAuthenticated, NotFound, Unavailable
from plant.learned import Learned, LearnedRecord, Paired
from plant.lock import JobLock
from plant.long_job import LongJob, LongJobKind, LongJobState
from plant.machine_state import MachineState, StateInterval
from plant.message import MessageKind, RefusedMessage
from plant.order import CustomerOrder, Priority
from plant.plan import CostToOthers, Plan, PlanCosts, PlannedOperation, PlanState, Robustness, SolverReport
from plant.plant import PlannedStop
from plant.text import Text, told
from plant.tuning import MoveShares, RuleKind, RuleTuning, Tuning
from plant.verdict import Judgement, MachineVerdict, OrderVerdict, Remedy, RemedyKind, Verdict
from twin.drift import Direction
from twin.fidelity import Coverage, Fidelity, Pit, TimeError
from twin.fidelity_report import FidelityReport, MachineDrift, OeeError
from twin.health import HealthState

ZONE = "Asia/Shanghai"
START = datetime(2026, 1, 4, 22, tzinfo=UTC)  # Monday 06:00 in Shanghai
NOW = START + timedelta(hours=5, minutes=20)
CALENDAR = Calendar(
    "two shifts",
    ZONE,
    (
        Shift("early", (0, 1, 2, 3, 4), time(6), time(14)),
        Shift("late", (0, 1, 2, 3, 4), time(14), time(22)),
    ),
)

actor_now: ContextVar[Actor | None] = ContextVar("actor_now", default=None)
ANNA = Actor("anna", frozenset({Role.PLANNER}))
VIC = Actor("vic", frozenset({Role.VIEWER}))
MIA = Actor("mia", frozenset({Role.MAINTENANCE}))

_MACHINES = (
    ("M01", "CNC lathe 1", "Machining", "turning"),
    ("M02", "CNC lathe 2", "Machining", "turning"),
    ("M03", "CNC lathe 3", "Machining", "turning"),
    ("M04", "Milling centre 1", "Machining", "milling"),
    ("M05", "Milling centre 2", "Machining", "milling"),
    ("M06", "5-axis mill", "Machining", "milling"),
    ("M07", "Surface grinder", "Finishing", "grinding"),
    ("M08", "Cylindrical grinder", "Finishing", "grinding"),
    ("M09", "Hardening oven", "Heat treatment", "hardening"),
    ("M10", "Assembly bench 1", "Assembly", "assembly"),
    ("M11", "Assembly bench 2", "Assembly", "assembly"),
    ("M12", "Inspection <CMM>", "Assembly", "inspection"),
)
_ITEMS = ("Shaft 40 mm", "Gear 24 teeth", "Housing A", "Flange", "Spindle", "Bearing seat")
_PATTERN = (
    (MachineState.SETUP, 20),
    (MachineState.EXECUTING, 75),
    (MachineState.STARVED, 8),
    (MachineState.EXECUTING, 62),
    (MachineState.IDLE, 15),
    (MachineState.SETUP, 25),
    (MachineState.EXECUTING, 90),
    (MachineState.HELD, 6),
)
_NOW_STATES = (
    MachineState.EXECUTING,
    MachineState.EXECUTING,
    MachineState.SETUP,
    MachineState.EXECUTING,
    MachineState.IDLE,
    MachineState.EXECUTING,
    MachineState.STARVED,
    MachineState.PLANNED_STOP,
    MachineState.EXECUTING,
    MachineState.BLOCKED,
    MachineState.EXECUTING,
    MachineState.OFFLINE,
)


_RISK = told(
    "{order} ({priority:word} priority) is on time with a probability of {on_time:percent} "
    "(at least {low:percent} at {confidence:percent} confidence); the gate asks for {threshold:percent}. "
    "It is due {due:moment}; {finish}.",
    order="CO-1004",
    priority="high",
    on_time=0.31,
    low=0.289,
    confidence=0.95,
    threshold=0.8,
    due=datetime(2026, 1, 9, 15, 0, tzinfo=ZoneInfo(ZONE)),
    finish=told(
        "half of the futures finish it by {at:moment}, {late:span} late",
        at=datetime(2026, 1, 10, 0, 30, tzinfo=ZoneInfo(ZONE)),
        late=9.5 * 3600,
    ),
)


class MemoryLive:
    """`Live` within one process; `announce` may be called from any thread."""

    def __init__(self) -> None:
        self._queues: dict[asyncio.Queue[Topic | None], frozenset[Topic]] = {}
        self.loop: asyncio.AbstractEventLoop | None = None

    @property
    def listeners(self) -> int:
        """How many sockets listen now."""
        return len(self._queues)

    @asynccontextmanager
    async def subscribe(self, topics: frozenset[Topic]) -> AsyncIterator[AsyncIterator[Topic]]:
        """Listen; see `dashboard.views.Live`."""
        self.loop = asyncio.get_running_loop()
        queue: asyncio.Queue[Topic | None] = asyncio.Queue()
        self._queues[queue] = topics
        try:
            yield self._drain(queue)
        finally:
            del self._queues[queue]

    async def _drain(self, queue: asyncio.Queue[Topic | None]) -> AsyncIterator[Topic]:
        while (topic := await queue.get()) is not None:
            yield topic

    def announce(self, topic: Topic | None) -> None:
        """Tell everybody; None ends all subscriptions."""
        if self.loop is None:
            return

        def tell() -> None:
            for queue, topics in self._queues.items():
                if topic is None or topic in topics:
                    queue.put_nowait(topic)

        self.loop.call_soon_threadsafe(tell)


class MemoryViews:
    """`Views` on a factory that only tests change."""

    def __init__(self, live: MemoryLive) -> None:
        self.live = live
        self.down = False
        self.machines = {one.id: one for one in (_machine(place) for place in range(len(_MACHINES)))}
        self.plan_views = {view.id: view for view in (_plan("plan-1", late=False), _plan("plan-2", late=True))}
        self.jobs: list[LongJob] = []
        self.quarantined = 3
        self.silent = False
        self.rate = 60.0
        self.unwell: dict[str, float] = {"M04": 0.31, "M07": 0.58}
        self.calibrations: list[Calibration] = [a_calibration(1.12, days=2), a_calibration(1.05, days=1)]
        self.adoptions: list[str] = [self.calibrations[1].id]
        self.measured: FidelityReport | None = fidelity_report()
        self.learned: list[LearnedRecord] = []
        self.refused: list[RefusedMessage] = []
        self.asked: list[str] = []
        self.locks: dict[str, JobLock] = {}
        self.stops: dict[str, PlannedStop] = {}
        self.moved = timedelta(0)

    # What tests do

    def set_state(self, machine: str, state: MachineState, reason: str = "") -> None:
        """Let a machine change state a plant second after the last change, and tell the pages."""
        one = self.machines[machine]
        self.moved += timedelta(seconds=1)
        at = NOW + self.moved
        *before, last = one.timeline
        timeline = (*before, replace(last, ended_at=at), StateInterval(machine, at, None, state, reason))
        self.machines[machine] = replace(one, state=state, reason=reason, since=at, timeline=timeline)
        self.live.announce(Topic.FLOOR)

    def step_job(self, share: float, doing: str, state: LongJobState = LongJobState.RUNNING) -> None:
        """Let the newest long job move on; done makes its plan."""
        result = self._made(self.jobs[0].kind) if state is LongJobState.DONE else None
        self.jobs[0] = replace(self.jobs[0], share=share, doing=doing, state=state, result=result)
        self.live.announce(Topic.JOBS)

    def _made(self, kind: LongJobKind) -> str:
        if kind is LongJobKind.CALIBRATION:
            made = a_calibration(1.3, days=2 + len(self.calibrations))
            self.calibrations.insert(0, made)
            self.live.announce(Topic.TWIN)
            return made.id
        if kind is LongJobKind.LEARNING:
            self.learn(LEARNED)
            return LEARNED.id
        result = f"plan-{len(self.plan_views) + 1}"
        self.plan_views = {result: _plan(result, late=False), **self.plan_views}
        self.live.announce(Topic.PLANS)
        return result

    def learn(self, found: Learned) -> None:
        """Keep what was learned, and adopt it if it is better."""
        before = [replace(one, used_since=None) if found.is_better else one for one in self.learned]
        self.learned = [LearnedRecord(found, NOW, "anna", NOW if found.is_better else None), *before]
        self.live.announce(Topic.TWIN)

    def refuse(self, job_order: str, reason: str) -> str:
        """Let the MES refuse a job order, and return the message's id."""
        message = RefusedMessage(
            f"message-{job_order}",
            MessageKind.DISPATCH,
            f"job-order/{job_order}",
            {"id": job_order, "machine": "M08"},
            reason,
            1,
            NOW,
            NOW,
        )
        self.refused.append(message)
        self.live.announce(Topic.MESSAGES)
        return message.id

    def put_in_force(self, plan_id: str, by: str = "forerun", override_reason: str | None = None) -> None:
        """Release a plan without asking the gate."""
        for other in self.plan_views.values():
            if other.state is PlanState.RELEASED:
                self.plan_views[other.id] = replace(other, state=PlanState.SUPERSEDED)
        self.plan_views[plan_id] = replace(
            self.plan_views[plan_id], state=PlanState.RELEASED, released_by=by, override_reason=override_reason
        )
        self.live.announce(Topic.PLANS)

    # What pages ask

    def _asked(self, permission: Permission | None, what: str) -> Actor:
        actor = actor_now.get()
        if actor is None:
            raise NotAuthenticated("log in first")
        if permission is not None:
            actor.require(permission)
        if self.down:
            raise Unavailable("the historian does not answer; it is tried again")
        self.asked.append(what)
        return actor

    async def me(self) -> Actor:
        actor = actor_now.get()
        if actor is None:
            raise NotAuthenticated("log in first")
        return actor

    def _clock(self) -> ClockView:
        return ClockView("Machine shop", ZONE, NOW, self.rate, START + timedelta(hours=16))

    async def clock(self) -> ClockView:
        self._asked(None, "clock")
        return self._clock()

    async def floor(self) -> FloorView:
        self._asked(Permission.VIEW_FLOOR, "floor")
        machines = tuple(self.machines.values())
        return FloorView(
            clock=self._clock(),
            window=(START, START + timedelta(hours=8)),
            machines=machines,
            oee=OeeView(0.684, 0.811, 0.863, 0.977),
            good=sum(one.good for one in machines),
            scrap=sum(one.scrap for one in machines),
            quarantined=self.quarantined,
            held_up=self._held_up(),
        )

    def _held_up(self) -> str | None:
        newest = max(self.plan_views.values(), key=lambda view: view.id)
        waits = newest.state in (PlanState.PROPOSED, PlanState.REFUSED) and not newest.judgement.passed
        return newest.id if waits else None

    async def plans(self) -> tuple[PlanSummary, ...]:
        self._asked(Permission.VIEW_PLANS, "plans")
        newest_first = sorted(self.plan_views.values(), key=lambda view: view.id, reverse=True)
        return tuple(PlanSummary(view.id, view.made_at, view.reason, view.state) for view in newest_first)

    async def plan(self, plan_id: str) -> PlanView:
        self._asked(Permission.VIEW_PLANS, "plan")
        if plan_id not in self.plan_views:
            raise NotFound(f"there is no plan {plan_id!r}")
        return replace(self.plan_views[plan_id], locks=dict(self.locks))

    async def request_plan(self) -> str:
        return self._request(Permission.MAKE_PLANS, LongJobKind.PLAN, "asked for")

    def _request(self, permission: Permission, kind: LongJobKind, subject: str, near: bool = False) -> str:
        actor = self._asked(permission, f"request {kind}")
        job = LongJob(f"job-{len(self.jobs) + 1}", kind, subject, actor.name, LongJobState.QUEUED, NOW, near=near)
        self.jobs.insert(0, job)
        self.live.announce(Topic.JOBS)
        return job.id

    async def why_not_locked(self, job_order: str, machine: str, start_at: datetime) -> Text | None:
        self._asked(Permission.MAKE_PLANS, "why_not_locked")
        planned = {name: job for view in self.plan_views.values() for name, job in view.jobs.items()}
        if start_at < NOW:
            return told("{start:moment} has passed; choose a later start", start=start_at)
        able = planned[job_order].machines if job_order in planned else ()
        if machine not in able:
            return told("{machine} cannot take {job}; {able:words} can", machine=machine, job=job_order, able=able)
        return None

    async def lock(self, job_order: str, machine: str, start_at: datetime) -> str:
        actor = self._asked(Permission.MAKE_PLANS, "lock")
        if why := await self.why_not_locked(job_order, machine, start_at):
            raise InvalidInput(why)
        self.locks[job_order] = JobLock(job_order, machine, start_at, actor.name)
        self.live.announce(Topic.PLANS)
        return self._request(Permission.MAKE_PLANS, LongJobKind.PLAN, f"{job_order} locked to {machine}", near=True)

    async def unlock(self, job_order: str) -> None:
        self._asked(Permission.MAKE_PLANS, "unlock")
        if self.locks.pop(job_order, None) is None:
            raise NotFound(f"job order {job_order} is not locked")
        self.live.announce(Topic.PLANS)

    async def items(self) -> dict[str, str]:
        self._asked(None, "items")
        return {"SH-20": "Shaft 20", "GR-100": "Gearbox 100"}

    async def promise(self, question: PromiseQuestion) -> PromiseView:
        self._asked(Permission.ENTER_ORDERS, "promise")
        if question.item not in await self.items():
            raise InvalidInput(f"unknown item {question.item!r}")
        done = NOW + timedelta(days=question.quantity)
        on_time = None if question.due_at is None else float(done <= question.due_at)
        said = (told("{machine} decides the date in {share:percent} of the futures.", machine="M04", share=0.72),)
        offer = PromiseOffer(done, done + timedelta(hours=8), done + timedelta(days=1), on_time, said)
        why = (told("{order} must be done by {at:moment}", order="(new)", at=question.due_at),)
        return PromiseView(offer, offer if question.replan else None, why if on_time == 0 else ())

    async def open_orders(self) -> tuple[CustomerOrder, ...]:
        self._asked(Permission.VIEW_ORDERS, "open_orders")
        found = {name: order for view in self.plan_views.values() for name, order in view.orders.items()}
        return tuple(sorted(found.values(), key=lambda order: order.due_at))

    async def why_not(self, orders: Sequence[str], by: datetime | None = None) -> tuple[Text, ...]:
        self._asked(Permission.MAKE_PLANS, "why_not")
        known = {order.id for order in await self.open_orders()}
        if unknown := set(orders) - known:
            raise NotFound(f"no work is left of {', '.join(sorted(unknown))}")
        if by is None or by > NOW:
            return ()
        return tuple(told("{order} must be done by {at:moment}", order=order, at=by) for order in orders)

    async def long_jobs(self, kind: LongJobKind = LongJobKind.PLAN) -> tuple[LongJob, ...]:
        self._asked(Permission.VIEW_PLANS, "long_jobs")
        return tuple(job for job in self.jobs if job.kind is kind)

    async def cancel(self, job_id: str) -> None:
        self._asked(Permission.MAKE_PLANS, "cancel")
        self.jobs = [replace(job, state=LongJobState.CANCELLED) if job.id == job_id else job for job in self.jobs]
        self.live.announce(Topic.JOBS)

    async def release(self, plan_id: str, override_reason: str | None = None) -> None:
        actor = self._asked(Permission.RELEASE_PLANS, "release")
        view = await self.plan(plan_id)
        if view.state is PlanState.RELEASED:
            raise Conflict(f"{plan_id} is released already")
        if override_reason is not None:
            actor.require(Permission.OVERRIDE_GATE)
            if not override_reason.strip():
                raise InvalidInput("an override needs a written reason")
        elif not view.judgement.passed:
            raise GateRefused(view.judgement.reasons)
        self.put_in_force(plan_id, actor.name, override_reason)

    async def twin(self) -> TwinView:
        self._asked(Permission.VIEW_PLANS, "twin")
        return TwinView(
            self._clock(), tuple(self._summary(one) for one in self.calibrations), self.measured, tuple(self.learned)
        )

    def _summary(self, one: Calibration) -> CalibrationSummary:
        adopted = bool(self.adoptions) and self.adoptions[-1] == one.id
        return CalibrationSummary(one.id, "pv-1", one.since, one.until, NOW, "anna", len(one.estimates), adopted)

    def _calibration(self, calibration_id: str) -> Calibration:
        found = next((one for one in self.calibrations if one.id == calibration_id), None)
        if found is None:
            raise NotFound(f"unknown calibration {calibration_id!r}")
        return found

    async def differences(self, before: str | None, after: str) -> tuple[Difference, ...]:
        self._asked(Permission.VIEW_PLANS, "differences")
        return compare(None if before is None else self._calibration(before), self._calibration(after))

    async def request_calibration(self, days: float) -> str:
        return self._request(Permission.CALIBRATE_TWIN, LongJobKind.CALIBRATION, f"last {days:g} days")

    async def request_learning(self) -> str:
        return self._request(Permission.CALIBRATE_TWIN, LongJobKind.LEARNING, "how plans are found best")

    async def unlearn(self) -> None:
        self._asked(Permission.CALIBRATE_TWIN, "unlearn")
        if not any(one.used_since for one in self.learned):
            raise Conflict("nothing that was learned is in use: there is nothing to go back from")
        self.learned = [replace(one, used_since=None) for one in self.learned]
        self.live.announce(Topic.TWIN)

    async def adopt(self, calibration_id: str) -> None:
        self._asked(Permission.CALIBRATE_TWIN, "adopt")
        self.adoptions.append(self._calibration(calibration_id).id)
        self.live.announce(Topic.TWIN)

    async def roll_back(self) -> str | None:
        self._asked(Permission.CALIBRATE_TWIN, "roll_back")
        if not self.adoptions:
            raise Conflict("no calibration is in use: there is nothing to go back from")
        self.adoptions.pop()
        self.live.announce(Topic.TWIN)
        return self.adoptions[-1] if self.adoptions else None

    async def measure_twin(self) -> None:
        self._asked(Permission.MAKE_PLANS, "measure_twin")
        self.measured = fidelity_report()
        self.live.announce(Topic.TWIN)

    async def refused_messages(self) -> tuple[RefusedMessage, ...]:
        self._asked(Permission.VIEW_ORDERS, "refused_messages")
        return tuple(self.refused)

    async def send_again(self, message_id: str) -> None:
        self._asked(Permission.RELEASE_PLANS, "send_again")
        if message_id not in {one.id for one in self.refused}:
            raise NotFound(f"no refused message {message_id!r} waits")
        self.refused = [one for one in self.refused if one.id != message_id]
        self.live.announce(Topic.MESSAGES)

    async def health(self) -> HealthView:
        self._asked(Permission.VIEW_HEALTH, "health")
        machines = () if self.silent else tuple(self._health(one) for one in self.machines.values())
        names = {name: one.name for name, one in self.machines.items()}
        return HealthView(self._clock(), machines, names, dict(self.stops))

    async def plan_stop(self, machine: str, start: datetime, end: datetime) -> None:
        self._asked(Permission.PLAN_STOPS, "plan_stop")
        if end < NOW:
            raise InvalidInput(f"the stop of {machine} was over; plan one that is not")
        self.stops[machine] = PlannedStop(start, end)
        self.live.announce(Topic.HEALTH)

    async def call_off_stop(self, machine: str) -> None:
        self._asked(Permission.PLAN_STOPS, "call_off_stop")
        if self.stops.pop(machine, None) is None:
            raise NotFound(f"no stop of {machine} is planned")
        self.live.announce(Topic.HEALTH)

    def _health(self, one: MachineView) -> MachineHealth:
        if one.state is MachineState.OFFLINE:
            return MachineHealth(one.id, one.name, one.area, None, HealthState.UNKNOWN, (), None)
        index = self.unwell.get(one.id, 0.86 + int(one.id[1:]) / 100)
        state = HealthState.ACT if index < 0.4 else HealthState.WATCH if index < 0.7 else HealthState.GOOD
        taken = 1 - index
        shares = (("vibration_mm_s", 0.7, 4.3), ("temperature_c", 0.25, 61.2), ("power_kw", 0.05, 7.4))
        contributions = tuple(Contribution(signal, taken * part, value) for signal, part, value in shares)
        return MachineHealth(one.id, one.name, one.area, index, state, contributions, NOW)

    async def signals(self, machine: str, hours: float) -> SignalsView:
        self._asked(Permission.VIEW_HEALTH, "signals")
        if machine not in self.machines:
            raise NotFound(f"unknown machine {machine!r}")
        count = 240
        times = tuple(NOW - timedelta(hours=hours) * (1 - k / count) for k in range(count + 1))
        drift = 1.6 if machine in self.unwell else 0.1

        def wave(base: float, size: float, grows: float) -> tuple[float | None, ...]:
            values = [
                base + size * math.sin(k / 3.1) * math.cos(k / 7.7) + grows * (k / count) ** 3 for k in range(count + 1)
            ]
            return tuple(None if 100 <= k < 108 else value for k, value in enumerate(values))

        columns = (
            SignalHistory("temperature_c", times, wave(48, 1.8, 8 * drift), None, 60.0),
            SignalHistory("vibration_mm_s", times, wave(1.9, 0.25, 1.6 * drift), None, 3.5),
            SignalHistory("power_kw", times, wave(6.8, 0.6, 0.5 * drift), 2.0, 9.0),
        )
        return SignalsView(machine, NOW - timedelta(hours=hours), NOW, columns)


LEARNED = Learned(
    plant_version="pv-1",
    tuning=Tuning(RuleTuning(RuleKind.ATC, 120.0, 0.02, 0.5), MoveShares(gather=0.25, elsewhere=0.15)),
    unlearned=Paired(36_000.0, 50_400.0, 7_200.0, 0.95, 40, 29, 7),
    used=None,
    calibration=None,
    since=NOW - timedelta(days=30),
    until=NOW,
    orders=44,
    candidates=32,
    seed=1,
)
"""Better than the unlearned by 4 h, give or take 2."""


def a_calibration(slowness: float, days: int) -> Calibration:
    """Return a calibration of all machines that finds them slower than planned."""
    estimates = [
        Estimate(Parameter.DURATION, ident, f"P-{step % 6}/10", value, value - 0.04, value + 0.05, 40 + step, 2, 1.0)
        for step, (ident, *_) in enumerate(_MACHINES)
        for value in [1 + (slowness - 1) * (step % 4)]
    ]
    between = Estimate(Parameter.TIME_BETWEEN_FAILURES, "M04", "", 9e4 / slowness, 6e4, 2e5, 4, 1, 1.2e5)
    scrap = Estimate(Parameter.SCRAP, None, "P-1/20", 0.01 * slowness, 0.005, 0.03, 800, 0, 0.02)
    anywhere = Estimate(Parameter.SETUP, "M01", ANY_CHANGEOVER, slowness, 0.9, 1.5, 12, 0, 1.0)
    until = START + timedelta(days=days - 3)
    return Calibration("pv-1", until - timedelta(days=30), until, (*estimates, between, scrap, anywhere))


def fidelity_report() -> FidelityReport:
    """Return a measurement: job orders take longer than predicted, and a grinder has drifted."""
    coverage = (
        Coverage(0.5, 412, 171, 0.415, 0.368, 0.463),
        Coverage(0.8, 398, 306, 0.769, 0.725, 0.808),
        Coverage(0.95, 371, 351, 0.946, 0.918, 0.965),
    )
    mass = (0.06, 0.07, 0.08, 0.09, 0.1, 0.1, 0.11, 0.12, 0.13, 0.14)
    pit = Pit(tuple(412 - 38 * k for k in range(10)), (25, 28, 33, 37, 41, 41, 45, 49, 53, 60), mass, 0.002)
    jobs = Fidelity(9, 431, 388, 43, coverage, 1260.0, TimeError(371, 4, 840.0, 2100.0), pit)
    few = tuple(replace(one, cases=24, inside=20, share=20 / 24, low=0.64, high=0.96) for one in coverage[:2])
    none = Coverage(0.95, 0, 0, None, None, None)
    thin = replace(pit, mass=(0.2, 0.15, 0.1, 0.1, 0.1, None, None, None, None, None), p_value=None)
    orders = Fidelity(9, 57, 24, 33, (*few, none), 5400.0, TimeError(24, 0, -1500.0, 6400.0), thin)
    drift = (MachineDrift("M07", "P-3", "30", Direction.LONGER, NOW - timedelta(days=2), NOW, 0.7),)
    return FidelityReport(NOW, NOW - timedelta(days=14), orders, jobs, OeeError(60, -0.031, 0.062), 87, drift, START)


def _machine(place: int) -> MachineView:
    ident, name, area, center = _MACHINES[place]
    timeline, at = [], START
    for step in range(40):
        state, minutes = _PATTERN[(step + 3 * place) % len(_PATTERN)]
        end = at + timedelta(minutes=minutes + place)
        if end >= NOW - timedelta(minutes=4 * place + 3):
            break
        timeline.append(StateInterval(ident, at, end, state, "", f"CO-10{place:02d}/1-10"))
        at = end
    state = _NOW_STATES[place]
    reason = "no components at M10" if state is MachineState.BLOCKED else ""
    timeline.append(StateInterval(ident, at, None, state, reason))
    running = state in (MachineState.EXECUTING, MachineState.SETUP, MachineState.STARVED, MachineState.BLOCKED)
    size = 3 if ident == "M09" else 1
    jobs = tuple(
        RunningJob(
            f"CO-10{place + 10 * k:02d}/1-{10 * (1 + place % 4)}",
            f"P-{place % 6}",
            _ITEMS[(place + k) % 6],
            center,
            40 + 5 * place,
            9 + 3 * place,
            place % 3,
        )
        for k in range(size if running else 0)
    )
    known = state is not MachineState.OFFLINE
    figures = (0.78 - place / 45, 0.9 - place / 60, 0.91, 0.985 - place / 300)
    oee = OeeView(*figures) if known else OeeView(None, None, None, None)
    good = (150 - 9 * place) if known else 0
    return MachineView(ident, name, area, center, state, reason, at, jobs, good, place % 3, oee, tuple(timeline))


_MOVED = told("{job} on {machine} instead of {here}", job="CO-1004/1-20", machine="M05", here="M08")
_NEW_DATE = datetime(2026, 1, 12, 8, tzinfo=ZoneInfo(ZONE))
_REMEDIES = (
    Remedy("CO-1004", RemedyKind.ALTERNATIVE, _MOVED, 60.0, 0.934, 0.917),
    Remedy(
        "CO-1004",
        RemedyKind.PROMISE,
        told("promise {order} for {due:moment}", order="CO-1004", due=_NEW_DATE),
        400.0,
        0.925,
        0.907,
    ),
)
_PAID = Robustness(0.5, 6, 1.02e6, 5400.0, 9000.0, 1, 1e6, 0.0, 43200.0, 3)


def _plan(plan_id: str, *, late: bool) -> PlanView:
    windows = tuple(CALENDAR.windows(START, START + timedelta(days=14)))
    seconds = [((a - START).total_seconds(), (b - START).total_seconds()) for a, b in windows]
    working = WorkingTime.of(seconds)
    machines = {ident: name for ident, name, _, _ in _MACHINES}
    free = dict.fromkeys(machines, (NOW - START).total_seconds())
    operations: list[PlannedOperation] = []
    jobs: dict[str, PlannedJob] = {}
    orders: dict[str, CustomerOrder] = {}
    verdicts: list[OrderVerdict] = []
    for n in range(26):
        order = f"CO-{1001 + n}"
        ready = (NOW - START).total_seconds() + 900 * n
        route = [f"M{1 + (n + k * 3) % 12:02d}" for k in range(3 + n % 4)]
        for k, machine in enumerate(route):
            setup = 900.0 if (n + k) % 3 else 0.0
            begin = working.finish(max(ready, free[machine]), setup)
            end = working.finish(begin, 2400.0 + 700 * ((n * 7 + k * 3) % 9))
            name = f"{order}/1-{10 * (k + 1)}"
            position = sum(1 for other in operations if other.machine == machine)
            operations.append(PlannedOperation(name, machine, position, begin, end, setup))
            operation = ("turn", "mill", "grind")[k % 3]
            jobs[name] = PlannedJob(order, f"P-{n % 6}", _ITEMS[n % 6], operation, 20 + n, (machine, "M12"))
            free[machine] = ready = end
        done = START + timedelta(seconds=ready)
        share = (0.31 if late else 0.88) if n == 3 else max(0.62, 0.999 - 0.004 * n * (n % 4 == 0))
        due = done + timedelta(hours=-9 if late and n == 3 else 30 - n / 2)
        priority = Priority.HIGH if n % 5 == 3 else Priority.NORMAL
        orders[order] = CustomerOrder(
            order, ("Acme & Söhne", "北方机械", "Norrland <AB>")[n % 3], f"P-{n % 6}", 20 + n, START, due, priority
        )
        late_s = 3600.0 * 9 * (1 - share) if share < 0.9 else 0.0
        spread = [done + timedelta(hours=h) for h in (1, 5, 12)]
        verdicts.append(OrderVerdict(order, due, share, max(share - 0.03, 0.0), *spread, late_s))
    risk = told("{risk} The plan in force does better for it: {before:percent}.", risk=_RISK, before=0.412)
    reasons = (risk,) if late else ()
    notes = () if late else (told("{risk} The plan in force does not cover it.", risk=_RISK),)
    return PlanView(
        id=plan_id,
        clock=ClockView("Machine shop", ZONE, NOW, 60.0, None),
        made_at=NOW - timedelta(minutes=30 if late else 90),
        reason=told("breakdown of {machines}", machines="M03") if late else told("first plan"),
        state=PlanState.PROPOSED,
        plan=Plan(START, tuple(operations)),
        solver=SolverReport(
            "cp-sat",
            "feasible",
            5400.0 if late else 0.0,
            max(op.end_s for op in operations),
            8.2,
            1,
            costs=PlanCosts(9 * 3600.0, 40 * 86400.0, 7200.0, 1234.5, 3600.0),
            to_others={name: CostToOthers(1800.0 * (n % 4), 5400.0 * (n % 4)) for n, name in enumerate(orders)},
        ),
        verdict=Verdict("replay", 1000, 1, tuple(verdicts), (MachineVerdict("M04", 0.91, 0.7, 0.4),), 0.71, "M04"),
        judgement=Judgement(not late, reasons, notes, _REMEDIES if late else ()),
        robustness=_PAID if late else replace(_PAID, spread=None),
        machines=machines,
        jobs=jobs,
        orders=orders,
        windows=dict.fromkeys(machines, windows),
        load=_load(START, [(name, windows) for name in machines], operations),
        **(_difference(plan_id, operations) if late else {}),
    )


def _difference(plan_id: str, operations: list[PlannedOperation]) -> dict[str, Any]:
    """Return what a plan changes against one that had its first operation elsewhere and its last order earlier."""
    first, last = operations[0], operations[-1]
    where, when = replace(first, machine="M02", position=99), replace(last, start_s=last.start_s - 7200.0)
    before = Plan(START, (where, *operations[1:-1], when))
    machine = MachineChange(first.job_order, "M02", first.machine)
    order = OrderChange("CO-1026", NOW, NOW + timedelta(hours=2), -7200.0, 0.99, 0.97)
    time_ = TimeChange(last.job_order, last.machine, -7200.0)
    diff = PlanDiff(plan_id, "plan-0", (order,), (machine,), (), (), (time_,))
    return {
        "before": before,
        "diff": diff,
        "changes": sentences(diff, ZoneInfo(ZONE)),
        "frozen_until": NOW + timedelta(hours=1),
    }


def _load(
    epoch: datetime, machines: list[tuple[str, tuple[Window, ...]]], operations: list[PlannedOperation]
) -> LoadProfile:
    """Return a load profile of one period, with one skill."""
    end_s = max(one.end_s for one in operations)
    period = epoch, epoch + timedelta(seconds=end_s)
    loads = []
    for name, windows in machines:
        mine = [one for one in operations if one.machine == name]
        there_s = sum((end - start).total_seconds() for start, end in windows)
        loads.append(Load(name, (sum(one.end_s - one.start_s for one in mine),), (900.0 * len(mine),), (there_s,)))
    return LoadProfile((period,), tuple(loads), (Load("grinding", (3600.0,), (0.0,), (28800.0,)),))
