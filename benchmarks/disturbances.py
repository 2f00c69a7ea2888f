"""A shop of any size, and what happens to its plan: the generator behind the rescheduling figures.

`shop` draws orders of four to eight operations over work centers of three alike machines with sequence-dependent
setups by family and two shifts a day; due dates leave an order one to four times its own working time behind what is in
front of it, as in Vepsalainen and Morton, Management Science 33 (1987). `disturb` lets a plan run for a while, as
planned, and then one of `KINDS` happens. Everything follows from the seed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from plant.calendar import WorkingTime
from plant.order import Priority
from plant.plan import Plan
from plant.plant import SetupMatrix, SetupTime
from plant.work import MachineOutlook, OrderDemand, Running, Task, Work

EPOCH = datetime(2026, 1, 5, tzinfo=UTC)
HOUR_S = 3600.0
DAY_S = 24 * HOUR_S

_ALIKE = 3
_CENTERS = 8
_FAMILIES = tuple("ABCDE")
_SHIFTS = ((6.0, 14.0), (14.5, 22.0))
_DAYS = 120


@dataclass(frozen=True)
class Disturbed:
    """A shop some time after its plan was made.

    Attributes
    ----------
    kind
        What happened, one of `KINDS`.
    work
        What is still to be done, in seconds since then.
    frozen
        What the plan would begin within the frozen zone, None where that is nothing.
    """

    kind: str
    work: Work
    frozen: Plan | None


def shop(seed: int, operations: int) -> Work:
    """Return a shop with about so many operations, at least that many."""
    dice = random.Random(seed)
    machines = [_machine(dice, center, number) for center in range(_CENTERS) for number in range(_ALIKE)]
    tasks: list[Task] = []
    orders: dict[str, OrderDemand] = {}
    while len(tasks) < operations:
        name = f"o{len(orders)}"
        made = order(dice, name, dice.randint(4, 8))
        tasks += made
        orders[name] = OrderDemand(name, _due_s(dice, made, len(tasks)), _priority(dice))
    return Work(EPOCH, tuple(tasks), {one.id: one for one in machines}, orders)


def order(dice: random.Random, name: str, length: int) -> list[Task]:
    """Return the tasks of one order: a chain through work centers."""
    family = dice.choice(_FAMILIES)
    centers = [dice.randrange(_CENTERS) for _ in range(length)]
    return [
        Task(
            id=f"{name}-{place}",
            order=name,
            item=f"item {family}",
            operation=str(place),
            quantity=1,
            predecessors=(f"{name}-{place - 1}",) if place else (),
            durations_s=_durations(dice, center),
            setup_family=family,
        )
        for place, center in enumerate(centers)
    ]


def disturb(seed: int, work: Work, plan: Plan, frozen_zone_s: float, operations: int) -> Disturbed:
    """Return the shop at some moment with at least so many operations left, where something has just happened."""
    dice = random.Random(seed)
    kind = tuple(KINDS)[seed % len(KINDS)]
    ends_s = sorted(one.end_s for one in plan.operations)
    now_s = dice.uniform(0.0, ends_s[max(len(ends_s) - operations - 1, 0)])
    later = left_at(work, plan, now_s)
    left = [one for one in plan.operations if one.job_order in later.by_id]
    near = tuple(one for one in left if one.start_s <= now_s + frozen_zone_s)
    return Disturbed(kind, KINDS[kind](dice, later), Plan(plan.epoch, near) if near else None)


def _machine(dice: random.Random, center: int, number: int) -> MachineOutlook:
    times = tuple(
        SetupTime(one, other, float(dice.choice([600, 1200, 1800])))
        for one in _FAMILIES
        for other in _FAMILIES
        if one != other
    )
    windows = [(day * DAY_S + a * HOUR_S, day * DAY_S + b * HOUR_S) for day in range(_DAYS) for a, b in _SHIFTS]
    name = f"M{center}{number}"
    return MachineOutlook(name, WorkingTime.of(windows), SetupMatrix(f"of {name}", 900.0, times))


def _durations(dice: random.Random, center: int) -> dict[str, float]:
    seconds = dice.uniform(0.2, 3.0) * HOUR_S
    return {f"M{center}{number}": round(seconds * dice.uniform(0.9, 1.1)) for number in range(_ALIKE)}


def _due_s(dice: random.Random, tasks: Sequence[Task], count: int) -> float:
    """Return a due date behind the work that is in front of the order, at the pace of the whole shop."""
    own_s = sum(min(task.durations_s.values()) for task in tasks)
    queue_s = count * 1.8 * HOUR_S / (_CENTERS * _ALIKE)
    return (queue_s + dice.uniform(1.0, 4.0) * own_s) * 24 / 15.5  # two shifts and a night


def _priority(dice: random.Random) -> Priority:
    return Priority.HIGH if dice.random() < 0.2 else Priority.NORMAL


def left_at(work: Work, plan: Plan, now_s: float) -> Work:
    """Return what is left when the plan has run as planned until `now_s`."""
    done = {one.job_order for one in plan.operations if one.end_s <= now_s}
    tasks = tuple(_task_later(task, work, plan, now_s, done) for task in work.tasks if task.id not in done)
    machines = {name: _machine_later(one, work, plan, now_s) for name, one in work.machines.items()}
    people = {
        name: replace(
            one,
            working_time=_hours_later(one.working_time, now_s),
            available_from_s=max(one.available_from_s - now_s, 0.0),
        )
        for name, one in work.people.items()
    }
    orders = {
        task.order: replace(work.orders[task.order], due_s=work.orders[task.order].due_s - now_s) for task in tasks
    }
    return replace(work, tasks=tasks, machines=machines, people=people, orders=orders)


def _task_later(task: Task, work: Work, plan: Plan, now_s: float, done: set[str]) -> Task:
    planned = plan.by_job_order[task.id]
    if task.running is None and planned.start_s >= now_s:
        return _waiting_later(task, plan, now_s, done)
    hours = work.machines[planned.machine].working_time
    # What runs on a machine that is down goes on when that is up: nothing is worked before.
    worked_s = max(hours.worked_at(now_s) - hours.worked_at(planned.start_s), 0.0)
    seconds = task.durations_s[planned.machine]
    begun_s, left_s, before_s = planned.start_s, seconds, 0.0
    if task.running is not None:
        begun_s, left_s, before_s = task.running.started_s, task.running.remaining_s, task.running.worked_s
    running = Running(planned.machine, begun_s - now_s, max(left_s - worked_s, 1.0), planned.batch, before_s + worked_s)
    here = {planned.machine: seconds}
    return replace(task, predecessors=(), waits={}, durations_s=here, running=running, lock=None, rework=None)


def _waiting_later(task: Task, plan: Plan, now_s: float, done: set[str]) -> Task:
    """Return a task that has not begun; what is left of waits behind what is done is part of its release."""
    left = tuple(name for name in task.predecessors if name not in done)
    waited_s = [
        plan.by_job_order[name].end_s + wait.least_s - now_s for name, wait in task.waits.items() if name in done
    ]
    material, lock, rework = task.material, task.lock, task.rework
    return replace(
        task,
        predecessors=left,
        waits={name: wait for name, wait in task.waits.items() if name not in done},
        release_s=max([task.release_s - now_s, *waited_s]),
        material=None if material is None else replace(material, due_s=material.due_s - now_s),
        lock=None if lock is None else replace(lock, start_s=lock.start_s - now_s),
        rework=None if rework is None or rework.of in done else rework,
    )


def _machine_later(machine: MachineOutlook, work: Work, plan: Plan, now_s: float) -> MachineOutlook:
    made = [one for step in plan.sequences.get(machine.id, ()) for one in step if one.start_s < now_s]
    family = work.by_id[made[-1].job_order].setup_family if made else machine.setup_family
    down_s = max(machine.available_from_s - now_s, 0.0)
    return replace(
        machine,
        working_time=_hours_later(machine.working_time, now_s),
        setup_family=family,
        available_from_s=down_s,
        maintenance=tuple((begin - now_s, end - now_s) for begin, end in machine.maintenance),
    )


def _hours_later(hours: WorkingTime, now_s: float) -> WorkingTime:
    windows = zip(hours.starts, hours.ends, strict=True)
    return WorkingTime.of([(max(start - now_s, 0.0), end - now_s) for start, end in windows if end > now_s])


def _breakdown(dice: random.Random, work: Work) -> Work:
    """A machine is down for half an hour to two days."""
    return _down(work, [dice.choice(list(work.machines))], dice.choice([0.5, 2.0, 8.0, 48.0]) * HOUR_S)


def _absence(dice: random.Random, work: Work) -> Work:
    """Whoever attends two machines of a work center is away until the next shift."""
    center = dice.randrange(_CENTERS)
    return _down(work, [f"M{center}{number}" for number in dice.sample(range(_ALIKE), 2)], 8 * HOUR_S)


def _down(work: Work, names: Sequence[str], seconds: float) -> Work:
    down = {name: replace(work.machines[name], available_from_s=seconds) for name in names}
    return replace(work, machines={**work.machines, **down})


def _rush(dice: random.Random, work: Work) -> Work:
    """A high-priority order comes, due in two days."""
    tasks = order(dice, "rush", dice.randint(4, 8))
    demand = OrderDemand("rush", 48 * HOUR_S, Priority.HIGH)
    return replace(work, tasks=(*work.tasks, *tasks), orders={**work.orders, "rush": demand})


def _delay(dice: random.Random, work: Work) -> Work:
    """What runs takes up to three times as long as was left."""

    def slower(task: Task) -> Task:
        if task.running is None:
            return task
        left_s = task.running.remaining_s * dice.uniform(1.0, 3.0)
        return replace(task, running=replace(task.running, remaining_s=left_s))

    return replace(work, tasks=tuple(slower(task) for task in work.tasks))


def _late_material(dice: random.Random, work: Work) -> Work:
    """Material of one in twenty orders that have not begun comes up to three days late."""

    def late(task: Task) -> Task:
        waits = task.running is None and not task.predecessors and dice.random() < 0.05
        return replace(task, release_s=dice.uniform(0, 72) * HOUR_S) if waits else task

    return replace(work, tasks=tuple(late(task) for task in work.tasks))


def _scrap(dice: random.Random, work: Work) -> Work:
    """An order's lot is lost: it is made again from the first operation, and what follows waits for it."""
    name = dice.choice(sorted(work.orders))
    first = next(task for task in work.tasks if task.order == name)
    again = order(dice, f"{name} again", 3)
    again = [replace(task, order=name, setup_family=first.setup_family) for task in again]
    tasks = [
        replace(task, predecessors=(*task.predecessors, again[-1].id)) if task is first and not task.running else task
        for task in work.tasks
    ]
    return replace(work, tasks=(*again, *tasks))


KINDS: dict[str, Callable[[random.Random, Work], Work]] = {
    "breakdown": _breakdown,
    "rush order": _rush,
    "delay": _delay,
    "late material": _late_material,
    "absence": _absence,
    "scrap": _scrap,
}
"""What may happen, taken in turn."""
