"""What every `Views` and `Live` must do. Subclass with a `subject` fixture: here on memory, at the top on operations.

The subject is a site with at least one machine, two plans nobody has released, one the gate lets out, one it does not,
and a calibration that is not in use.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeVar

import pytest

from dashboard.shown.promise import PromiseQuestion
from dashboard.views import Live, Topic, Views
from plant.actor import Actor, Role
from plant.errors import Conflict, Denied, GateRefused, InvalidInput, NotAuthenticated, NotFound
from plant.long_job import LongJobKind, LongJobState
from plant.plan import PlanState
from plant.plant import PlannedStop
from twin.health import HealthState

T = TypeVar("T")
PLANNER = Actor("anna", frozenset({Role.PLANNER}))
VIEWER = Actor("vic", frozenset({Role.VIEWER}))
SUPPLIER = Actor("sue", frozenset({Role.SUPPLIER}))
DEADLINE_S = 10
AN_HOUR = datetime(2026, 1, 6, 4, tzinfo=UTC)


class Subject(Protocol):
    """What the contract is held against."""

    views: Views
    live: Live
    passing_plan: str
    refused_plan: str
    calibration: str

    def ask(self, actor: Actor | None, question: Callable[[], Awaitable[T]]) -> T:
        """Run `question` as `actor` (None: nobody is known to be asking) on the subject's event loop."""
        ...


class ViewsContract:
    """Hold this for every implementation of `dashboard.views.Views`."""

    @pytest.mark.parametrize(
        "what", ["me", "clock", "floor", "plans", "items", "long_jobs", "health", "twin", "refused_messages"]
    )
    def test_nobody_unknown_sees_anything(self, subject: Subject, what: str) -> None:
        with pytest.raises(NotAuthenticated):
            subject.ask(None, getattr(subject.views, what))

    @pytest.mark.parametrize("what", ["floor", "plans", "long_jobs", "health", "twin", "refused_messages"])
    def test_a_role_without_the_permission_is_denied(self, subject: Subject, what: str) -> None:
        with pytest.raises(Denied):
            subject.ask(SUPPLIER, getattr(subject.views, what))

    def test_who_asks_is_told_who_they_are(self, subject: Subject) -> None:
        assert subject.ask(VIEWER, subject.views.me) == VIEWER

    def test_the_floor_holds_together(self, subject: Subject) -> None:
        floor = subject.ask(VIEWER, subject.views.floor)
        start, end = floor.window
        assert start <= floor.clock.now <= end
        assert end - start >= timedelta(hours=1), "the window is the whole shift or day, not what has passed of it"
        assert len({machine.id for machine in floor.machines}) == len(floor.machines) > 0
        assert (floor.good, floor.scrap) == tuple(
            sum(getattr(machine, kind) for machine in floor.machines) for kind in ("good", "scrap")
        )
        for machine in floor.machines:
            for before, after in zip(machine.timeline, machine.timeline[1:], strict=False):
                assert before.ended_at == after.started_at
            if machine.timeline:
                last = machine.timeline[-1]
                assert (last.ended_at, last.state) == (None, machine.state)

    def test_plans_come_newest_first_and_can_be_opened(self, subject: Subject) -> None:
        plans = subject.ask(VIEWER, subject.views.plans)
        assert {subject.passing_plan, subject.refused_plan} <= {plan.id for plan in plans}
        assert [plan.made_at for plan in plans] == sorted((plan.made_at for plan in plans), reverse=True)
        for summary in plans[:3]:
            view = subject.ask(VIEWER, lambda plan_id=summary.id: subject.views.plan(plan_id))
            assert (view.id, view.state, view.reason) == (summary.id, summary.state, summary.reason)
            assert {operation.job_order for operation in view.plan.operations} <= set(view.jobs)
            assert {operation.machine for operation in view.plan.operations} <= set(view.machines)
            assert {order.order for order in view.verdict.orders} <= set(view.orders)

    def test_what_does_not_exist_is_not_found(self, subject: Subject) -> None:
        with pytest.raises(NotFound):
            subject.ask(VIEWER, lambda: subject.views.plan("no such plan"))
        with pytest.raises(NotFound):
            subject.ask(VIEWER, lambda: subject.views.signals("no such machine", 8))
        for other in (None, subject.calibration):
            with pytest.raises(NotFound):
                subject.ask(VIEWER, lambda other=other: subject.views.differences(other, "no such calibration"))
        with pytest.raises(NotFound):
            subject.ask(PLANNER, lambda: subject.views.adopt("no such calibration"))
        with pytest.raises(NotFound):
            subject.ask(PLANNER, lambda: subject.views.send_again("no such message"))
        with pytest.raises(NotFound):
            subject.ask(PLANNER, lambda: subject.views.unlock("no such job order"))
        with pytest.raises(NotFound):
            subject.ask(PLANNER, lambda: subject.views.call_off_stop("no such machine"))

    def test_a_viewer_changes_nothing(self, subject: Subject) -> None:
        views = subject.views
        changes: list[Callable[[], Awaitable[object]]] = [
            views.request_plan,
            lambda: views.release(subject.passing_plan),
            lambda: views.cancel("any"),
            lambda: views.request_calibration(30),
            lambda: views.adopt(subject.calibration),
            views.request_learning,
            views.unlearn,
            views.roll_back,
            views.measure_twin,
            lambda: views.send_again("any"),
            lambda: views.lock("any", "any", AN_HOUR),
            lambda: views.why_not_locked("any", "any", AN_HOUR),
            lambda: views.unlock("any"),
            lambda: views.plan_stop("any", AN_HOUR, AN_HOUR + timedelta(hours=1)),
            lambda: views.call_off_stop("any"),
        ]
        for change in changes:
            with pytest.raises(Denied):
                subject.ask(VIEWER, change)

    def test_a_planned_stop_is_shown_until_it_is_called_off(self, subject: Subject) -> None:
        views = subject.views
        view = subject.ask(PLANNER, views.health)
        machine, start = next(iter(view.names)), view.clock.now + timedelta(hours=3)
        subject.ask(PLANNER, lambda: views.plan_stop(machine, start, start + timedelta(hours=2)))
        assert subject.ask(VIEWER, views.health).stops == {machine: PlannedStop(start, start + timedelta(hours=2))}
        subject.ask(PLANNER, lambda: views.call_off_stop(machine))
        assert subject.ask(VIEWER, views.health).stops == {}

    def test_a_lock_is_shown_with_every_plan_asks_for_one_and_can_be_taken_off(self, subject: Subject) -> None:
        views = subject.views
        view = subject.ask(PLANNER, lambda: views.plan(subject.passing_plan))
        job = view.plan.operations[-1].job_order
        machine, start = view.jobs[job].machines[0], view.clock.now + timedelta(hours=26)
        assert subject.ask(PLANNER, lambda: views.why_not_locked(job, machine, start)) is None
        long_job = subject.ask(PLANNER, lambda: views.lock(job, machine, start))
        asked = subject.ask(VIEWER, views.long_jobs)[0]
        assert (asked.id, asked.near) == (long_job, True)
        lock = subject.ask(VIEWER, lambda: views.plan(subject.passing_plan)).locks[job]
        assert (lock.machine, lock.start_at, lock.locked_by) == (machine, start, PLANNER.name)
        subject.ask(PLANNER, lambda: views.unlock(job))
        assert not subject.ask(VIEWER, lambda: views.plan(subject.passing_plan)).locks

    def test_a_lock_that_is_impossible_is_refused_with_what_stands_in_the_way(self, subject: Subject) -> None:
        views = subject.views
        view = subject.ask(PLANNER, lambda: views.plan(subject.passing_plan))
        job, past = view.plan.operations[-1].job_order, view.clock.now - timedelta(hours=1)
        for machine, start in ((view.jobs[job].machines[0], past), ("no such machine", view.clock.now)):
            why = subject.ask(PLANNER, lambda machine=machine, start=start: views.why_not_locked(job, machine, start))
            with pytest.raises(InvalidInput) as refusal:
                subject.ask(PLANNER, lambda machine=machine, start=start: views.lock(job, machine, start))
            assert refusal.value.text == why

    def test_the_gate_refuses_with_its_reasons(self, subject: Subject) -> None:
        view = subject.ask(PLANNER, lambda: subject.views.plan(subject.refused_plan))
        assert not view.judgement.passed
        with pytest.raises(GateRefused) as refusal:
            subject.ask(PLANNER, lambda: subject.views.release(subject.refused_plan))
        assert refusal.value.reasons == view.judgement.reasons
        with pytest.raises(InvalidInput):
            subject.ask(PLANNER, lambda: subject.views.release(subject.refused_plan, "   "))

    def test_an_override_is_released_with_its_reason(self, subject: Subject) -> None:
        reason = "the customer agreed to Tuesday"
        subject.ask(PLANNER, lambda: subject.views.release(subject.refused_plan, reason))
        view = subject.ask(PLANNER, lambda: subject.views.plan(subject.refused_plan))
        assert (view.state, view.released_by, view.override_reason) == (PlanState.RELEASED, PLANNER.name, reason)

    def test_the_floor_tells_that_the_newest_plan_is_refused_until_it_is_in_force(self, subject: Subject) -> None:
        newest = subject.ask(PLANNER, subject.views.plans)[0].id
        passed = subject.ask(PLANNER, lambda: subject.views.plan(newest)).judgement.passed
        assert subject.ask(VIEWER, subject.views.floor).held_up == (None if passed else newest)
        subject.ask(PLANNER, lambda: subject.views.release(newest, None if passed else "agreed by telephone"))
        assert subject.ask(VIEWER, subject.views.floor).held_up is None

    def test_a_plan_is_released_once(self, subject: Subject) -> None:
        subject.ask(PLANNER, lambda: subject.views.release(subject.passing_plan))
        view = subject.ask(PLANNER, lambda: subject.views.plan(subject.passing_plan))
        assert (view.state, view.released_by, view.override_reason) == (PlanState.RELEASED, PLANNER.name, None)
        with pytest.raises(Conflict):
            subject.ask(PLANNER, lambda: subject.views.release(subject.passing_plan))

    def test_a_plan_that_is_asked_for_becomes_a_long_job_that_can_be_cancelled(self, subject: Subject) -> None:
        job_id = subject.ask(PLANNER, subject.views.request_plan)
        jobs = {job.id: job for job in subject.ask(PLANNER, subject.views.long_jobs)}
        assert jobs[job_id].requested_by == PLANNER.name
        for _ in range(2):  # cancelling what has ended is harmless
            subject.ask(PLANNER, lambda: subject.views.cancel(job_id))
        jobs = {job.id: job for job in subject.ask(PLANNER, subject.views.long_jobs)}
        assert jobs[job_id].state in (LongJobState.CANCELLED, LongJobState.RUNNING, LongJobState.DONE)

    def test_a_calibration_is_compared_adopted_and_rolled_back(self, subject: Subject) -> None:
        def used() -> list[str]:
            return [one.id for one in subject.ask(VIEWER, subject.views.twin).calibrations if one.adopted]

        before = used()
        assert subject.calibration not in before
        found = subject.ask(VIEWER, lambda: subject.views.differences(None, subject.calibration))
        assert found
        assert all(one.before == one.planned != one.after for one in found)
        assert subject.ask(VIEWER, lambda: subject.views.differences(subject.calibration, subject.calibration)) == ()
        subject.ask(PLANNER, lambda: subject.views.adopt(subject.calibration))
        assert used() == [subject.calibration]
        assert subject.ask(PLANNER, subject.views.roll_back) == (before[0] if before else None)
        assert used() == before

    def test_a_calibration_that_is_asked_for_is_work_of_its_own_kind(self, subject: Subject) -> None:
        job_id = subject.ask(PLANNER, lambda: subject.views.request_calibration(7))
        found = subject.ask(VIEWER, lambda: subject.views.long_jobs(LongJobKind.CALIBRATION))
        assert [(job.id, str(job.subject)) for job in found] == [(job_id, "last 7 days")]
        assert subject.ask(VIEWER, subject.views.long_jobs) == ()

    def test_learning_that_is_asked_for_is_work_of_its_own_kind(self, subject: Subject) -> None:
        job_id = subject.ask(PLANNER, subject.views.request_learning)
        found = subject.ask(VIEWER, lambda: subject.views.long_jobs(LongJobKind.LEARNING))
        assert [job.id for job in found] == [job_id]
        assert subject.ask(VIEWER, lambda: subject.views.long_jobs(LongJobKind.CALIBRATION)) == ()

    def test_what_was_never_learned_cannot_be_unlearned(self, subject: Subject) -> None:
        assert not any(one.used_since for one in subject.ask(VIEWER, subject.views.twin).learned)
        with pytest.raises(Conflict):
            subject.ask(PLANNER, subject.views.unlearn)

    def test_the_twins_error_is_measured_when_asked_for(self, subject: Subject) -> None:
        subject.ask(PLANNER, subject.views.measure_twin)
        view = subject.ask(VIEWER, subject.views.twin)
        assert view.fidelity is not None
        assert view.fidelity.measured_at == view.clock.now

    def test_a_promise_is_for_those_who_may_enter_orders_and_its_dates_are_in_order(self, subject: Subject) -> None:
        item = next(iter(subject.ask(PLANNER, subject.views.items)))
        asked = PromiseQuestion(item, 1, None)
        with pytest.raises(Denied):
            subject.ask(VIEWER, lambda: subject.views.promise(asked))
        view = subject.ask(PLANNER, lambda: subject.views.promise(asked))
        assert view.inserted.p50 <= view.inserted.p80 <= view.inserted.p95
        assert (view.inserted.on_time, view.replanned, view.impossible) == (None, None, ())
        with pytest.raises(InvalidInput):
            subject.ask(PLANNER, lambda: subject.views.promise(PromiseQuestion("no such item", 1, None)))

    def test_why_not_is_asked_of_open_orders_by_those_who_plan(self, subject: Subject) -> None:
        views = subject.views
        asked = [one.id for one in subject.ask(PLANNER, views.open_orders)]
        assert asked
        long_ago = subject.ask(VIEWER, views.clock).now - timedelta(hours=1)
        assert subject.ask(PLANNER, lambda: views.why_not(asked[:1], long_ago))
        assert subject.ask(PLANNER, lambda: views.why_not(asked[:1], long_ago + timedelta(days=300))) == ()
        with pytest.raises(NotFound):
            subject.ask(PLANNER, lambda: views.why_not(["no such order"]))
        with pytest.raises(Denied):
            subject.ask(VIEWER, lambda: views.why_not(asked))

    def test_health_is_within_its_bounds(self, subject: Subject) -> None:
        for machine in subject.ask(VIEWER, subject.views.health).machines:
            assert (machine.index is None) == (machine.state is HealthState.UNKNOWN)
            assert machine.index is None or 0 <= machine.index <= 1
            assert all(contribution.share >= 0 for contribution in machine.contributions)

    def test_signals_are_columns_of_the_time_that_was_asked_for(self, subject: Subject) -> None:
        machine = subject.ask(VIEWER, subject.views.health).machines[0].machine
        view = subject.ask(VIEWER, lambda: subject.views.signals(machine, 8))
        assert view.machine == machine
        assert view.end - view.start == timedelta(hours=8)
        for column in view.columns:
            assert len(column.times) == len(column.values)
            assert list(column.times) == sorted(column.times)
            assert all(view.start <= time <= view.end for time in column.times)


class LiveContract:
    """Hold this for every implementation of `dashboard.views.Live`, together with its `Views`."""

    def test_what_a_use_case_changes_is_announced(self, subject: Subject) -> None:
        async def listen() -> Topic:
            async with subject.live.subscribe(frozenset({Topic.PLANS})) as announcements:
                await subject.views.release(subject.passing_plan)
                return await asyncio.wait_for(anext(announcements), DEADLINE_S)

        assert subject.ask(PLANNER, listen) is Topic.PLANS

    def test_what_becomes_of_the_twin_is_announced(self, subject: Subject) -> None:
        async def listen() -> Topic:
            async with subject.live.subscribe(frozenset({Topic.TWIN})) as announcements:
                await subject.views.adopt(subject.calibration)
                return await asyncio.wait_for(anext(announcements), DEADLINE_S)

        assert subject.ask(PLANNER, listen) is Topic.TWIN

    def test_only_the_topics_asked_for_are_heard(self, subject: Subject) -> None:
        async def listen() -> Topic:
            async with subject.live.subscribe(frozenset({Topic.JOBS})) as announcements:
                await subject.views.release(subject.passing_plan)
                await subject.views.request_plan()
                return await asyncio.wait_for(anext(announcements), DEADLINE_S)

        assert subject.ask(PLANNER, listen) is Topic.JOBS
