"""The plan in force, seen from a later moment: what of it still stands, at the times it would now run."""

from __future__ import annotations

from dataclasses import dataclass

from plant.checks import require
from plant.plan import Plan
from plant.text import told
from plant.work import Task, Work
from scheduler.decode import as_plan
from scheduler.prefix import opening
from scheduler.shop import Shop


@dataclass(frozen=True)
class Kept:
    """What keeping a plan means now.

    Attributes
    ----------
    work
        The tasks the plan still covers.
    plan
        Its sequences without what is done, what runs first, retimed from the work's epoch.
    orders
        Customer orders it covers to their end; of the others it makes a part at most.
    """

    work: Work
    plan: Plan
    orders: frozenset[str]


def keep(work: Work, plan: Plan) -> Kept:
    """Return what is left of `plan` for `work`.

    A task stays when it runs, or when the plan holds it on a machine that can still take it and everything it
    waits for stays, too. What came after the plan was made (new orders, work to be done again that the plan does
    not hold) is left out.

    Raises
    ------
    InvalidInput
        If the plan's sequences are circular: it was never a plan that could run.
    """
    stays: dict[str, Task] = {}
    for task in work.tasks:
        planned = plan.by_job_order.get(task.id)
        holds = planned is not None and planned.machine in task.durations_s
        if task.running is not None or (holds and all(before in stays for before in task.predecessors)):
            stays[task.id] = task
    partial = {task.order for task in work.tasks if task.id not in stays}
    begun = {task.order for task in stays.values()}
    orders = {name: demand for name, demand in work.orders.items() if name in begun}
    left = Work(work.epoch, tuple(_without(task, stays) for task in stays.values()), work.machines, orders)
    shop = Shop(left)
    sequences = opening(shop, None)
    for machine, steps in enumerate(shop.sequences_of(plan)):
        waiting = (tuple(task for task in step if not shop.running[task]) for step in steps)
        sequences[machine] += [step for step in waiting if step]
    times = shop.times(sequences)
    require(times is not None, told("the steps of the plan in force wait for each other in a circle; make a new plan"))
    assert times is not None
    return Kept(left, as_plan(shop, sequences, times), frozenset(orders) - partial)


def _without(task: Task, stays: dict[str, Task]) -> Task:
    """Return a running task without predecessors that do not stay; any other as it is."""
    if task.running is None or all(before in stays for before in task.predecessors):
        return task
    return Task(**{**vars(task), "predecessors": tuple(name for name in task.predecessors if name in stays)})
