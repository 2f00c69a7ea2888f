"""What can be changed for an order that is late: overtime, another machine, a lot split, a later promise.

Each change is real: other work and a plan of it, ready to be rehearsed. Apart from the change the plan stays as it is,
so that the other orders lose nothing that was not paid for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from itertools import chain

from operations.locked import there_s
from plant.calendar import WorkingTime
from plant.checks import require_not_negative
from plant.errors import InvalidInput
from plant.plan import Plan, PlannedOperation
from plant.text import Told, told
from plant.verdict import Binding, BindingKind, OrderVerdict, RemedyKind
from plant.work import Task, Work
from scheduler.keep import keep

_HOUR_S = 3600.0
_DAY_S = 24 * _HOUR_S
_BREAK_S = 3 * _HOUR_S
"""Closed spans shorter than this are breaks, which no overtime fills."""

_OVERTIME_H = (1, 2, 4)
"""Hours a shift may be longer, tried in turn."""

Steps = dict[str, list[list[PlannedOperation]]]


@dataclass(frozen=True)
class Costs:
    """What changes cost, in one unit of money.

    Attributes
    ----------
    overtime_per_h
        Of each machine hour of overtime, whoever attends it included.
    move, move_per_h
        Of each operation on another machine, and of each hour it takes longer there.
    split
        Of each lot more: handling, papers, another first piece.
    promise, delay_per_day
        Of taking a promise back, and of each day that it is later; both times the weight of the order's class.
    """

    overtime_per_h: float = 60.0
    move: float = 20.0
    move_per_h: float = 40.0
    split: float = 30.0
    promise: float = 100.0
    delay_per_day: float = 200.0

    def __post_init__(self) -> None:
        for name, cost in vars(self).items():
            require_not_negative(f"cost of remedies: {name}", cost)


@dataclass(frozen=True)
class Change:
    """A remedy before it is rehearsed: what to do, what it costs, and the work and plan with it done."""

    kind: RemedyKind
    what: Told
    cost: float
    work: Work
    plan: Plan


@dataclass(frozen=True)
class Patient:
    """An order that is to be helped.

    Attributes
    ----------
    work, plan
        As they stand, without a change.
    frozen
        Job orders that stay where they are.
    """

    work: Work
    plan: Plan
    order: OrderVerdict
    binding: Binding | None
    frozen: Collection[str]
    zone: tzinfo

    @property
    def tasks(self) -> list[Task]:
        """The order's tasks that can still be changed."""
        return [
            task
            for task in self.work.tasks
            if task.order == self.order.order and task.running is None and task.id not in self.frozen
        ]

    @property
    def machines(self) -> list[str]:
        """The machines that its completion hangs on, the one that holds it up most first."""
        spent: dict[str, float] = {}
        for task in self.work.tasks:
            if task.order == self.order.order:
                machine = self.plan.by_job_order[task.id].machine
                spent[machine] = spent.get(machine, 0.0) + task.durations_s[machine]
        if self.binding is not None and self.binding.kind is BindingKind.MACHINE:
            spent[self.binding.subject] = math.inf
        return sorted(spent, key=lambda machine: -spent[machine])


def changes_for(patient: Patient, costs: Costs) -> Mapping[RemedyKind, Iterator[Change]]:
    """Return the changes that may help, the cheapest of a kind first; they are made as they are asked for."""
    ways: Mapping[RemedyKind, Callable[[Patient, Costs], Iterator[Change]]] = {
        RemedyKind.ALTERNATIVE: _alternatives,
        RemedyKind.SPLIT: _splits,
        RemedyKind.OVERTIME: _overtimes,
    }
    return {kind: way(patient, costs) for kind, way in ways.items()}


def promised(patient: Patient, costs: Costs, due_s: float) -> Change:
    """Return the change of an order's due date."""
    work, order = patient.work, patient.order.order
    demand = work.orders[order]
    orders = {**work.orders, order: replace(demand, due_s=due_s)}
    return Change(
        RemedyKind.PROMISE,
        told("promise {order} for {due:moment}", order=order, due=work.moment(due_s).astimezone(patient.zone)),
        (costs.promise + costs.delay_per_day * (due_s - demand.due_s) / _DAY_S) * demand.priority.weight,
        replace(work, orders=orders),
        patient.plan,
    )


def _overtimes(patient: Patient, costs: Costs) -> Iterator[Change]:
    """Yield longer shifts until the order is due, on the machine that binds and then on all that it needs."""
    machines, until_s = patient.machines, patient.work.orders[patient.order.order].due_s
    for chosen in dict.fromkeys((tuple(machines[:1]), tuple(machines))):
        for hours in _OVERTIME_H:
            work, added_h = _with_overtime(patient, chosen, hours * _HOUR_S, until_s)
            if added_h > 0:
                until = patient.work.moment(until_s).astimezone(patient.zone)
                what = told(
                    "{hours} h of overtime after each shift on {machines:words} until {until:moment}",
                    hours=hours,
                    machines=chosen,
                    until=until,
                )
                yield Change(
                    RemedyKind.OVERTIME, what, added_h * costs.overtime_per_h, work, keep(work, patient.plan).plan
                )


def _with_overtime(patient: Patient, machines: Sequence[str], longer_s: float, until_s: float) -> tuple[Work, float]:
    """Return the work with longer shifts on some machines and of who attends them, and the machine hours added."""
    work, added_s = patient.work, 0.0
    outlooks, people = dict(work.machines), dict(work.people)
    for name in machines:
        before = outlooks[name].working_time
        time = _longer(before, longer_s, until_s, outlooks[name].maintenance)
        outlooks[name] = replace(outlooks[name], working_time=time)
        added_s += outlooks[name].working_time.worked_at(until_s) - before.worked_at(until_s)
    for name in {one.person for one in patient.plan.operations if one.machine in machines and one.person is not None}:
        people[name] = replace(people[name], working_time=_longer(people[name].working_time, longer_s, until_s))
    return replace(work, machines=outlooks, people=people), added_s / _HOUR_S


def _longer(
    time: WorkingTime, longer_s: float, until_s: float, maintenance: Sequence[tuple[float, float]] = ()
) -> WorkingTime:
    """Return working time in which every shift that ends by `until_s` is longer; breaks and maintenance stay."""
    windows = list(zip(time.starts, time.ends, strict=True))
    for place, (start, end) in enumerate(windows[:-1]):
        next_s = windows[place + 1][0]
        free_s = min([next_s, *(begin for begin, stop in maintenance if begin < next_s and stop > end)]) - end
        if 0 <= end < until_s and next_s - end >= _BREAK_S and free_s > 0:
            windows[place] = (start, end + min(longer_s, free_s))
    return WorkingTime.of(windows)


def _alternatives(patient: Patient, costs: Costs) -> Iterator[Change]:
    """Yield one operation on another machine, as soon as it is ready or when it was planned; the cheapest first."""
    options = [
        (seconds - task.durations_s[here], task, machine)
        for task in patient.tasks
        for here in [patient.plan.by_job_order[task.id].machine]
        for machine, seconds in task.durations_s.items()
        if machine != here
    ]
    for longer_s, task, machine in sorted(options, key=lambda option: (option[0], option[1].id, option[2])):
        planned = patient.plan.by_job_order[task.id]
        what = told("{job} on {machine} instead of {here}", job=task.id, machine=machine, here=planned.machine)
        cost = costs.move + costs.move_per_h * max(longer_s, 0.0) / _HOUR_S
        for from_s in dict.fromkeys((_ready_s(patient, task, machine), planned.start_s)):
            steps = _steps(patient.plan)
            operation = replace(_taken_out(steps, task.id), machine=machine, batch=None)
            _put(steps, operation, from_s, patient)
            yield from _possible(RemedyKind.ALTERNATIVE, what, cost, patient.work, steps)


def _ready_s(patient: Patient, task: Task, machine: str) -> float:
    """Return when a task could begin on a machine as planned if that were free."""
    return max(task.release_s, there_s(patient.work, patient.plan, task, machine))


def _splits(patient: Patient, costs: Costs) -> Iterator[Change]:
    """Yield the order's lots in two and in three parts, which follow each other and go on as soon as they are done."""
    splittable = [task for task in patient.tasks if _is_splittable(patient, task)]
    for parts in (2, 3):
        chosen = {task.id for task in splittable if task.quantity >= parts}
        if len(chosen) > 1:  # what is split goes on earlier only if it is split where it goes, too
            steps = _steps(patient.plan)
            for machine, sequence in steps.items():
                steps[machine] = [one for step in sequence for one in _parted(step, chosen, parts)]
            what = told(
                "the lots of {order} in {parts} parts that move on by themselves",
                order=patient.order.order,
                parts=parts,
            )
            work = _split(patient.work, chosen, parts)
            yield from _possible(RemedyKind.SPLIT, what, costs.split * len(chosen) * (parts - 1), work, steps)


def _is_splittable(patient: Patient, task: Task) -> bool:
    alone = patient.plan.by_job_order[task.id].batch is None
    return alone and task.rework is None and task.rework_chance == 0


def _parted(step: list[PlannedOperation], chosen: set[str], parts: int) -> Iterator[list[PlannedOperation]]:
    if step[0].job_order not in chosen:
        yield step
        return
    for part in range(parts):
        yield [replace(step[0], job_order=_part_id(step[0].job_order, part))]


def _part_id(task: str, part: int) -> str:
    return f"{task} ({part + 1})"


def _split(work: Work, chosen: set[str], parts: int) -> Work:
    """Return the work with tasks in parts: each follows its own part of the same item, and all of anything else."""
    items = {task.id: task.item for task in work.tasks}

    def parts_of(task: Task, part: int | None, name: str) -> list[str]:
        if name not in chosen:
            return [name]
        if part is not None and items[name] == task.item:
            return [_part_id(name, part)]
        return [_part_id(name, each) for each in range(parts)]

    def behind(task: Task, part: int | None) -> Task:
        before = {name: parts_of(task, part, name) for name in task.predecessors}
        waits = {each: wait for name, wait in task.waits.items() for each in before.get(name, [name])}
        return replace(task, predecessors=tuple(chain(*before.values())), waits=waits)

    def divided(task: Task, part: int) -> Task:
        pieces = task.quantity * (part + 1) // parts - task.quantity * part // parts
        share = task.fixed_share + (1 - task.fixed_share) * pieces / task.quantity
        durations_s = {machine: seconds * share for machine, seconds in task.durations_s.items()}
        return replace(
            behind(task, part),
            id=_part_id(task.id, part),
            quantity=pieces,
            durations_s=durations_s,
            fixed_share=task.fixed_share / share if share > 0 else 0.0,
        )

    tasks: list[Task] = []
    for task in work.tasks:
        if task.id in chosen:
            tasks += [divided(task, part) for part in range(parts)]
        else:
            tasks.append(behind(task, None))
    return replace(work, tasks=tuple(tasks))


def _steps(plan: Plan) -> Steps:
    return {machine: [list(step) for step in steps] for machine, steps in plan.sequences.items()}


def _taken_out(steps: Steps, job_order: str) -> PlannedOperation:
    for sequence in steps.values():
        for step in sequence:
            for operation in step:
                if operation.job_order == job_order:
                    step.remove(operation)
                    if not step:
                        sequence.remove(step)
                    return operation
    raise InvalidInput(f"the plan does not hold {job_order}")


def _put(steps: Steps, operation: PlannedOperation, from_s: float, patient: Patient) -> None:
    """Put an operation on its machine before what begins after `from_s`, but behind all that must stay first."""
    sequence = steps.setdefault(operation.machine, [])
    first = sum(
        patient.work.by_id[step[0].job_order].running is not None or step[0].job_order in patient.frozen
        for step in sequence
    )
    place = next((n for n in range(first, len(sequence)) if sequence[n][0].start_s >= from_s), len(sequence))
    sequence.insert(place, [operation])


def _possible(kind: RemedyKind, what: Told, cost: float, work: Work, steps: Steps) -> Iterator[Change]:
    """Yield the change with the plan at its new times, unless its steps would wait for each other."""
    operations = tuple(
        replace(operation, position=place)
        for sequence in steps.values()
        for place, step in enumerate(sequence)
        for operation in step
    )
    try:
        yield Change(kind, what, cost, work, keep(work, Plan(work.epoch, operations)).plan)
    except InvalidInput:
        return
