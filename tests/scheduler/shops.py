"""Shops for the scheduler's tests: random ones, and published job shop instances as `Work`."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from plant.calendar import WorkingTime
from plant.order import Priority
from plant.plan import Plan
from plant.plant import SetupMatrix, SetupTime
from plant.work import MachineOutlook, OrderDemand, Running, Task, Work

EPOCH = datetime(2026, 1, 5, tzinfo=UTC)
HOUR = 3600.0
NO_SETUPS = SetupMatrix("none", 0.0)
FAR = 10_000 * HOUR

# Published by Fisher and Thompson, 1963; the optimum is 55. Per job (machine, duration) pairs.
FT06 = """2 1 0 3 1 6 3 7 5 3 4 6
1 8 2 5 4 10 5 10 0 10 3 4
2 5 3 4 5 8 0 9 1 1 4 7
1 5 0 5 2 5 3 3 4 8 5 9
2 9 1 3 4 5 5 4 0 3 3 1
1 3 3 3 5 9 0 10 4 4 2 1"""


def days(hours: Sequence[tuple[float, float]], count: int = 30) -> WorkingTime:
    """Return working time with these open hours every day."""
    return WorkingTime.of(
        [(day * 24 * HOUR + a * HOUR, day * 24 * HOUR + b * HOUR) for day in range(count) for a, b in hours]
    )


def machine(name: str, working_time: WorkingTime | None = None, **fields: object) -> MachineOutlook:
    """Return a machine that is always open and needs no setups unless told otherwise."""
    matrix = fields.pop("setup_matrix", NO_SETUPS)
    return MachineOutlook(name, working_time or WorkingTime.always(), matrix, **fields)  # type: ignore[arg-type]


def task(name: str, order: str, durations: Mapping[str, float], *before: str, **fields: object) -> Task:
    """Return a task with its item and operation named after it."""
    fields.setdefault("setup_family", "family")
    return Task(name, order, "item", "10", 1, before, durations, **fields)  # type: ignore[arg-type]


def work(
    tasks: Sequence[Task], machines: Sequence[MachineOutlook], due: Mapping[str, float], high: Sequence[str] = ()
) -> Work:
    """Return the work of these tasks; orders without a due date are due in the far future."""
    orders = {
        one.order: OrderDemand(
            one.order, due.get(one.order, FAR), Priority.HIGH if one.order in high else Priority.NORMAL
        )
        for one in tasks
    }
    return Work(EPOCH, tuple(tasks), {one.id: one for one in machines}, orders)


def late_s(some: Work, plan: Plan) -> float:
    """Return the weighted tardiness by the times that stand in a plan, by other code than what scores plans."""
    ends = {
        name: [one.end_s for one in plan.operations if some.by_id[one.job_order].order == name] for name in some.orders
    }
    return sum(one.priority.weight * max(max(ends[one.id]) - one.due_s, 0.0) for one in some.orders.values())


def job_shop(lines: Sequence[str]) -> Work:
    """Return a classic job shop: per job (machine, duration) pairs, machines counted from 0."""
    tasks: list[Task] = []
    for job, line in enumerate(lines):
        numbers = [int(text) for text in line.split()]
        for place, (where, duration) in enumerate(zip(numbers[::2], numbers[1::2], strict=True)):
            before = [f"{job}-{place - 1}"] if place else []
            tasks.append(task(f"{job}-{place}", f"job {job}", {f"M{where}": float(duration)}, *before))
    names = sorted({name for one in tasks for name in one.durations_s})
    return work(tasks, [machine(name) for name in names], {})


def flexible_job_shop(path: Path) -> Work:
    """Return a flexible job shop file: first line jobs and machines; alternatives count machines from 1."""
    lines = [line.split() for line in path.read_text().splitlines() if line.strip()]
    tasks: list[Task] = []
    for job, line in enumerate(lines[1 : 1 + int(lines[0][0])]):
        numbers = iter(map(int, line))
        for place in range(next(numbers)):
            options = {f"M{next(numbers)}": float(next(numbers)) for _ in range(next(numbers))}
            before = [f"{job}-{place - 1}"] if place else []
            tasks.append(task(f"{job}-{place}", f"job {job}", options, *before))
    names = sorted({name for one in tasks for name in one.durations_s})
    return work(tasks, [machine(name) for name in names], {})


def random_work(seed: int, most_orders: int = 6) -> Work:
    """Return a random shop: calendars, setups, batches, alternatives, assemblies, running tasks, machines down."""
    dice = random.Random(seed)
    families = ["A", "B", "C"][: dice.randint(1, 3)]
    hours = [[(6.0, 14.0), (14.0, 22.0)], [(6.0, 9.0), (9.25, 14.0)], [(0.0, 24.0)]]
    machines = [_random_machine(dice, f"M{number}", families, hours) for number in range(dice.randint(1, 5))]
    tasks: list[Task] = []
    for order in range(dice.randint(1, most_orders)):
        names: list[str] = []
        for place in range(dice.randint(1, 4)):
            before = [name for name in names if dice.random() < 0.4] if dice.random() < 0.3 else names[-1:]
            options = dice.sample(machines, dice.randint(1, min(2, len(machines))))
            name = f"{order}-{place}"
            tasks.append(
                task(
                    name,
                    f"order {order}",
                    {one.id: round(dice.uniform(0.1, 5) * HOUR, dice.choice([0, 2])) for one in options},
                    *before,
                    setup_family=dice.choice(families),
                    release_s=dice.choice([0.0, 0.0, dice.uniform(-5, 30) * HOUR]),
                )
            )
            names.append(name)
    due = {one.order: dice.uniform(-5, 60) * HOUR for one in tasks}
    high = [name for name in due if dice.random() < 0.3]
    return work(_some_running(dice, tasks, machines), machines, due, high)


def _random_machine(
    dice: random.Random, name: str, families: list[str], hours: list[list[tuple[float, float]]]
) -> MachineOutlook:
    times = tuple(
        SetupTime(one, other, float(dice.randint(0, 3000)))
        for one in families
        for other in families
        if dice.random() < 0.5
    )
    return machine(
        name,
        days(dice.choice(hours)),
        setup_matrix=SetupMatrix(f"of {name}", float(dice.choice([0, 900])), times),
        available_from_s=dice.choice([0.0, 0.0, dice.uniform(0, 10) * HOUR]),
        setup_family=dice.choice([None, *families]),
        batch_capacity=dice.choice([1, 1, 3]),
    )


def _some_running(dice: random.Random, tasks: list[Task], machines: list[MachineOutlook]) -> list[Task]:
    """Let first operations run on some machines, alone or as a batch of one family."""
    changed = {one.id: one for one in tasks}
    for one in machines:
        if dice.random() < 0.5:
            continue
        able = [t for t in changed.values() if one.id in t.durations_s and not t.predecessors and t.running is None]
        lead = able[0] if able else None
        members = [t for t in able if lead and t.setup_family == lead.setup_family][: one.batch_capacity]
        batch = f"running on {one.id}" if len(members) > 1 else None
        for member in members:
            left = dice.uniform(0.1, 1) * member.durations_s[one.id]
            changed[member.id] = Task(
                member.id, member.order, member.item, member.operation, 1, (), {one.id: member.durations_s[one.id]},
                member.setup_family, running=Running(one.id, -dice.uniform(0, HOUR), left, batch),
            )  # fmt: skip
    return list(changed.values())
