"""What is refused before anything is tried: work of which no plan can be made, with what is wrong and where."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from plant.errors import InvalidInput
from plant.item import Attendance
from plant.text import Told, told
from plant.work import MachineOutlook, Task, Work

LONGEST_S = 1e10
"""Three centuries: beyond this, dates run out and whole seconds stop being exact in the solver's sums."""


def refuse(work: Work) -> None:
    """Raise `InvalidInput` for work that cannot be planned, with the first thing that is wrong.

    Times too long to count, and a task that needs somebody where nobody can do it. What is no number at all, a machine
    that takes nothing and a calendar that never opens are refused when the work is built.
    """
    wrong = next(_wrong(work), None)
    if wrong is not None:
        raise InvalidInput(wrong)


def _wrong(work: Work) -> Iterator[Told]:
    """Yield what is wrong; sentences are made where they are needed only, since every search begins here."""
    skills = {skill for person in work.people.values() for skill in person.skills}
    total_s = 0.0
    for task in work.tasks:
        longest_s = max(task.durations_s.values())
        total_s += longest_s + sum(wait.least_s for wait in task.waits.values())
        if longest_s + (start_s := _start_s(task)) > LONGEST_S:
            yield _too_long(task, longest_s, start_s)
        if task.attendance is not Attendance.NONE and task.running is None and not _somebody(work, task, skills):
            yield told(
                "task {task} needs somebody who can do {skill}, and nobody can; give a person that skill",
                task=task.id,
                skill=task.skill or "it",
            )
    total_s += len(work.tasks) * max(work.transport_s.values(), default=0.0)
    if total_s > LONGEST_S:
        yield told(
            "all tasks together, with waits and ways, take {total:span}; plans reach at most {most:span}",
            total=total_s,
            most=LONGEST_S,
        )
    yield from _far_away(work)
    for machine in work.machines.values():
        if total_s + len(work.tasks) * machine.setup_matrix.longest_s > LONGEST_S:
            yield _too_long_a_setup(machine)


def _somebody(work: Work, task: Task, skills: Collection[str]) -> bool:
    return bool(work.people) if task.skill is None else task.skill in skills


def _start_s(task: Task) -> float:
    """Return the latest moment that a task is bound to wait for, besides other tasks."""
    if task.running is not None:
        return 0.0
    material_s = 0.0 if task.material is None else task.material.due_s + task.material.delay.mean
    return max(task.release_s, material_s, 0.0 if task.lock is None else task.lock.start_s)


def _far_away(work: Work) -> Iterator[Told]:
    for order in work.orders.values():
        if abs(order.due_s) > LONGEST_S:
            yield told(
                "order {order} is due {span:span} away; check its date: plans reach at most {most:span}",
                order=order.id,
                span=abs(order.due_s),
                most=LONGEST_S,
            )
    away = [(one.id, one.available_from_s) for one in work.machines.values()]
    away += [(one.id, one.available_from_s) for one in work.people.values()]
    for name, seconds in away:
        if seconds > LONGEST_S:
            yield told(
                "{one} is not there for {span:span}; check until when: plans reach at most {most:span}",
                one=name,
                span=seconds,
                most=LONGEST_S,
            )


def _too_long(task: Task, longest_s: float, start_s: float) -> Told:
    return told(
        "task {task} takes {takes:span} from {start:span} on; check its quantity, its times per piece and the dates of "
        "what it waits for: plans reach at most {most:span}",
        task=task.id,
        takes=longest_s,
        start=start_s,
        most=LONGEST_S,
    )


def _too_long_a_setup(machine: MachineOutlook) -> Told:
    return told(
        "a setup of {machine} takes {takes:span}; check setup matrix {matrix}: with one before each task, "
        "plans would reach beyond {most:span}",
        machine=machine.id,
        takes=machine.setup_matrix.longest_s,
        matrix=machine.setup_matrix.id,
        most=LONGEST_S,
    )
