"""`operations.rehearsal`: solve, replay, judge; and the plan in force in the same futures."""

from __future__ import annotations

import pickle
from dataclasses import replace
from itertools import pairwise

import pytest

from operations.futures import Futures
from operations.rehearsal import Terms, examine, rehearse
from operations.remedies import RemedyRules
from plant.distribution import Distribution, Family, exponential
from plant.errors import Cancelled
from plant.plan import Plan
from plant.plant import Reliability
from plant.work import Work
from scheduler.check import check
from scheduler.keep import keep
from scheduler.solve import SolverSettings
from tests.scheduler.shops import HOUR, machine, random_work, task, work
from twin.replay import Replay

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


def test_examining_the_same_plan_again_sees_the_same_futures(some: Work) -> None:
    rehearsal = rehearse(some, SOLVER, 300, 5)
    assert examine(some, rehearsal.plan, 300, 5).verdict == rehearsal.verdict
    assert Futures(300, 5).keeping(some, rehearsal.plan).orders == rehearsal.verdict.orders


def test_orders_the_plan_in_force_does_not_cover_are_not_judged(some: Work) -> None:
    plan = rehearse(some, SOLVER, 50, 1).plan
    less = Plan(plan.epoch, tuple(one for one in plan.operations if not one.job_order.startswith("tight2")))
    assert {one.order for one in Futures(50, 1).keeping(some, less).orders} == {"safe", "hopeless"}


def test_a_plan_is_judged_against_the_plan_in_force_in_the_same_futures(some: Work) -> None:
    """The hopeless order refuses the first plan, and is a note from then on: it is late either way."""
    first = rehearse(some, SOLVER, 200, 1)
    assert not first.judgement.passed
    again = examine(some, first.plan, 200, 1, in_force=first.plan)
    assert again.judgement.passed
    assert again.verdict == first.verdict
    assert len(again.judgement.notes) == len(first.judgement.reasons)


def test_a_new_order_that_no_plan_helps_does_not_refuse_a_plan_nobody_asked_for(some: Work) -> None:
    """The plan in force knows nothing of the hopeless order, which is late alone in the shop, too."""
    plan = rehearse(some, SOLVER, 200, 1).plan
    before = Plan(plan.epoch, tuple(one for one in plan.operations if not one.job_order.startswith("hopeless")))
    assert not examine(some, plan, 200, 1, in_force=before).judgement.passed, "whoever asked can agree on another date"
    terms = Terms(asked_for=False)
    found = examine(some, plan, 200, 1, in_force=before, terms=terms).judgement.in_english()
    assert found.passed, found.reasons
    assert any("hopeless" in str(one) and "Alone in the shop" in str(one) for one in found.notes)


def test_a_plan_that_there_was_no_time_to_look_for_is_noted_as_such() -> None:
    late = random_work(3, most_orders=5)
    late = replace(late, orders={name: replace(one, due_s=1.0) for name, one in late.orders.items()})
    terms = Terms(remedies=RemedyRules(most=0))
    hurried = rehearse(late, replace(SOLVER, time_limit_s=1e-6), 50, 1, terms=terms)
    assert hurried.report.unsearched
    (note,) = (str(one) for one in hurried.judgement.notes if "time ran out" in str(one))
    assert note.startswith("The time ran out before the search for a better plan began")
    assert "`forerun compile`" in note
    looked_for = rehearse(late, SOLVER, 50, 1, terms=terms)
    assert not looked_for.report.unsearched
    assert not any("time ran out" in str(one) for one in looked_for.judgement.notes)


def test_a_plan_that_moves_what_is_frozen_is_refused(some: Work) -> None:
    plan = rehearse(some, SOLVER, 50, 1).plan
    first, second = next(
        (one[0], other[0])
        for steps in plan.sequences.values()
        for one, other in pairwise(steps)
        if one[0].job_order[:-1] != other[0].job_order[:-1]
    )
    frozen = Plan(plan.epoch, tuple(one for one in plan.operations if one.start_s <= first.start_s))
    kept = rehearse(some, replace(SOLVER, seed=5), 50, 1, frozen).plan.by_job_order
    assert {one.job_order: kept[one.job_order].machine for one in frozen.operations} == {
        one.job_order: one.machine for one in frozen.operations
    }
    places = {first.job_order: second.position, second.job_order: first.position}
    exchanged = [replace(one, position=places.get(one.job_order, one.position)) for one in plan.operations]
    moved = keep(some, Plan(plan.epoch, tuple(exchanged))).plan
    assert check(some, moved) == []
    found = examine(some, moved, 50, 1, frozen).judgement.in_english()
    assert not found.passed
    assert str(found.reasons[0]).startswith(f"The plan moves {first.job_order}")


def test_an_impossible_plan_is_refused_without_a_rehearsal(some: Work) -> None:
    plan = rehearse(some, SOLVER, 50, 1).plan
    found = examine(some, Plan(plan.epoch, plan.operations[1:]), 50, 1)
    assert (found.judgement.passed, found.verdict.orders) == (False, ())
    assert "is not in the plan" in str(found.judgement.reasons[0])


def test_the_winner_is_not_judged_in_the_futures_it_was_chosen_in(some: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    seeds: list[int] = []
    run = Futures.run

    def noted(futures: Futures, shop: Work, plan: Plan) -> Replay:
        seeds.append(futures.seed)
        return run(futures, shop, plan)

    monkeypatch.setattr(Futures, "run", noted)
    found = rehearse(some, SOLVER, 50, 3, terms=Terms(remedies=RemedyRules(most=0)))
    assert seeds.count(3) == 1
    assert len(set(seeds)) == 2
    assert found.robustness is not None
    assert seeds.count(seeds[0]) == found.robustness.candidates


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
