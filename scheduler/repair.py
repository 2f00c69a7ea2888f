"""The plan in force after something happened: right-shifted at once, and no more changed than it must be.

Sequences stay and times shift. What the plan does not hold (new orders, work to be done again) is put into gaps; a
rush order at once, and others give way. What waits for a machine that is down moves where an idle machine ends it
sooner. What somebody locked goes to its moment. A few passes through the plan, no search: `scheduler.solve` may follow.

Right-shift repair: Abumaizar and Svestka, International Journal of Production Research 35 (1997); match-up with the old
sequences: Vieira, Herrmann and Lin, Journal of Scheduling 6 (2003).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from plant.order import Priority
from plant.plan import Plan, SolverReport
from plant.work import Task, Work
from scheduler.insertion import Board, insert
from scheduler.keep import Kept, keep
from scheduler.keep_locks import at_their_locks

MOST_MOVED = 0.05
"""Share of a plan's operations that may go to another machine."""

_ROUNDS = 2
"""How often what waits for machines that are down is looked through: what moved lets others begin earlier."""
_PAYS_S = 900.0
"""An operation moves to another machine if it ends earlier by at least this."""


@dataclass(frozen=True)
class Repaired:
    """A plan that was repaired.

    Attributes
    ----------
    moved
        Job orders that went to another machine than the plan in force has them on.
    added
        Job orders it did not hold, or whose place it could not keep.
    """

    plan: Plan
    report: SolverReport
    moved: tuple[str, ...]
    added: tuple[str, ...]


def repair(work: Work, plan: Plan, frozen: Plan | None = None, most_moved: float = MOST_MOVED) -> Repaired:
    """Return `plan`, made possible for `work` again.

    Parameters
    ----------
    frozen
        Operations that keep machine and place, with nothing put before them, as far as their machine can take them.
    most_moved
        Share of the operations that may go to another machine though theirs can still take them.

    Raises
    ------
    InvalidInput
        If the plan's sequences are circular: it was never a plan that could run.
    """
    began = time.monotonic()
    held = frozenset() if frozen is None else frozenset(frozen.by_job_order)
    machines = {one.job_order: one.machine for one in plan.operations}
    kept = _around_machines_down(work, keep(work, plan), held, int(most_moved * len(work.tasks)))
    left_out = [task for task in work.tasks if task.id not in kept.work.by_id]
    found = at_their_locks(work, _inserted(work, kept, left_out, held, machines), held)
    repaired, score = found.plan, found.score
    moved = [name for name, one in repaired.by_job_order.items() if machines.get(name, one.machine) != one.machine]
    report = SolverReport("repair", "feasible", score.tardiness, score.makespan, time.monotonic() - began, seed=0)
    return Repaired(repaired, report, tuple(sorted(moved)), tuple(task.id for task in left_out))


def in_order_of_need(work: Work, tasks: Sequence[Task]) -> list[Task]:
    """Return tasks by priority and due date of their orders, each behind those of them that it waits for."""
    waiting = {task.id: task for task in tasks}
    found: list[Task] = []

    def visit(task: Task) -> None:
        if waiting.pop(task.id, None) is None:
            return
        for before in task.predecessors:
            if before in waiting:
                visit(waiting[before])
        found.append(task)

    for task in sorted(tasks, key=lambda one: (-_weight(work, one), work.orders[one.order].due_s)):
        visit(task)
    return found


def _weight(work: Work, task: Task) -> float:
    return work.orders[task.order].priority.weight


def _inserted(
    work: Work, kept: Kept, left_out: Sequence[Task], held: Iterable[str], machines: Mapping[str, str]
) -> Kept:
    """Return what is kept with what it leaves out: rush orders first and at once, the others into gaps."""
    needed = in_order_of_need(work, left_out)
    rush = [task for task in needed if work.orders[task.order].priority is Priority.HIGH]
    others = [task for task in needed if work.orders[task.order].priority is not Priority.HIGH]
    for tasks, pushing in ((rush, True), (others, False)):
        if tasks:
            board = Board(work, kept.plan, held)
            insert(board, tasks, machines, pushing=pushing)
            kept = keep(work, board.plan())
    return kept


def _around_machines_down(work: Work, kept: Kept, held: frozenset[str], most: int) -> Kept:
    """Move what waits for machines that are down where others have time for it; nothing else is put back for it."""
    down = [machine.id for machine in work.machines.values() if machine.available_from_s > 0]
    left = most
    for _ in range(_ROUNDS):
        board, before = Board(kept.work, kept.plan, held), left
        for machine in down:
            left -= _move_from(board, kept, machine, held, left)
        if left == before:
            break
        changed = kept.changed_to(board.plan())
        if changed.cost > kept.cost:
            break
        kept = changed
    return kept


def _move_from(board: Board, kept: Kept, machine: str, held: frozenset[str], most: int) -> int:
    """Move tasks from a machine to gaps of others as far as they end earlier there; return how many moved."""
    moved = 0
    for step in list(board.steps[machine]):
        for name in list(step.members):
            task = kept.work.by_id[name]
            if moved >= most or step.fixed or name in held or len(task.machines) < 2:
                continue
            fits = [fit for fit in board.fits(task, pushing=False) if fit.machine != machine]
            best = min(fits, key=lambda fit: fit.end_s)
            if best.end_s < step.end_s - _PAYS_S:
                board.take(name, machine)
                board.put(task, best)
                moved += 1
    return moved
