"""`operations.robust`: what the scheduler is given to plan, and which of the plans is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from operations import robust
from operations.rehearsal import Terms, rehearse
from operations.remedies import RemedyRules
from operations.robust import Candidate, Outcome, choose, due_sooner, padded, padded_s
from plant.distribution import Distribution, Family, constant, exponential
from plant.errors import Cancelled
from plant.objective import Aim, Objective
from plant.plan import Plan, PlanCosts, PlannedOperation, SolverReport
from plant.plant import Reliability
from plant.ports import no_progress
from plant.text import Text
from plant.verdict import OrderVerdict
from plant.work import Delivery, Work
from scheduler.check import check
from scheduler.cost import costs_of, score_of
from scheduler.decode import decode
from scheduler.solve import SolverSettings, solve
from scheduler.stop import Enough
from scheduler.to_others import costs_to_others
from tests.scheduler.shops import EPOCH, HOUR, late_s, machine, task, work
from twin.draws import Draws
from twin.replay import replay

SOLVER = SolverSettings(time_limit_s=60, effort=0.2, workers=1)
FAILING = Reliability(exponential(10 * HOUR), Distribution(Family.LOGNORMAL, HOUR, 0.5))
TERMS = Terms(remedies=RemedyRules(most=0))


def test_what_is_planned_for_a_task_is_the_mean_and_spread_of_what_it_takes() -> None:
    """Simulated: the padded time without and with one standard deviation are those of the twin's own futures."""
    one = task("a", "o", {"M1": 5 * HOUR}, variation=0.3)
    shop = work([one], [machine("M1", reliability=FAILING)], {})
    plan = solve(shop, SOLVER).plan
    done_s = replay(shop, plan, Draws(7, 20_000)).completion_s("o")
    assert padded_s(5 * HOUR, one, shop.machines["M1"], 0.0) == pytest.approx(done_s.mean(), rel=0.01)
    spread_s = padded_s(5 * HOUR, one, shop.machines["M1"], 1.0) - padded_s(5 * HOUR, one, shop.machines["M1"], 0.0)
    assert spread_s == pytest.approx(float(np.std(done_s)), rel=0.05)


def test_the_padded_work_has_longer_tasks_and_later_materials() -> None:
    awaited = Delivery("steel", 10.0, Distribution(Family.LOGNORMAL, 100.0, 0.5))
    shop = work(
        [task("a", "o", {"M1": 100.0}, variation=0.5), task("b", "p", {"M1": 100.0}, material=awaited)],
        [machine("M1")],
        {"o": 500.0, "p": 900.0},
    )
    seen = padded(shop, 1.0, frozenset())
    assert [one.durations_s["M1"] for one in seen.tasks] == [150.0, 100.0]
    assert [one.release_s for one in seen.tasks] == [0.0, 10 + 100 + 50]
    feeding = padded(shop, 1.0, frozenset({"a"}))
    assert feeding.by_id["a"].durations_s["M1"] > seen.by_id["a"].durations_s["M1"]


def test_with_slack_orders_are_due_sooner_and_none_after_the_price_is_used_up() -> None:
    shop = work([task("a", "o", {"M1": 1.0}), task("b", "p", {"M1": 1.0})], [machine("M1")], {"o": 500.0, "p": 900.0})
    due_s = {name: one.due_s for name, one in due_sooner(shop, 700.0, {"o": 40.0}).orders.items()}
    assert due_s == {"o": 460.0, "p": 700.0}


@pytest.fixture
def uneven() -> Work:
    """At planned times every sequence is on time; only the shaky order last leaves the sure one room."""
    tasks = [task("sure", "sure", {"M1": 4 * HOUR}), task("shaky", "shaky", {"M1": 4 * HOUR}, variation=0.8)]
    return work(tasks, [machine("M1")], {"sure": 8.1 * HOUR, "shaky": 16 * HOUR})


def first_on(plan: Plan) -> str:
    return min(plan.operations, key=lambda one: one.position).job_order


def test_the_sequence_that_holds_when_times_vary_is_chosen(uneven: Work) -> None:
    shown = rehearse(uneven, SOLVER, 300, 1, terms=TERMS)
    assert first_on(shown.plan) == "sure"
    assert shown.judgement.passed
    assert check(uneven, shown.plan) == []
    paid = shown.robustness
    assert paid is not None
    assert paid.makespan_paid <= TERMS.price + 1e-9
    assert paid.expected_tardiness_s <= paid.nominal_expected_tardiness_s


def test_the_choice_never_rehearses_worse_than_the_nominal_plan(uneven: Work) -> None:
    """Whatever the candidates look like at planned times, the rehearsal decides."""
    for seed in range(4):
        paid = rehearse(uneven, replace(SOLVER, seed=seed), 100, seed, terms=TERMS).robustness
        assert paid is not None
        assert (paid.refused, paid.expected_tardiness_s) <= (paid.nominal_refused, paid.nominal_expected_tardiness_s)


def fixed(refused: int, late_s: dict[str, float]) -> Callable[[Plan], Outcome]:
    """Return a rehearsal that knows plans by what they begin with."""

    def rehearsed(plan: Plan) -> Outcome:
        name = first_on(plan)
        order = OrderVerdict("sure", EPOCH, 0.5, 0.5, EPOCH, EPOCH, EPOCH, late_s[name], late_s[name])
        return Outcome((order,), refused)

    return rehearsed


def candidate(makespan_s: float, refused: int, late_s: float) -> Candidate:
    plan = Plan(EPOCH, (PlannedOperation("sure", "M1", 0, 0.0, makespan_s),))
    return Candidate(plan, SolverReport("x", "feasible", 0.0, makespan_s, 0.0, 1), 0.5, Outcome((), refused), late_s)


def rehearsed_as(order: str, p95_s: float, *, refused: bool) -> Outcome:
    p95 = EPOCH + timedelta(seconds=p95_s)
    verdict = OrderVerdict(order, EPOCH, 0.5, 0.5, EPOCH, EPOCH, p95, 0.0)
    return Outcome((verdict,), int(refused), frozenset({order} if refused else ()))


def test_an_order_gets_the_slack_that_it_needed_and_more_where_that_was_not_enough(uneven: Work) -> None:
    report = SolverReport("x", "feasible", 0.0, 8 * HOUR, 0.0, 1)
    plan = solve(uneven, SOLVER).plan
    end_s = plan.by_job_order["sure"].end_s
    choosing = robust._Choosing(uneven, SOLVER, None, 0.05, fixed(0, {}), no_progress, None, None)
    found = []
    for spread, needed_s, refused in ((0.5, 100.0, True), (0.0, 50.0, False), (0.0, 120.0, True), (0.0, 200.0, True)):
        outcome = rehearsed_as("sure", end_s + needed_s, refused=refused)
        choosing._learn_slack(Candidate(plan, report, spread, outcome, 0.0))
        found.append(round(choosing._slack_s["sure"], 3))
    assert found == [100.0, 100.0, 130.0, 200.0]


def test_where_a_plan_within_the_price_is_refused_who_passes_need_come_no_sooner(uneven: Work) -> None:
    """Both need an hour of slack. The sure one passes as it stands; the dear plan would go on from elsewhere."""
    choosing = robust._Choosing(uneven, SOLVER, None, 0.05, fixed(0, {}), no_progress, None, None)
    first = PlannedOperation("sure", "M1", 0, 0.0, 4 * HOUR)
    plan = Plan(EPOCH, (first, PlannedOperation("shaky", "M1", 1, 4 * HOUR, 8 * HOUR)))
    dear = replace(plan, operations=(first, PlannedOperation("shaky", "M1", 1, 5 * HOUR, 9 * HOUR)))
    report = SolverReport("x", "feasible", 0.0, 8 * HOUR, 0.0, 1)
    passing, refused = Outcome((), 0), Outcome((), 1, frozenset({"shaky"}))
    nominal = Candidate(plan, report, None, refused, 9.0)
    choosing._slack_s = {"sure": 5 * HOUR, "shaky": HOUR}
    for last, sure_due_h in ((refused, 4.0), (passing, 3.1)):
        choosing._candidates = [
            nominal,
            Candidate(dear, report, 1.0, passing, 0.0),
            Candidate(plan, report, 0.5, last, 9.0),
        ]
        asked = choosing._with_slack(nominal)
        assert asked.start is plan
        due_h = {name: one.due_s / HOUR for name, one in asked.work.orders.items()}
        assert due_h == pytest.approx({"sure": sure_due_h, "shaky": 8.4}), "8.4 h: all that may be paid"


def test_first_the_locks_then_the_gate_then_the_price_then_refused_orders_then_expected_tardiness_decide(
    uneven: Work,
) -> None:
    choosing = robust._Choosing(uneven, SOLVER, None, 0.05, fixed(0, {}), no_progress, None, None)
    nominal = candidate(100.0, 2, 50.0)
    dear, cheap, surest = candidate(120.0, 0, 1.0), candidate(104.0, 0, 9.0), candidate(104.0, 2, 0.5)
    less_dear = candidate(110.0, 0, 2.0)
    missing = replace(cheap, outcome=replace(cheap.outcome, missed_s=600.0))
    fewer, dear_too = candidate(104.0, 1, 60.0), candidate(120.0, 1, 0.1)
    for offered, best in (
        ([nominal], nominal),
        ([nominal, dear], dear),  # what the gate lets out may be dear
        ([nominal, dear, less_dear], less_dear),
        ([nominal, dear, cheap], cheap),
        ([nominal, missing], nominal),  # what the gate lets out may miss no lock that another plan keeps
        ([nominal, surest], surest),
        ([nominal, surest, cheap], cheap),
        ([nominal, surest, fewer, dear_too], fewer),
    ):
        choosing._candidates = offered
        assert choosing._best() is best


def test_of_equals_the_one_is_taken_that_the_objective_prefers(uneven: Work) -> None:
    choosing = robust._Choosing(uneven, SOLVER, None, 0.05, fixed(0, {}), no_progress, None, None)

    def costing(energy: float, makespan_s: float) -> Candidate:
        one, costs = candidate(makespan_s, 0, 5.0), PlanCosts(0.0, 0.0, 0.0, energy, 0.0)
        objective = Objective((Aim.ENERGY, Aim.MAKESPAN))
        return replace(one, report=replace(one.report, objective=objective, costs=costs))

    nominal, cheaper, shorter = costing(9.0, 100.0), costing(7.0, 104.0), costing(7.0, 102.0)
    choosing._candidates = [nominal, cheaper, shorter]
    assert choosing._best() is shorter


def test_a_plan_is_near_the_one_in_force_where_that_is_asked_for(uneven: Work) -> None:
    in_force = solve(uneven, SOLVER).plan
    backwards = {
        name: [[one.job_order for one in step] for step in reversed(steps)]
        for name, steps in in_force.sequences.items()
    }
    other = decode(uneven, backwards)
    assert score_of(uneven, in_force, other).moved > 0
    asked = replace(SOLVER, objective=Objective((Aim.NEARNESS,)))
    found = choose(uneven, asked, None, 0.05, fixed(0, {"sure": 0.0, "shaky": 0.0}), no_progress, near=other)
    assert found.report.costs is not None
    assert found.report.costs.moved_s == 0


def test_what_is_told_of_the_plan_that_is_kept_is_so_at_planned_times(uneven: Work) -> None:
    in_force = solve(uneven, SOLVER).plan
    for seed in range(3):
        found = rehearse(uneven, replace(SOLVER, seed=seed), 100, seed, in_force=in_force, terms=TERMS)
        assert found.report.costs == costs_of(score_of(uneven, found.plan, in_force))
        assert found.report.to_others == costs_to_others(uneven, found.plan)
        assert found.report.objective == SOLVER.objective


def test_enough_takes_the_best_plan_so_far_and_cancelling_takes_none(uneven: Work) -> None:
    calls = 0

    def soon(share: float, doing: Text) -> None:
        nonlocal calls
        calls += 1
        raise Enough

    late = {"sure": 10.0, "shaky": 10.0}
    found = choose(uneven, SOLVER, None, 0.05, fixed(1, late), soon)
    assert (found.robustness.candidates, calls) == (1, 1)
    assert check(uneven, found.plan) == []

    def cancel(share: float, doing: Text) -> None:
        raise Cancelled("asked to stop")

    with pytest.raises(Cancelled):
        choose(uneven, SOLVER, None, 0.05, fixed(1, late), cancel)


def test_a_plan_without_any_risk_is_taken_as_it_is() -> None:
    shop = work([task("a", "o", {"M1": HOUR})], [machine("M1")], {"o": 2 * HOUR})
    found = rehearse(shop, SOLVER, 50, 1, terms=TERMS).robustness
    assert found is not None
    assert (found.spread, found.candidates, found.makespan_paid, found.tardiness_paid_s) == (None, 1, 0.0, 0.0)


def test_a_machine_that_cannot_fail_and_a_constant_time_need_no_padding() -> None:
    one = task("a", "o", {"M1": 100.0})
    assert padded_s(100.0, one, machine("M1"), 3.0) == 100.0
    never = Reliability(constant(0.0), constant(5.0))
    assert padded_s(100.0, one, machine("M1", reliability=never), 3.0) == 100.0  # the twin refuses it, with its reason


class Stopwatch:
    """A clock that only rehearsals move on, `takes_s` each."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, takes_s: float) -> None:
        self.now_s, self.takes_s = 0.0, takes_s
        monkeypatch.setattr(robust.time, "monotonic", lambda: self.now_s)

    def rehearse(self, rehearsed: Callable[[Plan], Outcome]) -> Callable[[Plan], Outcome]:
        def timed(plan: Plan) -> Outcome:
            self.now_s += self.takes_s
            return rehearsed(plan)

        return timed


@pytest.mark.parametrize(("takes_s", "candidates"), [(0.001, 9), (3.0, 2), (4.0, 1), (100.0, 1)])
def test_candidates_are_tried_as_far_as_rehearsals_leave_time(
    uneven: Work, monkeypatch: pytest.MonkeyPatch, takes_s: float, candidates: int
) -> None:
    """Of ten seconds one rehearsal is kept for the plan that is chosen; the first plan is rehearsed at any rate."""
    watch = Stopwatch(monkeypatch, takes_s)
    solver = SolverSettings(time_limit_s=10, effort=0.05, workers=1)
    rehearsed = watch.rehearse(fixed(1, {"sure": 10.0, "shaky": 10.0}))
    found = choose(uneven, solver, None, 0.05, rehearsed, no_progress)
    assert found.robustness.candidates == candidates
    assert watch.now_s <= max(takes_s, 10.0 - takes_s)


def test_of_equals_before_the_gate_none_is_later_than_the_plan_it_starts_from(uneven: Work) -> None:
    start = solve(uneven, SOLVER).plan
    found = choose(uneven, SOLVER, None, 0.05, fixed(1, {"sure": 10.0}), no_progress, start=start)
    assert found.report.weighted_tardiness_s <= late_s(uneven, start)
