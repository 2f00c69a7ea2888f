"""A new plan near the one in force: how much it may change, and what that leaves of the work's freedom.

People have set machines up, fetched tools and told customers dates. What moves to another machine costs them all of
that, so only a share of the operations is free to move, those first whose orders are late; the others keep their
machine and find their best order on it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from plant.checks import require, require_not_negative
from plant.plan import Plan
from plant.text import told
from plant.work import Task, Work
from scheduler.repair import MOST_MOVED


@dataclass(frozen=True)
class Nearness:
    """How near a new plan stays to the one in force.

    Attributes
    ----------
    most_moved
        Share of the operations that may go to another machine.
    worth_s
        More of them may, if each brings at least so many seconds of weighted tardiness.
    """

    most_moved: float = MOST_MOVED
    worth_s: float = 4 * 3600.0

    def __post_init__(self) -> None:
        require(
            0 <= self.most_moved <= 1,
            told("most_moved must be between 0 and 1, not {value}", value=self.most_moved),
        )
        require_not_negative("worth_s", self.worth_s)


def moved(work: Work, before: Plan, after: Plan) -> list[str]:
    """Return the job orders of `work` that `after` has on another machine than `before`."""
    machines = {one.job_order: one.machine for one in before.operations}
    return [
        one.job_order
        for one in after.operations
        if one.job_order in work.by_id and machines.get(one.job_order, one.machine) != one.machine
    ]


def near(work: Work, before: Plan, repaired: Plan, most_moved: float) -> Work:
    """Return `work` with all but a share of its tasks bound to the machine that `repaired` has them on.

    Every plan for it is a plan for `work` that has at most that share on other machines than `before`; only what
    `before` does not hold, or not on a machine that can take it, comes on top.

    Parameters
    ----------
    before
        The plan to stay near to.
    repaired
        The same plan, made possible for `work`.
    """
    machine = {one.job_order: one.machine for one in repaired.operations}
    place = before.by_job_order
    new = {task.id for task in work.tasks if task.id not in place or place[task.id].machine not in task.machines}
    gone = [name for name in moved(work, before, repaired) if name not in new]
    left = max(int(most_moved * len(work.tasks)) - len(gone), 0)
    free = {*new, *gone, *_neediest(work, repaired, {*new, *gone}, left)}
    bound = [task if task.id in free else _bound(task, machine[task.id]) for task in work.tasks]
    return replace(work, tasks=tuple(bound))


def _bound(task: Task, machine: str) -> Task:
    return task if len(task.machines) == 1 else replace(task, durations_s={machine: task.durations_s[machine]})


def _neediest(work: Work, plan: Plan, besides: Iterable[str], count: int) -> list[str]:
    """Return tasks that could go elsewhere, those first that cost their orders most."""
    ends_s: dict[str, float] = {}
    for task in work.tasks:
        ends_s[task.order] = max(ends_s.get(task.order, 0.0), plan.by_job_order[task.id].end_s)
    cost = {
        name: demand.priority.weight * (ends_s[name] - demand.due_s)
        for name, demand in work.orders.items()
        if name in ends_s
    }
    excluded = set(besides)
    able = [task for task in work.tasks if len(task.machines) > 1 and task.id not in excluded]
    able.sort(key=lambda task: (-cost[task.order], plan.by_job_order[task.id].start_s))
    return [task.id for task in able[:count]]
