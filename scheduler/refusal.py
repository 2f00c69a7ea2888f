"""What is refused before anything is tried: work of which no plan can be made, with what is wrong and where."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator

from plant.errors import InvalidInput
from plant.item import Attendance
from plant.text import Told, told
from plant.work import MachineOutlook, Task, Work

LONGEST_S = 1e10
"""Three centuries: beyond this, dates run out and whole seconds stop being exact in the solver's sums."""


def refuse(work: Work) -> None:
    """Raise `InvalidInput` for work that cannot be planned, with the first thing that is wrong.

    Times too long to count, a task that needs somebody where nobody can do it, a calendar that never opens.
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
        total_s += longest_s
        if not (math.isfinite(task.release_s) and longest_s + task.release_s <= LONGEST_S):
            yield _too_long(task, longest_s)
        if task.attendance is not Attendance.NONE and task.running is None and not _somebody(work, task, skills):
            yield told(
                "task {task} needs somebody who can do {skill}, and nobody can; give a person that skill",
                task=task.id,
                skill=task.skill or "it",
            )
    if total_s > LONGEST_S:
        yield told(
            "all tasks together take {total:span}; plans reach at most {most:span}", total=total_s, most=LONGEST_S
        )
    for machine in work.machines.values():
        if total_s + len(work.tasks) * machine.setup_matrix.longest_s > LONGEST_S:
            yield _too_long_a_setup(machine)


def _somebody(work: Work, task: Task, skills: Collection[str]) -> bool:
    return bool(work.people) if task.skill is None else task.skill in skills


def _too_long(task: Task, longest_s: float) -> Told:
    return told(
        "task {task} takes {takes:span} from {start:span} on; check its quantity and times per piece: plans "
        "reach at most {most:span}",
        task=task.id,
        takes=longest_s,
        start=task.release_s,
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
