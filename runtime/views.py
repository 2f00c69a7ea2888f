"""What the pages ask for, answered by use cases on behalf of whoever the request belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from dashboard.shown.clock import ClockView
from dashboard.shown.floor import FloorView, MachineView, OeeView, RunningJob
from dashboard.shown.health import HealthView, MachineHealth, SignalsView
from dashboard.shown.plan import PlannedJob, PlanSummary, PlanView
from dashboard.shown.promise import PromiseOffer, PromiseQuestion, PromiseView
from dashboard.shown.twin import TwinView
from historian.database import Historian
from methods.attended import attended_hours
from methods.disturbed import with_absences, with_planned_stops
from operations import (
    calibration,
    disturbances,
    fidelity,
    floor,
    health,
    jobs,
    learning,
    locks,
    orders,
    outbox,
    plan_load,
    planning,
    plants,
    promises,
    releases,
    why_not,
)
from operations.access import acting
from operations.plan_diff import PlanDiff
from operations.planning import PlanningRules
from operations.promise import Offer
from plant.actor import Actor, Permission
from plant.calendar import Window
from plant.calibration import Difference
from plant.long_job import LongJob, LongJobKind
from plant.machine_state import StateInterval
from plant.message import RefusedMessage
from plant.order import CustomerOrder, JobProgress, Priority
from plant.plan import Plan, PlanState, PlanVersion
from plant.plant import Plant
from plant.ports import Compute, JobQueue
from plant.text import Text, told
from runtime.clock import ProcessClock, SharedPlantClock
from twin.oee import Times

_PLAN_MARGIN = timedelta(hours=12)
_LONGEST_PLAN = timedelta(days=366)
"""How far working hours are shown; one order for years ahead must not fill the page with them."""


class OperationViews:
    """The dashboard's `Views` on the use cases."""

    def __init__(
        self, historian: Historian, clock: ProcessClock, queue: JobQueue, rules: PlanningRules, compute: Compute
    ) -> None:
        self._historian = historian
        self._clock = clock
        self._queue = queue
        self._rules = rules
        self._compute = compute

    async def me(self) -> Actor:
        """See `dashboard.views.Views`; so for all methods."""
        return acting()

    async def clock(self) -> ClockView:
        acting()
        return self._clock_view((await plants.current(self._historian, acting())).plant)

    def _clock_view(self, plant: Plant) -> ClockView:
        now = self._clock.now()
        open_now = plant.open_windows(now, now + timedelta(days=4))
        rate = self._clock.anchor.rate
        jumps = isinstance(self._clock, SharedPlantClock) and rate > 0  # a real plant's clock runs through the night
        return ClockView(plant.name, plant.timezone, now, rate, open_now[0][1] if open_now and jumps else None)

    async def floor(self) -> FloorView:
        actor = acting()
        plant = (await plants.current(self._historian, actor)).plant
        clock = self._clock_view(plant)
        window = _working_day(plant, clock.now)
        so_far = window[0], max(clock.now, window[0] + timedelta(seconds=1))
        machines = await floor.machines(self._historian, actor)
        timelines = await floor.states_of(self._historian, actor, *so_far)
        figures = {one.machine: one for one in await floor.oee(self._historian, actor, *so_far)}
        shown = {machine.id: machine.job_order for machine in machines}
        running = await orders.jobs_on_machines(self._historian, actor, shown)
        total = sum((one.times for one in figures.values()), Times())
        return FloorView(
            clock=clock,
            window=window,
            machines=tuple(
                _machine_view(plant, machine, figures[machine.id].times, timelines, running) for machine in machines
            ),
            oee=_oee_view(total),
            good=total.good,
            scrap=total.scrap,
            quarantined=sum((await floor.quarantined(self._historian, actor)).values()),
            held_up=await self._held_up(actor),
        )

    async def _held_up(self, actor: Actor) -> str | None:
        """Return the newest plan, if the gate refuses it and it is not in force in spite of that."""
        if not actor.may(Permission.VIEW_PLANS):
            return None
        for newest in await planning.list_plans(self._historian, actor, limit=1):
            waits = newest.state in (PlanState.PROPOSED, PlanState.REFUSED)
            return newest.id if waits and not newest.passed else None
        return None

    async def plans(self) -> tuple[PlanSummary, ...]:
        found = await planning.list_plans(self._historian, acting())
        return tuple(PlanSummary(one.id, one.made_at, one.reason, one.state) for one in found)

    async def plan(self, plan_id: str) -> PlanView:
        actor = acting()
        version, state = await planning.get_plan(self._historian, actor, plan_id)
        release = await releases.how_released(self._historian, actor, plan_id)
        plant = (await plants.get(self._historian, actor, version.plant_version)).plant
        covered = set(version.orders)
        wanted = [one for one in await orders.list_orders(self._historian, actor) if one.id in covered]
        progress = await orders.list_jobs(self._historian, actor)
        before, diff, changes = await self._against(actor, version)
        stopped = with_planned_stops(with_absences(plant, version.knew.absences), version.knew.planned_stops)
        start = version.plan.epoch
        end = start + min(timedelta(seconds=version.plan.makespan_s) + _PLAN_MARGIN, _LONGEST_PLAN)
        return PlanView(
            id=version.id,
            clock=self._clock_view(plant),
            made_at=version.made_at,
            reason=version.reason,
            state=state,
            plan=version.plan,
            solver=version.solver,
            verdict=version.verdict,
            judgement=version.judgement,
            machines={machine.id: machine.name for machine in plant.machines},
            jobs={one.job.id: _planned_job(plant, one) for one in progress if one.job.id in version.plan.by_job_order},
            orders={order.id: order for order in wanted},
            windows={
                machine.id: tuple(stopped.calendar_of(machine.id).windows(start, end)) for machine in stopped.machines
            },
            released_by=release.actor if release else None,
            override_reason=release.override_reason if release else None,
            robustness=version.robustness,
            changes=changes,
            before=before,
            diff=diff,
            frozen_until=version.plan.epoch + timedelta(seconds=self._rules.frozen_zone_s) if version.parent else None,
            locks={one.job_order: one for one in await locks.list_locks(self._historian, actor)},
            load=await plan_load.load(self._historian, actor, plan_id),
            attended=attended_hours(stopped, version.plan, {one.job.id: one.job for one in progress}, (start, end)),
        )

    async def _against(
        self, actor: Actor, version: PlanVersion
    ) -> tuple[Plan | None, PlanDiff | None, tuple[Text, ...]]:
        """Return the plan that was in force when this one was made, and what differs, in figures and in words."""
        if version.parent is None:
            return None, None, ()
        diff, changes = await planning.diff(self._historian, actor, self._rules, version.id)
        before, _ = await planning.get_plan(self._historian, actor, version.parent)
        return before.plan, diff, changes

    async def request_plan(self) -> str:
        return (await jobs.request_plan(self._historian, self._queue, acting(), told("asked for on the page"))).id

    async def why_not_locked(self, job_order: str, machine: str, start_at: datetime) -> Text | None:
        asked = job_order, machine, start_at
        return await locks.why_impossible(self._historian, self._clock, acting(), self._rules, *asked)

    async def lock(self, job_order: str, machine: str, start_at: datetime) -> str:
        actor = acting()
        await locks.lock(self._historian, self._clock, actor, self._rules, job_order, machine, start_at)
        zone = ZoneInfo((await plants.current(self._historian, actor)).plant.timezone)
        reason = told(
            "{job_order} locked to {machine}, {start:moment}",
            job_order=job_order,
            machine=machine,
            start=start_at.astimezone(zone),
        )
        return (await jobs.request_plan(self._historian, self._queue, actor, reason, near=True)).id

    async def unlock(self, job_order: str) -> None:
        await locks.unlock(self._historian, acting(), job_order)

    async def items(self) -> dict[str, str]:
        plant = (await plants.current(self._historian, acting())).plant
        return {item.id: item.name for item in plant.made_items()}

    async def promise(self, question: PromiseQuestion) -> PromiseView:
        priority = Priority.HIGH if question.high else Priority.NORMAL
        asked = promises.Question(question.item, question.quantity, question.due_at, priority, question.replan)
        found = await promises.ask(self._historian, self._compute, self._clock, acting(), self._rules, asked)
        replanned = found.promise.replanned
        return PromiseView(
            inserted=_offer(found.promise.inserted, found.inserted),
            replanned=None if replanned is None else _offer(replanned, found.replanned),
            impossible=found.impossible,
        )

    async def open_orders(self) -> tuple[CustomerOrder, ...]:
        return tuple(await orders.list_open(self._historian, acting()))

    async def why_not(self, orders: Sequence[str], by: datetime | None = None) -> tuple[Text, ...]:
        return await why_not.ask(self._historian, self._compute, self._clock, acting(), self._rules, orders, by)

    async def long_jobs(self, kind: LongJobKind = LongJobKind.PLAN) -> tuple[LongJob, ...]:
        found = await jobs.newest(self._historian, acting())
        return tuple(job for job in found if job.kind is kind)

    async def cancel(self, job_id: str) -> None:
        await jobs.cancel(self._historian, acting(), job_id)

    async def release(self, plan_id: str, override_reason: str | None = None) -> None:
        await releases.release(self._historian, self._clock, acting(), self._rules, plan_id, override_reason)

    async def health(self) -> HealthView:
        actor = acting()
        plant = (await plants.current(self._historian, actor)).plant
        clock = self._clock_view(plant)
        found = await health.machines(self._historian, actor, clock.now)
        stops = await disturbances.planned_stops(self._historian, self._clock, actor)
        names = {machine.id: machine.name for machine in plant.machines}
        return HealthView(clock, tuple(_health_view(plant, one) for one in found), names, stops)

    async def plan_stop(self, machine: str, start: datetime, end: datetime) -> None:
        await disturbances.plan_stop(self._historian, self._clock, acting(), machine, start, end)

    async def call_off_stop(self, machine: str) -> None:
        await disturbances.call_off_stop(self._historian, self._clock, acting(), machine)

    async def signals(self, machine: str, hours: float) -> SignalsView:
        actor, end = acting(), self._clock.now()
        start = end - timedelta(hours=hours)
        columns = await health.signals(self._historian, actor, machine, start, end)
        return SignalsView(machine, start, end, tuple(columns))

    async def twin(self) -> TwinView:
        actor = acting()
        made = await calibration.list_calibrations(self._historian, actor)
        measured = await fidelity.newest(self._historian, actor)
        found = await learning.list_learned(self._historian, actor)
        return TwinView(await self.clock(), tuple(made), measured, tuple(found))

    async def differences(self, before: str | None, after: str) -> tuple[Difference, ...]:
        return await calibration.compare(self._historian, acting(), before, after)

    async def request_calibration(self, days: float) -> str:
        subject = calibration.subject_of(days)
        return (await jobs.request_calibration(self._historian, self._queue, acting(), subject)).id

    async def request_learning(self) -> str:
        return (await jobs.request_learning(self._historian, self._queue, acting())).id

    async def unlearn(self) -> None:
        await learning.go_back(self._historian, acting())

    async def adopt(self, calibration_id: str) -> None:
        await calibration.adopt(self._historian, acting(), calibration_id)

    async def roll_back(self) -> str | None:
        return await calibration.roll_back(self._historian, acting())

    async def measure_twin(self) -> None:
        await fidelity.measure(self._historian, acting(), self._clock)

    async def refused_messages(self) -> tuple[RefusedMessage, ...]:
        return tuple(await outbox.refused(self._historian, acting()))

    async def send_again(self, message_id: str) -> None:
        await outbox.send_again(self._historian, acting(), message_id)


def _working_day(plant: Plant, now: datetime) -> Window:
    """Return the plant's day from its first working moment to its last, widened so that it holds `now`."""
    midnight = now.astimezone(ZoneInfo(plant.timezone)).replace(hour=0, minute=0, second=0, microsecond=0)
    day = midnight.astimezone(UTC), (midnight + timedelta(days=1)).astimezone(UTC)
    opened = plant.open_windows(*day) or [day]
    begins, ends = opened[0][0], opened[-1][1]
    return min(begins, now), ends if now <= ends else now + timedelta(hours=1)


def _machine_view(
    plant: Plant,
    machine: floor.MachineNow,
    times: Times,
    timelines: Sequence[StateInterval],
    running: Mapping[str, Sequence[JobProgress]],
) -> MachineView:
    defined = plant.machine(machine.id)
    return MachineView(
        id=machine.id,
        name=machine.name,
        area=defined.area,
        work_center=defined.work_center,
        state=machine.state,
        reason=machine.reason,
        since=machine.since,
        jobs=tuple(_running_job(plant, job) for job in running.get(machine.id, ())),
        good=times.good,
        scrap=times.scrap,
        oee=_oee_view(times),
        timeline=tuple(interval for interval in timelines if interval.machine == machine.id),
    )


def _offer(offer: Offer, sentences: tuple[Text, ...]) -> PromiseOffer:
    return PromiseOffer(offer.p50, offer.p80, offer.p95, offer.on_time, sentences)


def _oee_view(times: Times) -> OeeView:
    return OeeView(times.oee, times.availability, times.effectiveness, times.quality_ratio)


def _running_job(plant: Plant, progress: JobProgress) -> RunningJob:
    job = progress.job
    name = plant.item(job.item).name
    step = plant.operation(job.item, job.operation).name
    return RunningJob(job.id, job.item, name, step, job.quantity, progress.good, progress.scrap)


def _planned_job(plant: Plant, progress: JobProgress) -> PlannedJob:
    job = progress.job
    step = plant.operation(job.item, job.operation)
    machines = tuple(machine.id for machine in plant.machines_with(step.capability))
    return PlannedJob(job.customer_order, job.item, plant.item(job.item).name, step.name, job.quantity, machines)


def _health_view(plant: Plant, one: health.MachineHealth) -> MachineHealth:
    machine = plant.machine(one.machine)
    return MachineHealth(
        machine=one.machine,
        name=machine.name,
        area=machine.area,
        index=one.index,
        state=one.state,
        contributions=one.contributions,
        at=one.at,
    )
