"""A plan as machines meet it: per machine the steps in their order, checked against the work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from plant.errors import InvalidInput
from plant.plan import Plan
from plant.work import Task, Work


@dataclass(frozen=True)
class PlannedStep:
    """One task, or the members of a batch, at one place of a machine's sequence.

    Attributes
    ----------
    release_s
        When the last member's materials are there; 0 for a running step, which has begun.
    predecessors
        Tasks that must be complete before it begins; none for a running step.
    """

    machine: str
    tasks: tuple[Task, ...]
    running: bool
    release_s: float
    predecessors: tuple[str, ...]


def planned_steps(work: Work, plan: Plan) -> dict[str, tuple[PlannedStep, ...]]:
    """Return the steps of every machine of `work` in the order of `plan`.

    Raises
    ------
    InvalidInput
        If the plan leaves a task out or names one that is not in the work, uses an unknown machine or one that
        cannot take the task, overfills or mixes a batch, or puts anything before a running task.
    """
    _check_tasks(work, plan)
    steps: dict[str, tuple[PlannedStep, ...]] = dict.fromkeys(work.machines, ())
    for machine, sequence in plan.sequences.items():
        if machine not in work.machines:
            known = ", ".join(sorted(work.machines))
            raise InvalidInput(
                f"the plan puts {sequence[0][0].job_order} on the unknown machine {machine}; known are {known}"
            )
        steps[machine] = tuple(_step(work, machine, [op.job_order for op in step]) for step in sequence)
        _check_running(machine, steps[machine])
    return steps


def _check_tasks(work: Work, plan: Plan) -> None:
    missing = [task.id for task in work.tasks if task.id not in plan.by_job_order]
    if missing:
        raise InvalidInput(f"the plan leaves out {_some(missing)}; every task of the work needs its place")
    unknown = [name for name in plan.by_job_order if name not in work.by_id]
    if unknown:
        raise InvalidInput(f"the plan holds {_some(unknown)}, not in the work; make it from the same work")


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _step(work: Work, machine: str, names: list[str]) -> PlannedStep:
    tasks = tuple(work.by_id[name] for name in names)
    capacity = work.machines[machine].batch_capacity
    where = f"the plan's step {_some(names)} on {machine}"
    unable = [task.id for task in tasks if machine not in task.durations_s]
    if unable:
        raise InvalidInput(f"the plan puts {_some(unable)} on {machine}, which cannot take it")
    if len(tasks) > capacity:
        raise InvalidInput(f"{where} has {len(tasks)} members; at most {capacity} go together there")
    if len({task.setup_family for task in tasks}) > 1:
        raise InvalidInput(f"{where} mixes setup families; a batch has one")
    running = tasks[0].running is not None
    if any((task.running is not None) != running for task in tasks):
        raise InvalidInput(f"{where} mixes running and waiting tasks; nothing can join a batch that has begun")
    if running:
        return PlannedStep(machine, tasks, True, 0.0, ())
    predecessors = tuple(dict.fromkeys(name for task in tasks for name in task.predecessors))
    return PlannedStep(machine, tasks, False, max(task.release_s for task in tasks), predecessors)


def _check_running(machine: str, steps: tuple[PlannedStep, ...]) -> None:
    for place, step in enumerate(steps):
        if step.running and place > 0:
            raise InvalidInput(
                f"{step.tasks[0].id} runs on {machine}, but the plan puts {steps[0].tasks[0].id} before it; "
                "what runs stands first"
            )


def circle(steps: Mapping[str, tuple[PlannedStep, ...]], places: Mapping[str, int], complete: set[str]) -> str:
    """Describe who waits for whom on a floor that is stuck.

    Parameters
    ----------
    places
        Per machine, the place of the step that cannot begin.
    complete
        Tasks that are done.
    """
    home = {task.id: machine for machine, sequence in steps.items() for step in sequence for task in step.tasks}
    machine = next(name for name, sequence in steps.items() if places[name] < len(sequence))
    seen: list[str] = []
    while machine not in seen:
        seen.append(machine)
        machine = home[_awaited(steps[machine][places[machine]], complete)]
    links = [_link(steps, places, complete, home, name) for name in seen[seen.index(machine) :]]
    return "the plan is circular: " + "; ".join(links)


def _awaited(step: PlannedStep, complete: set[str]) -> str:
    return next(name for name in step.predecessors if name not in complete)


def _link(
    steps: Mapping[str, tuple[PlannedStep, ...]],
    places: Mapping[str, int],
    complete: set[str],
    home: Mapping[str, str],
    machine: str,
) -> str:
    step = steps[machine][places[machine]]
    awaited = _awaited(step, complete)
    waiting = next(task.id for task in step.tasks if awaited in task.predecessors)
    other = steps[home[awaited]][places[home[awaited]]]
    if other is step:
        return f"{waiting} on {machine} waits for {awaited}, which is in the same batch"
    if any(task.id == awaited for task in other.tasks):
        return f"{waiting} on {machine} waits for {awaited} on {home[awaited]}"
    return f"{waiting} on {machine} waits for {awaited}, which stands behind {other.tasks[0].id} on {home[awaited]}"
