"""The reference model of the floor in SimPy: what becomes of a plan in one of the drawn futures.

`twin.replay` answers the same for all futures at once; on the same draws both agree.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import simpy

from plant.calendar import WorkingTime
from plant.errors import InvalidInput
from plant.item import Attendance
from plant.machine_state import MachineState
from plant.plan import Plan
from plant.plant import FailureTime
from plant.work import MachineOutlook, ReworkPass, Work
from twin import luck
from twin.alarm import Life, alarms_until
from twin.draws import Draws, Row
from twin.fitting import first_fit
from twin.program import common_time
from twin.shop import Busy, Step
from twin.station import Station
from twin.steps import PlannedStep, circle, planned_steps

_FIRST_RANK = 2


@dataclass(frozen=True)
class MachineEvent:
    """From `at_s` on the machine is in `state`, with the tasks it works at or waits for."""

    machine: str
    at_s: float
    state: MachineState
    tasks: tuple[str, ...]


OnEvent = Callable[[MachineEvent], None]


@dataclass
class Run:
    """What happened in one future. Times are seconds since the work's epoch.

    Attributes
    ----------
    start_s, finish_s
        Per task: when its processing began (after the changeover, in working time), and when it was done.
    completion_s
        Per order: when its last task was done.
    begun_s
        Per first task of a step that was begun: when its changeover (or processing) was.
    freed_s
        Per first task of a step of which somebody attended the changeover only: when they were free again.
    busy
        Per machine: working seconds of setup, processing and repair (that of `available_from_s` not counted).
    """

    start_s: dict[str, float] = field(default_factory=dict)
    finish_s: dict[str, float] = field(default_factory=dict)
    completion_s: dict[str, float] = field(default_factory=dict)
    begun_s: dict[str, float] = field(default_factory=dict)
    freed_s: dict[str, float] = field(default_factory=dict)
    busy: dict[str, Busy] = field(default_factory=dict)


def simulate(work: Work, plan: Plan, draws: Draws, replication: int, on_event: OnEvent | None = None) -> Run:
    """Run `plan` through the floor in future `replication` (from 0) of `draws`.

    Parameters
    ----------
    on_event
        Called with every change of a machine's state, in order; changes of one instant may follow each other.

    Raises
    ------
    InvalidInput
        If the plan does not fit the work (see `twin.steps.planned_steps`) or is circular: the message names
        who waits for whom.
    """
    return Simulation(work, plan, draws).run(replication, on_event)


class Simulation:
    """One plan and its futures, prepared once for many runs."""

    def __init__(self, work: Work, plan: Plan, draws: Draws) -> None:
        self._work = work
        self._steps = planned_steps(work, plan)
        self._futures = _Futures(work, draws)
        self._shared: dict[tuple[str, str], WorkingTime] = {}

    def run(self, replication: int, on_event: OnEvent | None = None) -> Run:
        """Run the plan in future `replication`; as `simulate`."""
        env = simpy.Environment()
        future = _Future(self._work, self._futures, replication)
        shop = _PlannedShop(self._work, self._steps, self._shared, future, on_event, lambda: float(env.now))
        for rank, (name, machine) in enumerate(self._work.machines.items()):
            shop.stations[name] = Station(
                env,
                name,
                machine.working_time,
                shop,
                future,
                rank=rank,
                setup_family=machine.setup_family,
                down_until_s=machine.available_from_s,
                watched=on_event is not None,
            )
            shop.run.busy[name] = shop.stations[name].busy
            if ages_always(machine):
                env.process(_failing(env, shop.stations[name], future, _FIRST_RANK + rank))
        shop.pass_by(0.0)
        _run_until_done(env, shop)
        return shop.run


def _run_until_done(env: simpy.Environment, shop: _PlannedShop) -> None:
    """Run to the end of the last completion's instant; watched machines would open and close for longer."""
    while env.peek() < math.inf and (shop.unfinished or env.peek() <= env.now):
        env.step()
    if shop.unfinished:
        raise InvalidInput(shop.who_waits())


def ages_always(machine: MachineOutlook) -> bool:
    """Tell whether a machine fails in calendar time."""
    return machine.reliability is not None and machine.reliability.failure_time is FailureTime.CALENDAR


def _failing(env: simpy.Environment, station: Station, future: _Future, rank: int) -> Life:
    """Let a machine fail in calendar time; what is down already fails when it goes on."""
    ordinal, next_s = 0, future.up_s(station.machine, 0)
    while True:
        yield from alarms_until(env, next_s, rank)
        if station.breakdown is not None:
            next_s = max(station.breakdown.until_s, math.nextafter(env.now, math.inf))
            continue
        station.break_down(future.repair_s(station.machine, ordinal))
        assert station.breakdown is not None
        ordinal += 1
        next_s = station.breakdown.until_s + future.up_s(station.machine, ordinal)


class _Futures:
    """The rows a work meets, each drawn once."""

    def __init__(self, work: Work, draws: Draws) -> None:
        self._work = work
        self._draws = draws
        self._rows: dict[tuple[str, str, int], Row] = {}

    def value(self, purpose: str, subject: str, ordinal: int, replication: int, drawn: Callable[[], Row]) -> float:
        """Return the entry of a row that is drawn when first asked for."""
        key = (purpose, subject, ordinal)
        if key not in self._rows:
            self._rows[key] = drawn()
        return float(self._rows[key][replication])

    def step_s(self, step: PlannedStep, replication: int) -> float:
        """Return the processing time of a step."""

        def drawn() -> Row:
            return luck.step_s(step.tasks, step.machine, self._draws, np.zeros(self._draws.replications))

        return self.value("step", step.tasks[0].id, 0, replication, drawn)

    def delivered_s(self, step: PlannedStep, replication: int) -> float:
        """Return when the deliveries of a step are there, 0 where it waits for none."""

        def drawn() -> Row:
            found = luck.delivered_s(step.tasks, self._draws)
            return np.zeros(self._draws.replications) if found is None else found

        return self.value("delivery", step.tasks[0].id, 0, replication, drawn)

    def needed(self, rework: ReworkPass, replication: int) -> bool:
        """Tell whether a rework pass is done."""

        def drawn() -> Row:
            return luck.failed(rework, self._work, self._draws).astype(float)

        return bool(self.value("rework", rework.of, rework.number, replication, drawn))

    def setup_factor(self, machine: str, before: str | None, after: str, replication: int) -> float:
        """Return what a changeover's time is multiplied with."""

        def drawn() -> Row:
            found = self._draws.setup_factor(machine, before, after)
            return np.ones(self._draws.replications) if found is None else found

        return self.value("setup", f"{machine}\0{before}\0{after}", 0, replication, drawn)

    def between_failures_s(self, machine: str, ordinal: int, replication: int) -> float:
        """Return the time to the first failure, or from the one before."""
        outlook = self._work.machines[machine]
        reliability = outlook.reliability
        if reliability is None:
            return math.inf
        if ordinal == 0:
            drawn = partial(luck.first_failure_s, machine, reliability, outlook.operated_s, self._draws)
        else:
            between = reliability.time_between_failures
            drawn = partial(self._draws.row, between, "time between failures", machine, ordinal)
        return self.value("time between failures", machine, ordinal, replication, drawn)

    def repair_s(self, machine: str, ordinal: int, replication: int) -> float:
        """Return what a repair takes."""
        reliability = self._work.machines[machine].reliability
        assert reliability is not None
        drawn = partial(self._draws.row, reliability.time_to_repair, "time to repair", machine, ordinal)
        return self.value("time to repair", machine, ordinal, replication, drawn)


class _Future:
    """One future of them: implements `twin.shop.Luck`."""

    def __init__(self, work: Work, futures: _Futures, replication: int) -> None:
        self._machines = work.machines
        self._futures = futures
        self._replication = replication

    def between_failures_s(self, machine: str, ordinal: int) -> float:
        return math.inf if ages_always(self._machines[machine]) else self.up_s(machine, ordinal)

    def up_s(self, machine: str, ordinal: int) -> float:
        """Return the time from failure `ordinal` - 1 to this one, in the time the machine ages in."""
        return self._futures.between_failures_s(machine, ordinal, self._replication)

    def repair_s(self, machine: str, ordinal: int) -> float:
        return self._futures.repair_s(machine, ordinal, self._replication)

    def setup_factor(self, machine: str, before: str | None, after: str) -> float:
        """Return what a changeover's time is multiplied with."""
        return self._futures.setup_factor(machine, before, after, self._replication)

    def processing_s(self, step: PlannedStep) -> float:
        """Return the processing time of a step: its longest member's."""
        return self._futures.step_s(step, self._replication)

    def release_s(self, step: PlannedStep) -> float:
        """Return when the materials of a step are there."""
        return (
            step.release_s if step.running else max(step.release_s, self._futures.delivered_s(step, self._replication))
        )

    def needed(self, step: PlannedStep) -> bool:
        """Tell whether a step is done at all."""
        return step.rework is None or self._futures.needed(step.rework, self._replication)


class _PlannedShop:
    """Hands every machine the steps of its sequence: implements `twin.shop.Shop`."""

    def __init__(
        self,
        work: Work,
        steps: dict[str, tuple[PlannedStep, ...]],
        shared: dict[tuple[str, str], WorkingTime],
        future: _Future,
        on_event: OnEvent | None,
        now: Callable[[], float],
    ) -> None:
        self.stations: dict[str, Station] = {}
        self.run = Run()
        self.unfinished = len(work.tasks)
        self._work = work
        self._steps = steps
        self._future = future
        self._on_event = on_event
        self._now = now
        self._places = dict.fromkeys(steps, 0)
        self._freed: set[str] = set()
        self._shared = shared
        self._shown: dict[str, tuple[MachineState, tuple[str, ...]]] = {}
        self._awaited_by: dict[str, list[str]] = {}
        self._optional = [name for name, sequence in steps.items() if any(step.rework for step in sequence)]
        for machine, sequence in steps.items():
            for step in sequence:
                for name in (*step.predecessors, *(() if step.behind is None else (step.behind,))):
                    self._awaited_by.setdefault(name, []).append(machine)

    def offer(self, station: Station, now_s: float) -> Step | float:
        planned = self._next(station.machine)
        if planned is None or not self._may_begin(planned):
            return math.inf
        away_s = 0.0 if planned.person is None else self._work.people[planned.person].available_from_s
        there_s = (self.run.finish_s[name] + lag_s for name, lag_s in planned.lags_s.items())
        ready_s = max(self._future.release_s(planned), away_s, *there_s)
        if now_s < ready_s:
            return ready_s
        step = self._step(station, planned)
        begin_s = self._begin_s(station, planned, step, now_s)
        return step if begin_s <= now_s else begin_s

    def _may_begin(self, step: PlannedStep) -> bool:
        return all(name in self.run.finish_s for name in step.predecessors) and (
            step.behind is None or step.behind in self._freed
        )

    def _step(self, station: Station, planned: PlannedStep) -> Step:
        family = planned.tasks[0].setup_family
        matrix = self._work.machines[station.machine].setup_matrix
        setup_s = 0.0 if planned.running else matrix.duration_s(station.setup_family, family)
        if setup_s > 0:
            setup_s *= self._future.setup_factor(station.machine, station.setup_family, family)
        shared, jobs = self._shared_time(planned), tuple(task.id for task in planned.tasks)
        working_time = shared if planned.attendance is Attendance.ALL else None
        processing_s = self._future.processing_s(planned)
        return Step(jobs, family, setup_s, processing_s, setup_time=shared, working_time=working_time)

    def _shared_time(self, planned: PlannedStep) -> WorkingTime | None:
        """Return when both the machine and who attends it work; None where nobody does."""
        if planned.person is None:
            return None
        pair = (planned.machine, planned.person)
        if pair not in self._shared:
            self._shared[pair] = common_time(self._work, *pair)
        return self._shared[pair]

    def _begin_s(self, station: Station, planned: PlannedStep, step: Step, now_s: float) -> float:
        """Return when a step whose machine is free and open may begin."""
        setup_time = step.setup_time or station.working_time
        working_time = step.working_time or station.working_time
        if planned.interruptible:
            return (setup_time if step.setup_s > 0 else working_time).begin(now_s)
        work_s = step.processing_s + self._repairs_s(station, step)
        return first_fit(setup_time, working_time, now_s, step.setup_s, work_s)

    def _repairs_s(self, station: Station, step: Step) -> float:
        """Return the repairs that will stop a step: what may not be interrupted is begun where they fit, too."""
        repairs_s, failure, failure_at_s = 0.0, station.failures, station.failure_at_s
        while failure_at_s <= station.operated_s + step.processing_s:
            repairs_s += self._future.repair_s(station.machine, failure)
            failure += 1
            failure_at_s += self._future.between_failures_s(station.machine, failure)
        return repairs_s

    def _next(self, machine: str) -> PlannedStep | None:
        sequence, place = self._steps[machine], self._places[machine]
        return sequence[place] if place < len(sequence) else None

    def began(self, station: Station, step: Step, now_s: float) -> None:
        """Note when a step's changeover begins, or its processing where there is none."""
        self.run.begun_s[step.jobs[0]] = now_s

    def processing(self, station: Station, step: Step, start_s: float) -> None:
        self.run.start_s.update(dict.fromkeys(step.jobs, start_s))
        planned = self._next(station.machine)
        assert planned is not None
        if planned.attendance is Attendance.SETUP:
            self.run.freed_s[step.jobs[0]] = self._now()
            self._free(step.jobs[0])
            self.pass_by(self._now())

    def piece(self, station: Station, step: Step, index: int, now_s: float) -> None:
        """Nothing to note: planned steps are not counted piece by piece."""

    def finished(self, station: Station, step: Step, now_s: float) -> None:
        self._complete(station.machine, step.jobs, now_s)
        self.pass_by(now_s)

    def pass_by(self, now_s: float) -> None:
        """Let the places of rework passes go by that turn out not to be needed, until none is left that can."""
        found = True
        while found:
            found = False
            for machine in self._optional:
                step = self._next(machine)
                if step is None or step.rework is None or self.stations[machine].step is not None:
                    continue
                if self._may_begin(step) and not self._future.needed(step):
                    found = True
                    (task,) = step.tasks
                    self.run.begun_s[task.id] = self.run.start_s[task.id] = now_s
                    if step.attendance is Attendance.SETUP:
                        self.run.freed_s[task.id] = now_s
                    self._complete(machine, (task.id,), now_s)
                    self.stations[machine].wake()

    def _complete(self, machine: str, jobs: tuple[str, ...], now_s: float) -> None:
        self.run.finish_s.update(dict.fromkeys(jobs, now_s))
        self.unfinished -= len(jobs)
        self._places[machine] += 1
        for name in jobs:
            order = self._work.by_id[name].order
            self.run.completion_s[order] = max(self.run.completion_s.get(order, now_s), now_s)
            self._free(name)

    def _free(self, name: str) -> None:
        """Note that a task needs its person no longer, and wake who waited for it."""
        self._freed.add(name)
        for machine in self._awaited_by.get(name, ()):
            self.stations[machine].wake()

    def show(self, station: Station, now_s: float) -> None:
        planned = self._next(station.machine)
        tasks = () if planned is None else tuple(task.id for task in planned.tasks)
        state = station.state(now_s)
        shown = (MachineState.STARVED if state is MachineState.IDLE and tasks else state, tasks)
        if self._on_event is not None and self._shown.get(station.machine) != shown:
            self._shown[station.machine] = shown
            self._on_event(MachineEvent(station.machine, now_s, *shown))

    def who_waits(self) -> str:
        return circle(self._steps, self._places, self.run.finish_s, self._freed)
