"""A plan as a graph of steps: what waits for what once every machine's sequence is fixed.

A step is one operation, or the members of one batch. It waits for the step before it on its machine and for the
steps of its members' predecessors. The graph must be acyclic; `steps_of` checks that and sorts it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from plant.checks import require
from plant.errors import InvalidInput
from plant.plan import Plan, PlannedOperation
from plant.work import MachineOutlook, Task, Work


@dataclass(frozen=True, slots=True)
class Step:
    """One operation or batch at its place in its machine's sequence. Rows count `Work.tasks` from 0.

    Attributes
    ----------
    row
        Row of the first member; it stands for the step wherever a step is named by a number.
    members
        Rows of all members.
    waits_for
        Steps of the members' predecessors, without doubles; empty for a running step.
    after
        Step before it on the machine, None for the machine's first.
    floor_s
        Earliest begin that no other step causes: releases and the machine's availability, at least 0.
    setup_s
        Changeover before it, in working seconds.
    running
        It has begun already: no changeover, and only what is left of it is processed.
    """

    row: int
    members: tuple[int, ...]
    machine: str
    waits_for: tuple[int, ...]
    after: int | None
    floor_s: float
    setup_s: float
    running: bool

    @property
    def preceding(self) -> tuple[int, ...]:
        """All steps it waits for, those of its orders first."""
        if self.after is None or self.after in self.waits_for:
            return self.waits_for
        return (*self.waits_for, self.after)


def steps_of(work: Work, plan: Plan) -> tuple[Step, ...]:
    """Return the steps of `plan` in an order in which every step comes after all it waits for.

    Raises
    ------
    InvalidInput
        If the plan leaves out a task, names an unknown one, sends a task to a machine that cannot take it, does
        not begin with what is running, forms an impossible batch, or is circular.
    """
    _check_complete(work, plan)
    rows = {task.id: row for row, task in enumerate(work.tasks)}
    step_of = {member.job_order: rows[step[0].job_order] for step in _all_steps(plan) for member in step}
    steps: dict[int, Step] = {}
    for machine, sequence in plan.sequences.items():
        outlook, family, after = work.machines[machine], work.machines[machine].setup_family, None
        for members in sequence:
            tasks = [work.by_id[member.job_order] for member in members]
            _check_step(outlook, tasks, first=after is None)
            step = _step(outlook, tasks, [rows[task.id] for task in tasks], step_of, family, after)
            steps[step.row] = step
            family, after = tasks[0].setup_family, step.row
    return _sorted(work, steps)


def _all_steps(plan: Plan) -> Iterable[tuple[PlannedOperation, ...]]:
    for sequence in plan.sequences.values():
        yield from sequence


def _step(
    outlook: MachineOutlook,
    tasks: list[Task],
    rows: list[int],
    step_of: Mapping[str, int],
    family: str | None,
    after: int | None,
) -> Step:
    running = tasks[0].running is not None
    waits_for = () if running else tuple(dict.fromkeys(step_of[name] for task in tasks for name in task.predecessors))
    release_s = 0.0 if running else max(task.release_s for task in tasks)
    setup_s = 0.0 if running else outlook.setup_matrix.duration_s(family, tasks[0].setup_family)
    floor_s = max(0.0, release_s, outlook.available_from_s)
    return Step(rows[0], tuple(rows), outlook.id, waits_for, after, floor_s, setup_s, running)


def _check_complete(work: Work, plan: Plan) -> None:
    left_out = [task.id for task in work.tasks if task.id not in plan.by_job_order]
    require(not left_out, f"the plan leaves out {_some(left_out)}; plan every task of the work")
    unknown = [name for name in plan.by_job_order if name not in work.by_id]
    require(not unknown, f"the plan holds {_some(unknown)}, which the work does not; take what is done out of the plan")
    for operation in plan.operations:
        allowed = work.by_id[operation.job_order].durations_s
        require(
            operation.machine in allowed,
            f"the plan sends {operation.job_order} to {operation.machine}; it can go to {', '.join(allowed)}",
        )


def _check_step(outlook: MachineOutlook, tasks: list[Task], *, first: bool) -> None:
    names = ", ".join(task.id for task in tasks)
    running = {task.running is not None for task in tasks}
    require(len(running) == 1, f"{outlook.id}: batch {names} mixes running tasks with waiting ones")
    require(first or not running.pop(), f"{outlook.id}: {names} is running; it must come first on its machine")
    require(
        len(tasks) <= outlook.batch_capacity,
        f"{outlook.id}: {names} share one place; the machine takes {outlook.batch_capacity} at a time",
    )
    families = {task.setup_family for task in tasks}
    require(len(families) == 1, f"{outlook.id}: batch {names} mixes setup families {', '.join(sorted(families))}")


def _sorted(work: Work, steps: Mapping[int, Step]) -> tuple[Step, ...]:
    """Sort so that every step comes after all it waits for (Kahn's algorithm)."""
    waiting = {row: len(step.preceding) for row, step in steps.items()}
    followers: dict[int, list[int]] = {row: [] for row in steps}
    for row, step in steps.items():
        for before in step.preceding:
            followers[before].append(row)
    found = [row for row in sorted(steps) if waiting[row] == 0]
    for row in found:  # grows while it is walked
        for follower in followers[row]:
            waiting[follower] -= 1
            if waiting[follower] == 0:
                found.append(follower)
    if len(found) < len(steps):
        stuck = {row: step for row, step in steps.items() if waiting[row] > 0}
        circle = " -> ".join(work.tasks[row].id for row in _circle(stuck))
        raise InvalidInput(f"the plan is circular, each waits for the next: {circle}; change a machine's sequence")
    return tuple(steps[row] for row in found)


def _circle(stuck: Mapping[int, Step]) -> list[int]:
    """Return one circle among steps that each wait for another of them, its first step repeated at the end."""
    row = min(stuck)
    path: dict[int, None] = {}
    while row not in path:
        path[row] = None
        row = next(before for before in stuck[row].preceding if before in stuck)
    walked = list(path)
    return [*walked[walked.index(row) :], row]


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"
