"""What each order of a plan costs the others: each left out in turn, and the rest of the sequences timed anew.

What runs or is frozen stays: nobody can leave it out any more. Economists call it the externality of a job (H.
Mendelson and S. Whang, "Optimal incentive-compatible priority pricing for the M/M/1 queue", Operations Research 38
(1990)).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from plant.plan import CostToOthers, Plan, SolverReport
from plant.work import Work
from scheduler.compiled import Flags, Floats, Records, compiled
from scheduler.cost import costs_of, placed, score_of
from scheduler.problem import Problem, Shop
from scheduler.score import completed_at, late_cost
from scheduler.timing import Floor, Sequence, decode, new_floor, new_sequence, new_times


def costs_to_others(work: Work, plan: Plan, frozen: Collection[str] = ()) -> dict[str, CostToOthers]:
    """Return what each order costs the others, without the orders of which nothing can be left out.

    Parameters
    ----------
    plan
        Of all of `work`.
    frozen
        Tasks that stay, as far as all that they wait for stays, too.

    Raises
    ------
    InvalidInput
        When it is no plan for all of the work, or circular.
    """
    problem = Problem(work)
    sequence, steps = placed(problem, plan)
    count, shop, floor = len(problem.tasks), problem.shop, new_floor(problem.shop)
    times, trial, saved = new_times(count), new_sequence(count), np.zeros(2)
    decode(shop, sequence, times, floor, steps)
    completed = np.array([completed_at(shop, times, order) for order in range(len(work.orders))])
    may_go, of_order = ~_staying(problem, frozen), shop.tasks["order"][:-1]
    found = {}
    for name, order in problem.order_index.items():
        out = may_go & (of_order == order)
        if out.any():
            leave_out(shop, sequence, steps, out, trial, times, floor)
            compare(shop, completed, times, order, saved)
            found[name] = CostToOthers(*saved.tolist())
    return found


def priced(
    report: SolverReport, work: Work, plan: Plan, near: Plan | None = None, frozen: Plan | None = None
) -> SolverReport:
    """Return a report with what a plan costs at the planned times of `work`, and what each order costs the others.

    Parameters
    ----------
    near
        The plan it should be near to.
    frozen
        What of it cannot be left out any more.

    Raises
    ------
    InvalidInput
        When it is no plan for all of the work, or circular.
    """
    held = () if frozen is None else frozen.by_job_order
    costs = costs_of(score_of(work, plan, near))
    return replace(report, costs=costs, to_others=costs_to_others(work, plan, held))


def _staying(problem: Problem, frozen: Collection[str]) -> Flags:
    stays = problem.shop.tasks["running"][:-1].copy()
    for number, task in enumerate(problem.tasks):
        if task.id in frozen:
            stays[number] |= all(stays[before] for before in problem.predecessors(number))
    return np.asarray(stays)


@compiled
def leave_out(
    shop: Shop, sequence: Sequence, steps: int, out: Flags, trial: Sequence, times: Records, floor: Floor
) -> None:
    """Time a sequence without some tasks; `trial` and `times` are filled in. Nobody waits for what is left out."""
    left = 0
    for place in range(steps):
        first = sequence.steps[place]
        member, lead, last = first, -1, -1
        while member >= 0:
            trial.of[member] = sequence.of[member]
            if out[member]:
                times[member].finish = -np.inf
            else:
                if lead < 0:
                    lead = member
                    trial.of[lead].machine, trial.of[lead].asked = sequence.of[first].machine, sequence.of[first].asked
                else:
                    trial.of[last].joined = member
                trial.of[member].lead = lead
                last = member
            member = sequence.of[member].joined
        if lead >= 0:
            trial.of[last].joined = -1
            trial.steps[left] = lead
            left += 1
    decode(shop, trial, times, floor, left)


@compiled
def compare(shop: Shop, completed: Floats, times: Records, without: int, saved: Floats) -> None:
    """Fill in by how much less late, weighted, and earlier all orders but one are done than they were."""
    saved[:] = 0.0
    for order in range(shop.orders.size):
        if order != without and shop.last_edge[order] < shop.last_edge[order + 1]:
            now_s = completed_at(shop, times, order)
            saved[0] += late_cost(shop, order, completed[order]) - late_cost(shop, order, now_s)
            saved[1] += completed[order] - now_s
