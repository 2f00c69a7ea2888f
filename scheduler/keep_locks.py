"""What somebody locked, back at its moment in a repaired plan: what stands in its way goes behind it.

Where it is late for what it waits for, that goes first, at once, on the machines that have it. Each change is kept only
where locks and longest waits are missed by less then, or as much and orders are less late.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from plant.plan import Plan
from plant.work import Task, Work
from scheduler.insertion import Board
from scheduler.keep import Kept

_KEPT_S = 1.0
"""A lock that is missed by less is kept."""


def at_their_locks(work: Work, kept: Kept, held: Collection[str]) -> Kept:
    """Return a plan in which as much as possible of what is locked begins at its moment.

    Parameters
    ----------
    kept
        A plan of all of `work`.
    held
        Job orders that keep machine and place, and before which nothing is put.
    """
    locked = [task for task in work.tasks if task.lock is not None and task.running is None and task.id not in held]
    for task in sorted(locked, key=_moment_s):
        for first in ((), tuple(_before(work, task, held))):
            if _is_late(work, kept.plan, task):
                changed = _moved(work, kept, task, first, held)
                kept = changed if changed.cost < kept.cost else kept
    return kept


def _moment_s(task: Task) -> float:
    assert task.lock is not None
    return task.lock.start_s


def _is_late(work: Work, plan: Plan, task: Task) -> bool:
    """Tell whether the machine begins later with a task, its changeover included, than it is locked to."""
    planned = plan.by_job_order[task.id]
    worked_at = work.machines[planned.machine].working_time.worked_at
    return worked_at(planned.start_s) - planned.setup_s > worked_at(_moment_s(task)) + _KEPT_S


def _before(work: Work, task: Task, held: Collection[str]) -> Iterator[Task]:
    """Yield what a task waits for, directly or through others, as far as it may move: each behind what it waits for."""
    needed = {task.id}
    for one in reversed(work.tasks):
        if one.id in needed:
            needed.update(one.predecessors)
    for one in work.tasks:
        free = one.running is None and one.lock is None and one.id not in held
        if one.id in needed and one is not task and free:
            yield one


def _moved(work: Work, kept: Kept, task: Task, first: Collection[Task], held: Collection[str]) -> Kept:
    """Return the plan with some tasks at once on their machines, and then a locked one at its moment."""
    plan = kept.plan
    board, machine = Board(work, plan, held), plan.by_job_order[task.id].machine
    for one in first:
        board.take(one.id, plan.by_job_order[one.id].machine)
    board.take(task.id, machine)
    for one in first:
        there = plan.by_job_order[one.id].machine
        board.put(one, next(fit for fit in board.fits(one, pushing=True) if fit.machine == there))
    board.put(task, board.at_its_lock(task, plan.by_job_order[task.id].start_s))
    return kept.changed_to(board.plan())
