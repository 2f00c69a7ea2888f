"""What plans cost, whoever made them: their score, and the same for people to read."""

from __future__ import annotations

import numpy as np

from plant.checks import require
from plant.plan import Plan, PlanCosts, SolverReport
from plant.text import told
from plant.work import Work
from scheduler.compiled import Records
from scheduler.decode import times_of
from scheduler.objective import rank
from scheduler.prefix import people_of, sequenced
from scheduler.problem import NONE, Problem
from scheduler.score import Score, near_of
from scheduler.timing import Sequence


def near_to(problem: Problem, plan: Plan | None) -> Records:
    """Return where a plan has the tasks of a problem, records of `scheduler.score.NEAR`; nothing of None."""
    machines, starts_s = np.full(len(problem.tasks), NONE), np.zeros(len(problem.tasks))
    if plan is not None:
        later_s = problem.work.seconds(plan.epoch)
        for one in plan.operations:
            task = problem.task_index.get(one.job_order)
            if task is not None:
                machines[task], starts_s[task] = problem.machine_index.get(one.machine, NONE), one.start_s + later_s
    return near_of(machines, starts_s)


def placed(problem: Problem, plan: Plan) -> tuple[Sequence, int]:
    """Return a plan of all of a problem as one list of steps and how many there are, attended as planned.

    Raises
    ------
    InvalidInput
        When the plan leaves a task out or has it where it cannot be, or is circular.
    """
    for number, task in enumerate(problem.tasks):
        planned = plan.by_job_order.get(task.id)
        there = planned is not None and problem.machine_index.get(planned.machine) in problem.options(number)
        require(
            there or task.running is not None,
            told("the plan has no place for {task} where it can be made; make a new plan", task=task.id),
        )
    found = sequenced(problem, plan)
    require(found is not None, told("the steps of the plan wait for each other in a circle; make a new plan"))
    assert found is not None
    for number, person in people_of(problem, plan).items():
        found[0].of["asked"][number] = person
    return found


def score_of(work: Work, plan: Plan, near: Plan | None = None) -> Score:
    """Return the score of a plan for `work`, timed as its sequences say.

    Parameters
    ----------
    near
        The plan it should be near to.

    Raises
    ------
    InvalidInput
        When it is no plan for all of the work, or circular.
    """
    problem = Problem(work)
    return times_of(problem, *placed(problem, plan), near_to(problem, near))[1]


def costs_of(score: Score) -> PlanCosts:
    """Return what a score says of costs."""
    return PlanCosts(score.setup, score.waiting, score.overtime, score.energy, score.moved)


def standing(report: SolverReport) -> tuple[float, ...]:
    """Return what plans are compared by, of equal waits and locks, as a report tells it: the smaller, the better.

    Empty where nothing was asked for or no costs are told.
    """
    objective, costs = report.objective, report.costs
    if objective is None or costs is None:
        return ()
    late_s, ends_s = report.weighted_tardiness_s, report.makespan_s
    told_of = Score(
        tardiness=late_s,
        makespan=ends_s,
        setup=costs.setup_s,
        waiting=costs.in_process_s,
        overtime=costs.overtime_s,
        energy=costs.energy,
        moved=costs.moved_s,
    )
    return rank(objective, told_of)
