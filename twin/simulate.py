"""The reference model of the floor in SimPy: what becomes of a plan in one of the drawn futures.

`twin.replay` answers the same for all futures at once; on the same draws both agree.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import simpy

from plant.distribution import Distribution, Family
from plant.errors import InvalidInput
from plant.machine_state import MachineState
from plant.plan import Plan
from plant.work import Task, Work
from twin.draws import Draws, Row
from twin.shop import Busy, Step
from twin.station import Station
from twin.steps import PlannedStep, circle, planned_steps


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
    busy
        Per machine: working seconds of setup, processing and repair (that of `available_from_s` not counted).
    """

    start_s: dict[str, float] = field(default_factory=dict)
    finish_s: dict[str, float] = field(default_factory=dict)
    completion_s: dict[str, float] = field(default_factory=dict)
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

    def run(self, replication: int, on_event: OnEvent | None = None) -> Run:
        """Run the plan in future `replication`; as `simulate`."""
        env = simpy.Environment()
        future = _Future(self._futures, replication)
        shop = _PlannedShop(self._work, self._steps, future, on_event)
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
        _run_until_done(env, shop)
        return shop.run


def _run_until_done(env: simpy.Environment, shop: _PlannedShop) -> None:
    """Run to the end of the last completion's instant; watched machines would open and close for longer."""
    while env.peek() < math.inf and (shop.unfinished or env.peek() <= env.now):
        env.step()
    if shop.unfinished:
        raise InvalidInput(shop.who_waits())


class _Futures:
    """The rows a work meets, each drawn once."""

    def __init__(self, work: Work, draws: Draws) -> None:
        self._machines = work.machines
        self._draws = draws
        self._rows: dict[tuple[str, str, int], Row] = {}

    def factor(self, task: Task, replication: int) -> float:
        """Return what the task's planned processing time is multiplied with."""
        if task.variation == 0:
            return 1.0
        distribution = Distribution(Family.LOGNORMAL, 1.0, task.variation)
        return self._value(distribution, "processing", task.id, 0, replication)

    def between_failures_s(self, machine: str, ordinal: int, replication: int) -> float:
        reliability = self._machines[machine].reliability
        if reliability is None:
            return math.inf
        return self._value(reliability.time_between_failures, "time between failures", machine, ordinal, replication)

    def repair_s(self, machine: str, ordinal: int, replication: int) -> float:
        reliability = self._machines[machine].reliability
        assert reliability is not None
        return self._value(reliability.time_to_repair, "time to repair", machine, ordinal, replication)

    def _value(self, distribution: Distribution, purpose: str, subject: str, ordinal: int, replication: int) -> float:
        key = (purpose, subject, ordinal)
        if key not in self._rows:
            self._rows[key] = self._draws.row(distribution, purpose, subject, ordinal)
        return float(self._rows[key][replication])


class _Future:
    """One future of them: implements `twin.shop.Luck`."""

    def __init__(self, futures: _Futures, replication: int) -> None:
        self._futures = futures
        self._replication = replication

    def between_failures_s(self, machine: str, ordinal: int) -> float:
        return self._futures.between_failures_s(machine, ordinal, self._replication)

    def repair_s(self, machine: str, ordinal: int) -> float:
        return self._futures.repair_s(machine, ordinal, self._replication)

    def processing_s(self, step: PlannedStep) -> float:
        """Return the processing time of a step: its longest member's."""
        return max(
            _planned_s(task, step.machine) * self._futures.factor(task, self._replication) for task in step.tasks
        )


def _planned_s(task: Task, machine: str) -> float:
    return task.durations_s[machine] if task.running is None else task.running.remaining_s


class _PlannedShop:
    """Hands every machine the steps of its sequence: implements `twin.shop.Shop`."""

    def __init__(
        self, work: Work, steps: dict[str, tuple[PlannedStep, ...]], future: _Future, on_event: OnEvent | None
    ) -> None:
        self.stations: dict[str, Station] = {}
        self.run = Run()
        self.unfinished = len(work.tasks)
        self._work = work
        self._steps = steps
        self._future = future
        self._on_event = on_event
        self._places = dict.fromkeys(steps, 0)
        self._shown: dict[str, tuple[MachineState, tuple[str, ...]]] = {}
        self._awaited_by: dict[str, list[str]] = {}
        for machine, sequence in steps.items():
            for step in sequence:
                for name in step.predecessors:
                    self._awaited_by.setdefault(name, []).append(machine)

    def offer(self, station: Station, now_s: float) -> Step | float:
        planned = self._next(station)
        if planned is None or any(name not in self.run.finish_s for name in planned.predecessors):
            return math.inf
        if now_s < planned.release_s:
            return planned.release_s
        family = planned.tasks[0].setup_family
        matrix = self._work.machines[station.machine].setup_matrix
        setup_s = 0.0 if planned.running else matrix.duration_s(station.setup_family, family)
        return Step(tuple(task.id for task in planned.tasks), family, setup_s, self._future.processing_s(planned))

    def _next(self, station: Station) -> PlannedStep | None:
        sequence, place = self._steps[station.machine], self._places[station.machine]
        return sequence[place] if place < len(sequence) else None

    def began(self, station: Station, step: Step, now_s: float) -> None:
        """Nothing to note: the changeover shows in the machine's state."""

    def processing(self, station: Station, step: Step, start_s: float) -> None:
        self.run.start_s.update(dict.fromkeys(step.jobs, start_s))

    def piece(self, station: Station, step: Step, index: int, now_s: float) -> None:
        """Nothing to note: planned steps are not counted piece by piece."""

    def finished(self, station: Station, step: Step, now_s: float) -> None:
        self.run.finish_s.update(dict.fromkeys(step.jobs, now_s))
        self.unfinished -= len(step.jobs)
        self._places[station.machine] += 1
        for name in step.jobs:
            order = self._work.by_id[name].order
            self.run.completion_s[order] = max(self.run.completion_s.get(order, now_s), now_s)
            for machine in self._awaited_by.get(name, ()):
                self.stations[machine].wake()

    def show(self, station: Station, now_s: float) -> None:
        planned = self._next(station)
        tasks = () if planned is None else tuple(task.id for task in planned.tasks)
        state = station.state(now_s)
        shown = (MachineState.STARVED if state is MachineState.IDLE and tasks else state, tasks)
        if self._on_event is not None and self._shown.get(station.machine) != shown:
            self._shown[station.machine] = shown
            self._on_event(MachineEvent(station.machine, now_s, *shown))

    def who_waits(self) -> str:
        return circle(self._steps, self._places, set(self.run.finish_s))
