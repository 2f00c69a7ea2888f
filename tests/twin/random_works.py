"""Random works and feasible plans for them, with everything replay knows.

Calendars, setups, people, batches, failures, work that no break may interrupt, running tasks, releases, late
deliveries, scrap that is made again, rework passes, ways between machines, least and longest waits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from hypothesis import strategies as st

from plant.calendar import WorkingTime
from plant.distribution import Distribution, Family, constant, exponential
from plant.item import Attendance
from plant.plan import Plan, PlannedOperation
from plant.plant import Reliability, SetupMatrix, SetupTime
from plant.work import (
    Delivery,
    MachineOutlook,
    OrderDemand,
    PersonOutlook,
    ReworkPass,
    Running,
    Task,
    Wait,
    Work,
)

EPOCH = datetime(2026, 1, 5, 5, tzinfo=UTC)
FAMILIES = ("red", "blue", "green")
TIMES_BETWEEN_FAILURES = (
    exponential(3000.0),
    Distribution(Family.WEIBULL, 2500.0, 0.6),
    Distribution(Family.GAMMA, 40.0, 0.7),
    Distribution(Family.LOGNORMAL, 2000.0, 0.9),
    constant(1234.5),
)
DELAYS = (constant(0.0), constant(7200.0), exponential(5000.0), Distribution(Family.GAMMA, 3000.0, 2.0))


@st.composite
def cases(draw: st.DrawFn) -> tuple[Work, Plan, int]:
    """Draw a work, a feasible plan for it, and a seed for the draws."""
    shape = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    # On a coarse grid moments meet the edges of windows; off it they never do.
    grid_s = draw(st.sampled_from([0, 600]))
    machines = [_machine(shape, number, grid_s) for number in range(draw(st.integers(1, 4)))]
    orders = draw(st.integers(1, 5))
    people = [_person(shape, number, grid_s) for number in range(draw(st.integers(0, 2)))]
    build = _Build(shape, machines, people, grid_s)
    for order in range(orders):
        build.order(f"O{order}", draw(st.integers(1, 4)))
    return build.work(), build.plan(), draw(st.integers(0, 2**32 - 1))


def _seconds(shape: np.random.Generator, high_s: int, grid_s: int) -> float:
    """Draw up to `high_s` seconds, in whole steps of the grid if there is one."""
    return float(grid_s * shape.integers(0, high_s // grid_s + 1)) if grid_s else float(shape.uniform(0, high_s))


def _machine(shape: np.random.Generator, number: int, grid_s: int) -> MachineOutlook:
    times = tuple(SetupTime(a, b, _seconds(shape, 900, grid_s)) for a in FAMILIES for b in FAMILIES if a != b)
    reliability = Reliability(
        TIMES_BETWEEN_FAILURES[shape.integers(len(TIMES_BETWEEN_FAILURES))],
        Distribution(Family.LOGNORMAL, float(shape.integers(1, 4000)), 0.8),
    )
    return MachineOutlook(
        f"M{number}",
        _working_time(shape, grid_s),
        SetupMatrix("m", _seconds(shape, 1200, grid_s), times if shape.random() < 0.7 else ()),
        available_from_s=_seconds(shape, 9000, grid_s) if shape.random() < 0.3 else 0.0,
        setup_family=str(shape.choice(FAMILIES)) if shape.random() < 0.6 else None,
        batch_capacity=3 if shape.random() < 0.4 else 1,
        reliability=reliability if shape.random() < (0.2 if grid_s else 0.6) else None,
        operated_s=_seconds(shape, 4000, grid_s) if shape.random() < 0.5 else 0.0,
    )


def _person(shape: np.random.Generator, number: int, grid_s: int) -> PersonOutlook:
    away_s = _seconds(shape, 9000, grid_s) if shape.random() < 0.3 else 0.0
    return PersonOutlook(f"P{number}", _working_time(shape, grid_s), available_from_s=away_s)


def _working_time(shape: np.random.Generator, grid_s: int) -> WorkingTime:
    if shape.random() < 0.3:
        return WorkingTime.always()
    lengths = [_seconds(shape, 6000, grid_s) + (grid_s or 1) for _ in range(2 * shape.integers(1, 12))]
    edges = np.cumsum(lengths)
    shift = shape.choice([0, edges[0]])  # begin with an open window at the epoch, or with a closed span
    windows = [(float(a - shift), float(b - shift)) for a, b in edges.reshape(-1, 2)]
    return WorkingTime.of(windows)


@dataclass
class _Build:
    shape: np.random.Generator
    machines: list[MachineOutlook]
    people: list[PersonOutlook]
    grid_s: int

    def __post_init__(self) -> None:
        self.tasks: list[Task] = []
        self.orders: dict[str, OrderDemand] = {}
        self.steps: list[tuple[str, list[Task]]] = []
        self.begun: set[str] = set()
        self.waits, self.ways = self.shape.random(2) < 0.5

    def order(self, order: str, length: int) -> None:
        """Add an order whose tasks form a chain, with an assembly of two branches now and then."""
        self.orders[order] = OrderDemand(order, float(self.shape.integers(-5000, 60000)))
        release_s = _seconds(self.shape, 20000, self.grid_s) if self.shape.random() < 0.5 else 0.0
        before: list[str] = []
        for number in range(length):
            task = self._task(
                order, number, tuple(before[-2:] if self.shape.random() < 0.3 else before[-1:]), release_s
            )
            if self.shape.random() < 0.2 and number:
                task = self._task(order, number, (), release_s)
            passes = int(self.shape.integers(1, 4)) if self.shape.random() < 0.2 else 0
            self._add(replace(task, rework_chance=0.5 if passes else 0.0))
            before.append(self._rework(task, passes))

    def _rework(self, inspected: Task, passes: int) -> str:
        """Add the rework passes of a task; return the last task to wait for."""
        last = inspected.id
        for number in range(1, passes + 1):
            for step in range(int(self.shape.integers(1, 3))):
                task = self._task(inspected.order, 0, (last,), inspected.release_s)
                last = f"{inspected.id}r{number}-{step}"
                self._add(replace(task, id=last, rework=ReworkPass(inspected.id, number)))
        return last

    def _add(self, task: Task) -> None:
        self.tasks.append(task)
        self._place(task)

    def _task(self, order: str, number: int, predecessors: tuple[str, ...], release_s: float) -> Task:
        machine = self.machines[self.shape.integers(len(self.machines))].id
        duration_s = 0.0 if self.shape.random() < 0.1 else _seconds(self.shape, 3000, self.grid_s)
        running = None
        if not predecessors and machine not in self.begun and self.shape.random() < 0.5:
            worked_s = _seconds(self.shape, 4000, self.grid_s) if self.shape.random() < 0.5 else 0.0
            running = Running(
                machine, -100.0, max(duration_s - worked_s, 1.0) if worked_s else duration_s, None, worked_s
            )
        return Task(
            f"{order}/1-{number}",
            order,
            "item",
            str(number),
            int(self.shape.integers(1, 20)),
            predecessors,
            {machine: duration_s} if running else {m.id: duration_s * (1 + k) for k, m in enumerate(self.machines)},
            str(self.shape.choice(FAMILIES)),
            release_s=release_s,
            variation=0.0 if self.grid_s else float(self.shape.choice([0.0, 0.2, 1.5])),
            scrap_ratio=float(self.shape.choice([0.0, 0.1])),
            running=running,
            attendance=Attendance(str(self.shape.choice([*Attendance]))),
            interruptible=bool(self.shape.random() < 0.7),
            material=self._material() if self.shape.random() < 0.2 else None,
            replenish=bool(self.shape.random() < 0.5),
            fixed_share=0.25,
            waits={name: self._wait() for name in predecessors if self.waits and self.shape.random() < 0.5},
        )

    def _wait(self) -> Wait:
        least_s = _seconds(self.shape, 4000, self.grid_s) if self.shape.random() < 0.7 else 0.0
        most_s = least_s + _seconds(self.shape, 8000, self.grid_s) if self.shape.random() < 0.5 else math.inf
        return Wait(least_s, most_s)

    def _ways(self) -> dict[tuple[str, str], float]:
        pairs = [(one.id, other.id) for one in self.machines for other in self.machines]
        return {pair: _seconds(self.shape, 3000, self.grid_s) for pair in pairs if self.shape.random() < 0.6}

    def _material(self) -> Delivery:
        number = int(self.shape.integers(len(DELAYS)))
        return Delivery(f"PO{number}", 1200.0 * number, DELAYS[number])

    def _place(self, task: Task) -> None:
        if task.running is not None:
            self.begun.add(task.running.machine)
            self.steps.insert(0, (task.running.machine, [task]))
            return
        machine = self.machines[self.shape.integers(len(self.machines))]
        for name, members in self.steps[::-1]:
            if name == machine.id:
                if self._may_join(machine, members, task):
                    members.append(task)
                    return
                break
        self.steps.append((machine.id, [task]))

    def _may_join(self, machine: MachineOutlook, members: list[Task], task: Task) -> bool:
        # A batch may be joined only by a task that does not come after something placed later than the batch.
        return (
            len(members) < machine.batch_capacity
            and members[0].running is None
            and members[0].setup_family == task.setup_family
            and not task.predecessors
            and members[0].rework is None
        )

    def work(self) -> Work:
        """Return the work with all orders added."""
        return Work(
            EPOCH,
            tuple(self.tasks),
            {machine.id: machine for machine in self.machines},
            self.orders,
            {person.id: person for person in self.people},
            self._ways() if self.ways else {},
        )

    def plan(self) -> Plan:
        """Return the plan in the order in which steps were placed: nothing comes before what it waits for."""
        places: dict[str, int] = {}
        operations = []
        for number, (machine, members) in enumerate(self.steps):
            place = places[machine] = places.get(machine, -1) + 1
            batch = f"B{number}" if len(members) > 1 else None
            person = self.people[self.shape.integers(len(self.people))].id if self.people else None
            if self.shape.random() < 0.2:
                person = None
            operations += [
                PlannedOperation(task.id, machine, place, float(number), 0.0, 0.0, batch, person) for task in members
            ]
        self.shape.shuffle(operations)  # type: ignore[arg-type]
        return Plan(EPOCH, tuple(operations))
