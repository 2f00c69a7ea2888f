"""Is a plan possible? Checked from the work alone, by other code than what makes plans."""

from __future__ import annotations

from collections.abc import Iterator

from plant.plan import Plan, PlannedOperation
from plant.work import MachineOutlook, Work

TOLERANCE_S = 1e-6


def check(work: Work, plan: Plan) -> list[str]:
    """Return everything that makes `plan` impossible for `work` at planned durations; empty when it is possible.

    Looked at: every task planned once and where it can be made; releases and predecessors; one step at a time on
    a machine, with the setup between them after both the job and the machine are there; closed time, and machines
    that are down; batches of one family, within capacity, with one start and one end; what runs stays first.
    """
    planned = plan.by_job_order
    problems = [f"{task.id} is not in the plan" for task in work.tasks if task.id not in planned]
    problems += [f"{name} is in the plan but not in the work" for name in planned if name not in work.by_id]
    if problems:
        return problems
    problems += _misplaced(work, plan)
    if problems:
        return problems
    problems += _precedence(work, plan)
    for machine, steps in plan.sequences.items():
        problems += _sequence(work, plan, work.machines[machine], steps)
    return problems


def _misplaced(work: Work, plan: Plan) -> Iterator[str]:
    for operation in plan.operations:
        if operation.machine not in work.by_id[operation.job_order].durations_s:
            yield f"{operation.job_order} cannot be made on {operation.machine}"


def _precedence(work: Work, plan: Plan) -> Iterator[str]:
    for task in work.tasks:
        if task.running is not None:
            continue
        operation = plan.by_job_order[task.id]
        if not _has_room(work.machines[operation.machine], operation, task.release_s):
            yield f"{task.id} starts at {operation.start_s:.0f} s, too early for its release at {task.release_s:.0f} s"
        for before in task.predecessors:
            ended = plan.by_job_order[before].end_s
            if not _has_room(work.machines[operation.machine], operation, ended):
                yield f"{task.id} starts at {operation.start_s:.0f} s, too early for {before}, done at {ended:.0f} s"


def _has_room(machine: MachineOutlook, operation: PlannedOperation, since_s: float) -> bool:
    """Tell whether the setup and then the processing fit behind `since_s`."""
    worked = machine.working_time.worked_at(operation.start_s) - machine.working_time.worked_at(since_s)
    return operation.start_s >= since_s - TOLERANCE_S and worked >= operation.setup_s - TOLERANCE_S


def _sequence(
    work: Work, plan: Plan, machine: MachineOutlook, steps: tuple[tuple[PlannedOperation, ...], ...]
) -> list[str]:
    problems: list[str] = []
    free, family, idle = max(machine.available_from_s, 0.0), machine.setup_family, False
    for step in steps:
        first = step[0]
        running = work.by_id[first.job_order].running is not None
        if running and idle:
            problems.append(f"{first.job_order} runs on {machine.id} but is planned behind what has not begun")
        idle = idle or not running
        problems += _batch(work, machine, step)
        expected = 0.0 if running else machine.setup_matrix.duration_s(family, work.by_id[first.job_order].setup_family)
        problems += _timing(work, machine, step, free, expected)
        free = max(operation.end_s for operation in step)
        family = work.by_id[first.job_order].setup_family
    return problems


def _timing(
    work: Work, machine: MachineOutlook, step: tuple[PlannedOperation, ...], free: float, expected_setup: float
) -> Iterator[str]:
    first, working_time = step[0], machine.working_time
    if abs(first.setup_s - expected_setup) > TOLERANCE_S:
        yield f"{first.job_order} has {first.setup_s:.0f} s of setup on {machine.id}, not {expected_setup:.0f} s"
    if not _has_room(machine, first, free):
        yield f"{first.job_order} starts at {first.start_s:.0f} s; {machine.id} is busy or down until {free:.0f} s"
    if abs(working_time.begin(first.start_s) - first.start_s) > TOLERANCE_S:
        yield f"{first.job_order} starts at {first.start_s:.0f} s, when {machine.id} is closed"
    processing = 0.0
    for operation in step:
        task = work.by_id[operation.job_order]
        processing = max(processing, task.running.remaining_s if task.running else task.durations_s[machine.id])
    end = working_time.finish(first.start_s, processing)
    if abs(end - first.end_s) > TOLERANCE_S:
        yield f"{first.job_order} ends at {first.end_s:.0f} s on {machine.id}, not at {end:.0f} s as its work needs"


def _batch(work: Work, machine: MachineOutlook, step: tuple[PlannedOperation, ...]) -> Iterator[str]:
    if len(step) == 1:
        return
    names = ", ".join(operation.job_order for operation in step)
    if len(step) > machine.batch_capacity:
        yield f"{machine.id} takes {machine.batch_capacity} jobs at once, not {len(step)}: {names}"
    if len({work.by_id[operation.job_order].setup_family for operation in step}) > 1:
        yield f"a batch on {machine.id} mixes setup families: {names}"
    if len({(operation.setup_s, operation.start_s, operation.end_s, operation.batch) for operation in step}) > 1:
        yield f"a batch on {machine.id} does not share start, end and id: {names}"
    if step[0].batch is None:
        yield f"a batch on {machine.id} has no id: {names}"
