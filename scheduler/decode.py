"""Sequences in, plan out: when everything runs if each step takes exactly its planned time.

The decision of a schedule is its sequences; the times follow from them by the rules every engine shares: a step
begins when its machine is free and its members are there, then comes the changeover, then the processing, both
interrupted by closed time, and attended by who has to.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping
from collections.abc import Sequence as Row
from itertools import pairwise

import numpy as np

from plant.checks import require
from plant.plan import Plan, PlannedOperation
from plant.work import Work
from scheduler.compiled import Records
from scheduler.problem import NONE, Problem
from scheduler.score import Aims, Score, everything, score_all
from scheduler.timing import Sequence, new_floor, new_sequence, new_times
from scheduler.timing import decode as timed

Step = tuple[int, ...]
Sequences = list[list[Step]]
"""One list of steps per machine, in the order of `Problem.machines`."""


def decode(work: Work, sequences: Mapping[str, Row[Row[str]]], people: Mapping[str, str] | None = None) -> Plan:
    """Return the plan that runs these sequences at planned durations, without failures.

    Parameters
    ----------
    sequences
        Per machine its steps in order; a step is the ids of the tasks it takes together.
    people
        Who attends a task; who is not named is chosen (see `scheduler.timing`).

    Raises
    ------
    InvalidInput
        When a task is missing, doubled or unknown, stands on a machine that cannot take it or in a batch that
        cannot be, does not stand first although it runs, or when steps wait for each other in a circle.
    """
    problem = Problem(work)
    unknown = [name for name in sequences if name not in problem.machine_index]
    require(not unknown, f"sequences name unknown machines {unknown}")
    named = {task for steps in sequences.values() for step in steps for task in step}
    strangers = sorted(named - set(problem.task_index))
    require(not strangers, f"sequences hold tasks that are not in the work: {strangers[:5]}")
    numbers: Sequences = [
        [tuple(problem.task_index[task] for task in step) for step in sequences.get(machine.id, ())]
        for machine in problem.machines
    ]
    refuse_misfits(problem, numbers)
    sequence = in_order(problem, numbers)
    require(sequence is not None, "steps wait for each other in a circle; check the sequences against the predecessors")
    assert sequence is not None
    for task, person in (people or {}).items():
        sequence[0].of["asked"][problem.task_index[task]] = problem.person_index[person]
    return as_plan(problem, *sequence)


def refuse_misfits(problem: Problem, sequences: Sequences) -> None:
    """Raise `InvalidInput` for a task that is missing, doubled or where it cannot be."""
    counts = Counter(task for steps in sequences for step in steps for task in step)
    wrong = [task.id for number, task in enumerate(problem.tasks) if counts[number] != 1]
    require(not wrong, f"each task must stand in the sequences once; missing or doubled: {wrong[:5]}")
    running = problem.shop.tasks["running"]
    for machine, steps in enumerate(sequences):
        outlook = problem.machines[machine]
        for place, step in enumerate(steps):
            _refuse_step(problem, machine, step)
            require(
                not running[step[0]] or all(running[other[0]] for other in steps[:place]),
                f"{problem.tasks[step[0]].id} runs on {outlook.id}; it must stand before what has not begun",
            )


def _refuse_step(problem: Problem, machine: int, step: Step) -> None:
    outlook, tasks = problem.machines[machine], [problem.tasks[task] for task in step]
    names = [task.id for task in tasks]
    require(bool(step), f"a step on {outlook.id} has no task")
    for task in step:
        require(machine in problem.options(task), f"{problem.tasks[task].id} cannot be made on {outlook.id}")
    if len(step) > 1:
        families = {task.setup_family for task in tasks}
        require(
            len(step) <= outlook.batch_capacity, f"{outlook.id} takes {outlook.batch_capacity} at once, not {names}"
        )
        require(len(families) == 1, f"a batch on {outlook.id} mixes the setup families {sorted(families)}: {names}")
        require(
            len({task.running is not None for task in tasks}) == 1,
            f"a batch on {outlook.id} mixes tasks that run with tasks that do not: {names}",
        )


def in_order(
    problem: Problem, sequences: Sequences, first: Row[float] | None = None, attended: Iterable[Row[int]] = ()
) -> tuple[Sequence, int] | None:
    """Return the sequences as one list of steps, each behind what it waits for, and how many there are.

    None when they wait for each other in a circle.

    Parameters
    ----------
    first
        Per task; of steps that could come next the one with the least comes.
    attended
        Per person the tasks they attend, in this order; one of each step.
    """
    sequence = new_sequence(len(problem.tasks))
    places = [
        (task, machine, step[0], after)
        for machine, steps in enumerate(sequences)
        for step in steps
        for task, after in zip(step, (*step[1:], NONE), strict=True)
    ]
    tasks, *columns = map(list, zip(*places, strict=True)) if places else [[]] * 4
    for name, column in zip(("machine", "lead", "joined"), columns, strict=True):
        sequence.of[name][tasks] = column
    leads = sequence.of["lead"].tolist()
    follows: dict[int, list[int]] = {step[0]: [] for steps in sequences for step in steps}
    missing = dict.fromkeys(follows, 0)
    pairs = [(one[0], two[0]) for steps in sequences for one, two in pairwise(steps)]
    pairs += [(leads[one], leads[two]) for tasks in attended for one, two in pairwise(tasks)]
    before, edges = problem.shop.before["task"].tolist(), problem.shop.tasks["before"].tolist()
    pairs += [(leads[one], leads[task]) for task in range(len(leads)) for one in before[edges[task] : edges[task + 1]]]
    for one, two in pairs:
        follows[one].append(two)
        missing[two] += 1
    rank = first if first is not None else range(len(leads))
    ready = [(rank[lead], lead) for lead, count in missing.items() if count == 0]
    heapq.heapify(ready)
    steps_ = 0
    while ready:
        _, lead = heapq.heappop(ready)
        sequence.steps[steps_] = lead
        steps_ += 1
        for after in follows[lead]:
            missing[after] -= 1
            if missing[after] == 0:
                heapq.heappush(ready, (rank[after], after))
    return (sequence, steps_) if steps_ == len(follows) else None


def times_of(problem: Problem, sequence: Sequence, steps: int, near: Records | None = None) -> tuple[Records, Score]:
    """Return when everything runs in a sequence, records of `scheduler.timing.TIME`, and its score.

    Parameters
    ----------
    near
        The plan to stay near to, records of `scheduler.score.NEAR`.
    """
    shop, times, aims = problem.shop, new_times(len(problem.tasks)), everything(len(problem.tasks))
    timed(shop, sequence, times, new_floor(shop), steps)
    parts = np.zeros(len(Score._fields))
    aims = aims if near is None else Aims(aims.weights, near)
    score_all(shop, aims, sequence, times, steps, np.zeros(shop.orders.size), parts)
    return times, Score(*parts.tolist())


def as_plan(problem: Problem, sequence: Sequence, steps: int) -> Plan:
    """Return the plan of a sequence, its operations in the order in which they are decided."""
    return planned(problem, sequence, steps)[0]


def planned(problem: Problem, sequence: Sequence, steps: int) -> tuple[Plan, Score]:
    """Return the plan of a sequence as `as_plan` does, and what it costs."""
    times, score = times_of(problem, sequence, steps)
    places = [0] * len(problem.machines)
    turns = [0] * len(problem.people)
    operations = []
    joined, machine_of = sequence.of["joined"].tolist(), sequence.of["machine"].tolist()
    start, finish, setup, who = (times[name].tolist() for name in ("start", "finish", "setup", "person"))
    for lead in sequence.steps[:steps].tolist():
        machine, person = machine_of[lead], who[lead]
        step = [lead]
        while joined[step[-1]] >= 0:
            step.append(joined[step[-1]])
        batch = _batch_id(problem, step)
        operations += [
            PlannedOperation(
                job_order=problem.tasks[task].id,
                machine=problem.machines[machine].id,
                position=places[machine],
                start_s=start[lead],
                end_s=finish[lead],
                setup_s=setup[lead],
                batch=batch,
                person=None if person < 0 else problem.people[person].id,
                person_position=None if person < 0 else turns[person],
            )
            for task in step
        ]
        places[machine] += 1
        if person >= 0:
            turns[person] += 1
    return Plan(problem.work.epoch, tuple(operations)), score


def _batch_id(problem: Problem, step: Row[int]) -> str | None:
    """Return the id of a batch: the one it runs under, else one named after its first member (stable over replans)."""
    running = problem.tasks[step[0]].running
    if running is not None:
        return running.batch
    return f"batch of {problem.tasks[step[0]].id}" if len(step) > 1 else None
