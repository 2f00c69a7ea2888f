"""The plan in force, seen from a later moment: what of it still stands, at the times it would now run."""

from __future__ import annotations

from dataclasses import dataclass, replace

from plant.errors import InvalidInput
from plant.plan import Plan
from plant.text import told
from plant.work import Task, Work
from scheduler.decode import planned
from scheduler.prefix import people_of, sequenced
from scheduler.problem import Problem
from scheduler.score import Score


@dataclass(frozen=True)
class Kept:
    """What keeping a plan means now.

    Attributes
    ----------
    problem
        The tasks the plan still covers.
    plan
        Its sequences without what is done, what runs first, retimed from the work's epoch.
    orders
        Customer orders it covers to their end; of the others it makes a part at most.
    score
        What it costs at those times.
    """

    problem: Problem
    plan: Plan
    orders: frozenset[str]
    score: Score

    @property
    def work(self) -> Work:
        """The tasks the plan still covers."""
        return self.problem.work

    @property
    def cost(self) -> tuple[float, float]:
        """By how much locks and longest waits are missed, and the weighted tardiness: the smaller, the better."""
        # To the millisecond: plans that are alike in it may add it up in another order.
        return round(self.score.broken, 3), self.score.tardiness

    def changed_to(self, plan: Plan) -> Kept:
        """Return another plan of the same tasks, at the times it would run.

        Raises
        ------
        InvalidInput
            If the plan's sequences are circular.
        """
        retimed, score = _retimed(self.problem, plan)
        return replace(self, plan=retimed, score=score)


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
        there = plan.by_job_order.get(task.id)
        holds = there is not None and there.machine in task.machines
        if task.running is not None or (holds and all(before in stays for before in task.predecessors)):
            stays[task.id] = task
    partial = {task.order for task in work.tasks if task.id not in stays}
    covered = {task.order for task in stays.values()}
    orders = {name: demand for name, demand in work.orders.items() if name in covered}
    left = replace(work, tasks=tuple(_without(task, stays) for task in stays.values()), orders=orders)
    problem = Problem(left)
    retimed, score = _retimed(problem, plan)
    return Kept(problem, retimed, frozenset(orders) - partial, score)


def _retimed(problem: Problem, plan: Plan) -> tuple[Plan, Score]:
    """Return the plan's machine and person sequences at the times they would now run, and what that costs."""
    found = sequenced(problem, plan)
    if found is None:
        raise InvalidInput(told("the steps of the plan in force wait for each other in a circle; make a new plan"))
    for task, person in people_of(problem, plan).items():
        found[0].of["asked"][task] = person
    return planned(problem, *found)


def _without(task: Task, stays: dict[str, Task]) -> Task:
    """Return a running task without predecessors that do not stay; any other as it is."""
    if task.running is None or all(before in stays for before in task.predecessors):
        return task
    before = tuple(name for name in task.predecessors if name in stays)
    return replace(
        task,
        predecessors=before,
        waits={name: task.waits[name] for name in (*before, *task.ended_s) if name in task.waits},
    )
