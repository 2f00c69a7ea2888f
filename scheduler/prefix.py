"""What is already decided: the steps that open each machine's sequence and are not to be moved."""

from __future__ import annotations

from plant.plan import Plan, PlannedOperation
from scheduler.decode import Sequences, Step, in_order
from scheduler.problem import Problem
from scheduler.timing import Sequence


def opening(problem: Problem, frozen: Plan | None) -> Sequences:
    """Return per machine the steps its sequence must begin with: what runs, then what is frozen.

    A frozen operation keeps its machine, its batch and its place among the frozen ones, and nothing is put before
    it. One that cannot be kept is left free: its machine cannot take it any more, or something it waits for is
    neither running nor frozen, so that holding its place would hold up the machine for an unknown time.
    """
    sequences = _running(problem)
    if frozen is None:
        return sequences
    kept = _keepable(problem, frozen)
    for machine, steps in enumerate(sequences_of(problem, frozen)):
        held = (tuple(task for task in step if kept[task] and machine in problem.options(task)) for step in steps)
        sequences[machine] += [step for step in held if step]
    return sequences


def sequences_of(problem: Problem, plan: Plan) -> Sequences:
    """Return a plan's sequences in numbers; operations that are not in the work are left out."""
    index = problem.task_index
    found: Sequences = []
    for machine in problem.machines:
        steps = (
            tuple(index[one.job_order] for one in step if one.job_order in index)
            for step in plan.sequences.get(machine.id, ())
        )
        found.append([step for step in steps if step])
    return found


def sequenced(problem: Problem, plan: Plan) -> tuple[Sequence, int] | None:
    """Return a plan as one list of steps and how many there are: what runs first, then each machine as planned.

    Every task of the problem stands in the plan, or runs. Who attends a task is left open, but turns are taken as in
    the plan. None when steps wait for each other in a circle.
    """
    asked = people_of(problem, plan)
    attended = (
        [task for one in steps if (task := problem.task_index.get(one[0].job_order)) in asked]
        for steps in plan.person_sequences.values()
    )
    planned = [plan.by_job_order[task.id].start_s if task.id in plan.by_job_order else 0.0 for task in problem.tasks]
    turns = [[task for task in row if task is not None] for row in attended]
    return in_order(problem, _behind_running(problem, plan), planned, turns)


def _behind_running(problem: Problem, plan: Plan) -> Sequences:
    running = problem.shop.tasks["running"].tolist()
    sequences = opening(problem, None)
    for machine, steps in enumerate(sequences_of(problem, plan)):
        waiting = (tuple(task for task in step if not running[task]) for step in steps)
        sequences[machine] += [step for step in waiting if step]
    return sequences


def people_of(problem: Problem, plan: Plan) -> dict[int, int]:
    """Return who attends a task in a plan, in numbers: those who are still there and can still do it."""
    return {
        problem.task_index[one.job_order]: problem.person_index[one.person]
        for one in plan.operations
        if one.job_order in problem.task_index and one.person in problem.person_index and _can(problem, one)
    }


def _can(problem: Problem, one: PlannedOperation) -> bool:
    assert one.person is not None
    task, person = problem.task_index[one.job_order], problem.person_index[one.person]
    return bool(problem.shop.able[problem.shop.tasks["skill"][task], person])


def _running(problem: Problem) -> Sequences:
    """Return the running steps per machine, in the order they began; members of a running batch share a step."""
    sequences: Sequences = [[] for _ in problem.machines]
    batches: dict[tuple[int, str], list[int]] = {}
    singles: list[tuple[float, int, Step]] = []
    for number, task in enumerate(problem.tasks):
        if task.running is None:
            continue
        machine = problem.machine_index[task.running.machine]
        if task.running.batch is None:
            singles.append((task.running.started_s, machine, (number,)))
        else:
            batches.setdefault((machine, task.running.batch), []).append(number)
    for (machine, _), members in batches.items():
        running = problem.tasks[members[0]].running
        assert running is not None
        singles.append((running.started_s, machine, tuple(members)))
    for _, machine, step in sorted(singles):
        sequences[machine].append(step)
    return sequences


def _keepable(problem: Problem, frozen: Plan) -> list[bool]:
    """Tell per task whether it is frozen and waits only for tasks that run or are kept themselves."""
    kept = [False] * len(problem.tasks)
    running = problem.shop.tasks["running"]
    for number, task in enumerate(problem.tasks):
        planned = frozen.by_job_order.get(task.id)
        if planned is None or running[number]:
            continue
        allowed = problem.machine_index.get(planned.machine) in problem.options(number)
        kept[number] = allowed and all(kept[one] or running[one] for one in problem.predecessors(number))
    return kept
