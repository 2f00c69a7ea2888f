"""What is refused before anything is tried: work of which no plan can be made, with what is wrong and where."""

from __future__ import annotations

import math

from plant.checks import require
from plant.item import Attendance
from plant.text import told
from plant.work import Task, Work

LONGEST_S = 1e10
"""Three centuries: beyond this, dates run out and whole seconds stop being exact in the solver's sums."""


def refuse(work: Work) -> None:
    """Raise `InvalidInput` for work that cannot be planned.

    Times too long to count, a task that needs somebody where nobody can do it, a calendar that never opens.
    """
    skills = {skill for person in work.people.values() for skill in person.skills}
    for task in work.tasks:
        _refuse_times(task)
        require(
            task.attendance is Attendance.NONE or task.running is not None or _somebody(work, task, skills),
            told(
                "task {task} needs somebody who can do {skill}, and nobody can; give a person that skill",
                task=task.id,
                skill=task.skill or "it",
            ),
        )
    _refuse_sums(work)


def _somebody(work: Work, task: Task, skills: set[str]) -> bool:
    return bool(work.people) if task.skill is None else task.skill in skills


def _refuse_times(task: Task) -> None:
    longest = max(task.durations_s.values())
    require(
        math.isfinite(task.release_s) and longest + task.release_s <= LONGEST_S,
        told(
            "task {task} takes {takes:span} from {start:span} on; check its quantity and times per piece: plans "
            "reach at most {most:span}",
            task=task.id,
            takes=longest,
            start=task.release_s,
            most=LONGEST_S,
        ),
    )


def _refuse_sums(work: Work) -> None:
    total = sum(max(task.durations_s.values()) for task in work.tasks)
    require(
        total <= LONGEST_S,
        told("all tasks together take {total:span}; plans reach at most {most:span}", total=total, most=LONGEST_S),
    )
    for machine in work.machines.values():
        longest = machine.setup_matrix.longest_s
        require(
            total + len(work.tasks) * longest <= LONGEST_S,
            told(
                "a setup of {machine} takes {takes:span}; check setup matrix {matrix}: with one before each task, "
                "plans would reach beyond {most:span}",
                machine=machine.id,
                takes=longest,
                matrix=machine.setup_matrix.id,
                most=LONGEST_S,
            ),
        )
