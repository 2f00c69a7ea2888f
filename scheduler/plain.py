"""The part of a problem that the constraint model knows, as plain lists: machines, calendars, setups, orders."""

from __future__ import annotations

from functools import cached_property

from plant.item import Attendance
from scheduler.problem import Problem

Step = tuple[int, ...]


class Plain:
    """A problem without people, ways, waits and locks."""

    def __init__(self, problem: Problem) -> None:
        self.work = problem.work
        self.machines = problem.machines
        self.tasks = problem.tasks
        shop = problem.shop
        self.durations: list[dict[int, float]] = [
            {machine: float(shop.duration[task, machine]) for machine in problem.options(task)}
            for task in range(len(problem.tasks))
        ]
        self.predecessors = [tuple(problem.predecessors(task)) for task in range(len(problem.tasks))]
        self.running: list[bool] = shop.tasks["running"].tolist()
        self.release: list[float] = shop.tasks["release"].tolist()
        self.is_last: list[bool] = shop.tasks["is_last"].tolist()
        self.free: list[float] = shop.machines["free"].tolist()
        self.family = [task.setup_family for task in problem.tasks]
        self.order = [task.order for task in problem.tasks]

    @cached_property
    def is_all(self) -> bool:
        """Whether the problem has nothing that is left out here."""
        return not self.work.transport_s and all(
            task.attendance is Attendance.NONE
            and task.interruptible
            and not task.waits
            and task.lock is None
            and task.rework is None
            for task in self.tasks
        )

    def duration(self, machine: int, step: Step) -> float:
        """Return the working seconds a machine processes a step: those of its longest member."""
        return max(self.durations[task][machine] for task in step)

    def setup(self, machine: int, family: str | None, step: Step) -> float:
        """Return the working seconds of the changeover from `family` to a step."""
        if self.running[step[0]]:
            return 0.0
        return self.machines[machine].setup_matrix.duration_s(family, self.family[step[0]])
