"""Sequences in, plan out: when everything runs if each step takes exactly its planned time.

The decision of a schedule is its sequences; the times follow from them by the rules every engine shares: a step
begins when its machine is free and its members are ready, then comes the setup, then the processing, both
interrupted by closed time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from plant.checks import require
from plant.plan import Plan, PlannedOperation
from plant.work import Work
from scheduler.shop import Sequences, Shop, Step, Times


def decode(work: Work, sequences: Mapping[str, Sequence[Sequence[str]]]) -> Plan:
    """Return the plan that runs these sequences at planned durations, without failures.

    Parameters
    ----------
    sequences
        Per machine its steps in order; a step is the ids of the tasks it takes together.

    Raises
    ------
    InvalidInput
        When a task is missing, doubled or unknown, stands on a machine that cannot take it or in a batch that
        cannot be, does not stand first although it runs, or when steps wait for each other in a circle.
    """
    shop = Shop(work)
    unknown = [name for name in sequences if name not in shop.machine_index]
    require(not unknown, f"sequences name unknown machines {unknown}")
    named = {task for steps in sequences.values() for step in steps for task in step}
    strangers = sorted(named - set(shop.task_index))
    require(not strangers, f"sequences hold tasks that are not in the work: {strangers[:5]}")
    numbers: Sequences = [
        [tuple(shop.task_index[task] for task in step) for step in sequences.get(machine.id, ())]
        for machine in shop.machines
    ]
    refuse_misfits(shop, numbers)
    times = shop.times(numbers)
    require(times is not None, "steps wait for each other in a circle; check the sequences against the predecessors")
    assert times is not None
    return as_plan(shop, numbers, times)


def refuse_misfits(shop: Shop, sequences: Sequences) -> None:
    """Raise `InvalidInput` for a task that is missing, doubled or where it cannot be."""
    counts = Counter(task for steps in sequences for step in steps for task in step)
    wrong = [task.id for number, task in enumerate(shop.tasks) if counts[number] != 1]
    require(not wrong, f"each task must stand in the sequences once; missing or doubled: {wrong[:5]}")
    for machine, steps in enumerate(sequences):
        outlook = shop.machines[machine]
        for place, step in enumerate(steps):
            _refuse_step(shop, machine, step)
            require(
                not shop.running[step[0]] or all(shop.running[other[0]] for other in steps[:place]),
                f"{shop.tasks[step[0]].id} runs on {outlook.id}; it must stand before what has not begun",
            )


def _refuse_step(shop: Shop, machine: int, step: Step) -> None:
    outlook = shop.machines[machine]
    names = [shop.tasks[task].id for task in step]
    require(bool(step), f"a step on {outlook.id} has no task")
    for task in step:
        require(machine in shop.durations[task], f"{shop.tasks[task].id} cannot be made on {outlook.id}")
    if len(step) > 1:
        families = {shop.family[task] for task in step}
        require(
            len(step) <= outlook.batch_capacity, f"{outlook.id} takes {outlook.batch_capacity} at once, not {names}"
        )
        require(len(families) == 1, f"a batch on {outlook.id} mixes the setup families {sorted(families)}: {names}")
        require(
            len({shop.running[task] for task in step}) == 1,
            f"a batch on {outlook.id} mixes tasks that run with tasks that do not: {names}",
        )


def as_plan(shop: Shop, sequences: Sequences, times: Times) -> Plan:
    """Return the plan of these sequences, machine by machine in the order of their steps."""
    return Plan(
        shop.work.epoch,
        tuple(
            PlannedOperation(
                job_order=shop.tasks[task].id,
                machine=outlook.id,
                position=place,
                start_s=times.start[task],
                end_s=times.finish[task],
                setup_s=times.setup[task],
                batch=_batch_id(shop, step),
            )
            for outlook, steps in zip(shop.machines, sequences, strict=True)
            for place, step in enumerate(steps)
            for task in step
        ),
    )


def _batch_id(shop: Shop, step: Step) -> str | None:
    """Return the id of a batch: the one it runs under, else one named after its first member (stable over replans)."""
    running = shop.tasks[step[0]].running
    if running is not None:
        return running.batch
    return f"batch of {shop.tasks[step[0]].id}" if len(step) > 1 else None
