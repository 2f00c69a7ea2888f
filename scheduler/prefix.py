"""What is already decided: the steps that open each machine's sequence and are not to be moved."""

from __future__ import annotations

from plant.plan import Plan
from scheduler.shop import Sequences, Shop, Step


def opening(shop: Shop, frozen: Plan | None) -> Sequences:
    """Return per machine the steps its sequence must begin with: what runs, then what is frozen.

    A frozen operation keeps its machine, its batch and its place among the frozen ones, and nothing is put before
    it. One that cannot be kept is left free: its machine cannot take it any more, or something it waits for is
    neither running nor frozen, so that holding its place would hold up the machine for an unknown time.
    """
    sequences = _running(shop)
    if frozen is None:
        return sequences
    kept = _keepable(shop, frozen)
    for machine, steps in enumerate(shop.sequences_of(frozen)):
        held = (tuple(task for task in step if kept[task] and machine in shop.durations[task]) for step in steps)
        sequences[machine] += [step for step in held if step]
    return sequences


def _running(shop: Shop) -> Sequences:
    """Return the running steps per machine, in the order they began; members of a running batch share a step."""
    sequences: Sequences = [[] for _ in shop.machines]
    batches: dict[tuple[int, str], list[int]] = {}
    singles: list[tuple[float, int, Step]] = []
    for number, task in enumerate(shop.tasks):
        if task.running is None:
            continue
        machine = shop.machine_index[task.running.machine]
        if task.running.batch is None:
            singles.append((task.running.started_s, machine, (number,)))
        else:
            batches.setdefault((machine, task.running.batch), []).append(number)
    for (machine, _), members in batches.items():
        running = shop.tasks[members[0]].running
        assert running is not None
        singles.append((running.started_s, machine, tuple(members)))
    for _, machine, step in sorted(singles):
        sequences[machine].append(step)
    return sequences


def _keepable(shop: Shop, frozen: Plan) -> list[bool]:
    """Tell per task whether it is frozen and waits only for tasks that run or are kept themselves."""
    kept = [False] * len(shop.tasks)
    for number, task in enumerate(shop.tasks):
        planned = frozen.by_job_order.get(task.id)
        if planned is None or shop.running[number]:
            continue
        allowed = shop.machine_index.get(planned.machine) in shop.durations[number]
        kept[number] = allowed and all(kept[before] or shop.running[before] for before in shop.predecessors[number])
    return kept
