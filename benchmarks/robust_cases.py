"""Shops whose plans can be fragile: job shops with changeovers, two shifts, breakdowns and promises with some slack.

As in the job shops of S. Kreipl, "A large step random walk for minimizing total weighted tardiness in a job shop",
Journal of Scheduling 3 (2000), each order visits machines in random sequence and one in five weighs more. Due dates are
not a multiple of the work but lie some time behind when a simple dispatcher, who takes what can begin first at planned
times, would be done: a quarter of that to all of it. So every promise can be kept at planned times, and it depends on
the plan whether it is kept when times vary.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from plant.calendar import WorkingTime
from plant.distribution import Distribution, Family, exponential
from plant.order import Priority
from plant.plant import Reliability, SetupMatrix, SetupTime
from plant.work import MachineOutlook, OrderDemand, Task, Work

ORDERS, MACHINES = 40, 6
SLACK = (1.25, 2.0)
"""Due dates over the dispatcher's completion times, in working time."""

_EPOCH = datetime(2026, 1, 5, tzinfo=UTC)
_HOUR_S = 3600.0
_FAMILIES = ("A", "B", "C")


def fragile_case(seed: int, orders: int = ORDERS, machines: int = MACHINES) -> Work:
    """Draw a shop with its orders."""
    random = np.random.default_rng([seed, 20260105])
    days = (day for day in range(180) if day % 7 < 5)
    clock = WorkingTime.of([(day * 24 * _HOUR_S + 6 * _HOUR_S, day * 24 * _HOUR_S + 22 * _HOUR_S) for day in days])
    outlooks = {name: _machine(random, name, clock) for name in (f"M{number}" for number in range(machines))}
    tasks = tuple(task for number in range(orders) for task in _route(random, f"O{number}", machines))
    demands = {
        name: OrderDemand(name, 0.0, Priority.HIGH if random.random() < 0.2 else Priority.NORMAL)
        for name in (f"O{number}" for number in range(orders))
    }
    work = Work(_EPOCH, tasks, outlooks, demands)
    promised_s = {
        order: clock.clock_at(clock.worked_at(done_s) * random.uniform(*SLACK))
        for order, done_s in _dispatched(work).items()
    }
    return replace(work, orders={name: replace(demand, due_s=promised_s[name]) for name, demand in work.orders.items()})


def _machine(random: np.random.Generator, name: str, clock: WorkingTime) -> MachineOutlook:
    times = tuple(
        SetupTime(one, other, float(random.integers(300, 2400)))
        for one in _FAMILIES
        for other in _FAMILIES
        if one != other
    )
    between = exponential(float(random.uniform(20, 60)) * _HOUR_S)
    repair = Distribution(Family.LOGNORMAL, float(random.uniform(0.5, 2.5)) * _HOUR_S, 0.7)
    return MachineOutlook(
        name, clock, SetupMatrix(f"changeovers of {name}", 0.0, times), reliability=Reliability(between, repair)
    )


def _route(random: np.random.Generator, order: str, machines: int) -> list[Task]:
    """Return three to five operations on different machines; three in ten can go to a second, slower one."""
    route = random.permutation(machines)[: int(random.integers(3, 6))]
    tasks: list[Task] = []
    for place, machine in enumerate(route):
        takes_s = float(random.uniform(0.5, 3.0)) * _HOUR_S
        durations_s = {f"M{machine}": takes_s}
        if random.random() < 0.3:
            durations_s[f"M{(machine + 1) % machines}"] = takes_s * float(random.uniform(1.0, 1.3))
        tasks.append(
            Task(
                id=f"{order}/{place}",
                order=order,
                item="part",
                operation=str(place),
                quantity=10,
                predecessors=(tasks[-1].id,) if tasks else (),
                durations_s=durations_s,
                setup_family=str(random.choice(_FAMILIES)),
                variation=float(random.uniform(0.1, 0.35)),
            )
        )
    return tasks


def _dispatched(work: Work) -> dict[str, float]:
    """Return when each order is done if what can begin first is taken first, at planned times."""
    free_s = dict.fromkeys(work.machines, 0.0)
    family: dict[str, str | None] = dict.fromkeys(work.machines)
    done_s: dict[str, float] = {}
    waiting = list(work.tasks)
    while waiting:
        begin_s, place, machine = min(
            (max(free_s[machine], max((done_s[name] for name in task.predecessors), default=0.0)), place, machine)
            for place, task in enumerate(waiting)
            if all(name in done_s for name in task.predecessors)
            for machine in task.durations_s
        )
        task, outlook = waiting.pop(place), work.machines[machine]
        setup_s = outlook.setup_matrix.duration_s(family[machine], task.setup_family)
        done_s[task.id] = outlook.working_time.finish(begin_s, setup_s + task.durations_s[machine])
        free_s[machine], family[machine] = done_s[task.id], task.setup_family
    ended: dict[str, float] = {}
    for task in work.tasks:
        ended[task.order] = max(ended.get(task.order, 0.0), done_s[task.id])
    return ended
