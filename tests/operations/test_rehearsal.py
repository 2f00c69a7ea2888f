"""`operations.rehearsal`: solve, replay, judge; and the plan in force in the same futures."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest

from operations.rehearsal import rehearse, rehearse_plan
from plant.distribution import Distribution, Family, exponential
from plant.errors import Cancelled
from plant.plan import Plan
from plant.plant import Reliability
from plant.work import Work
from scheduler.check import check
from scheduler.solve import SolverSettings
from tests.scheduler.shops import HOUR, machine, task, work

SOLVER = SolverSettings(time_limit_s=60, effort=0.1, workers=1)


@pytest.fixture
def some() -> Work:
    failing = Reliability(exponential(20 * HOUR), Distribution(Family.LOGNORMAL, HOUR, 0.5))
    tasks = [
        task(
            f"{order}{place}",
            order,
            {"M1": HOUR, "M2": HOUR},
            *([f"{order}{place - 1}"] if place else []),
            variation=0.2,
        )
        for order in ("safe", "tight", "hopeless")
        for place in range(3)
    ]
    due = {"safe": 40 * HOUR, "tight": 3.2 * HOUR, "hopeless": HOUR}
    return work(tasks, [machine("M1", reliability=failing), machine("M2", reliability=failing)], due)


def test_the_verdict_tells_the_three_orders_apart(some: Work) -> None:
    rehearsal = rehearse(some, SOLVER, 400, 3)
    assert check(some, rehearsal.plan) == []
    on_time = {one.order: one.on_time for one in rehearsal.verdict.orders}
    assert on_time["safe"] > 0.95
    assert 0.05 < on_time["tight"] < 0.95
    assert on_time["hopeless"] < 0.05
    assert (rehearsal.verdict.replications, rehearsal.verdict.seed) == (400, 3)


def test_keeping_the_same_plan_sees_the_same_futures(some: Work) -> None:
    rehearsal = rehearse(some, SOLVER, 300, 5)
    assert rehearse_plan(some, rehearsal.plan, 300, 5) == rehearsal.verdict


def test_orders_the_plan_in_force_does_not_cover_are_not_judged(some: Work) -> None:
    plan = rehearse(some, SOLVER, 50, 1).plan
    less = Plan(plan.epoch, tuple(one for one in plan.operations if not one.job_order.startswith("tight2")))
    assert {one.order for one in rehearse_plan(some, less, 50, 1).orders} == {"safe", "hopeless"}


def test_nothing_to_do_gives_a_verdict_of_nothing(some: Work) -> None:
    empty = replace(some, tasks=(), orders={})
    rehearsal = rehearse(empty, SOLVER, 50, 1)
    assert (rehearsal.plan.operations, rehearsal.verdict.orders, rehearsal.verdict.bottleneck) == ((), (), None)


def test_it_travels_to_another_process_and_back(some: Work) -> None:
    rehearsal = rehearse(pickle.loads(pickle.dumps(some)), SOLVER, 50, 1)
    again = pickle.loads(pickle.dumps(rehearsal))
    assert (again.plan, again.verdict) == (rehearsal.plan, rehearsal.verdict)


def test_progress_reaches_one_and_cancelling_ends_it(some: Work) -> None:
    shares: list[float] = []
    rehearse(some, SOLVER, 50, 1, progress=lambda share, doing: shares.append(share))
    assert shares == sorted(shares)
    assert shares[-1] == 1

    def cancel(share: float, doing: str) -> None:
        raise Cancelled("asked to stop")

    with pytest.raises(Cancelled):
        rehearse(some, SOLVER, 50, 1, progress=cancel)
