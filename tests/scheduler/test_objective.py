"""The best plan is that of the objective that was asked for, and the report says what it costs."""

from __future__ import annotations

import random
from dataclasses import asdict, replace

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from plant.calendar import WorkingTime
from plant.item import Attendance
from plant.objective import Aim, Objective
from plant.plan import Plan
from plant.plant import SetupMatrix
from plant.work import PersonOutlook, Work
from scheduler.cost import costs_of, score_of
from scheduler.decode import decode
from scheduler.objective import rank, weights_of
from scheduler.score import Score
from scheduler.solve import SolverSettings, solve
from tests.scheduler.shops import HOUR, late_s, machine, task, work
from tests.scheduler.test_property import everything

QUICK = SolverSettings(time_limit_s=60.0, effort=0.05, workers=1)


def _asked(*aims: Aim, weights: tuple[float, ...] = ()) -> SolverSettings:
    return replace(QUICK, objective=Objective(aims, weights))


def _shop() -> Work:
    """Return two families that alternate by due date, on a machine that is set up for each."""
    matrix = SetupMatrix("m", HOUR)
    tasks = [task(f"{n}", f"{n}", {"M": HOUR}, setup_family="AB"[n % 2]) for n in range(6)]
    return work(tasks, [machine("M", setup_matrix=matrix)], {f"{n}": (2 * n + 2) * HOUR for n in range(6)})


def test_setups_are_saved_where_that_is_asked_for_first() -> None:
    punctual, thrifty = solve(_shop(), QUICK).report, solve(_shop(), _asked(Aim.SETUP, Aim.TARDINESS)).report
    assert punctual.costs is not None
    assert thrifty.costs is not None
    assert punctual.weighted_tardiness_s == 0 < thrifty.weighted_tardiness_s
    assert (punctual.costs.setup_s, thrifty.costs.setup_s) == (6 * HOUR, 2 * HOUR)
    weighed = solve(_shop(), _asked(Aim.SETUP, Aim.TARDINESS, weights=(1.0, 100.0))).report
    assert weighed.weighted_tardiness_s == 0, "a second late costs a hundred times as much"


def test_the_thriftier_machine_is_chosen_where_energy_counts() -> None:
    tasks = [task(f"{n}", f"{n}", {"dear": HOUR, "cheap": 2 * HOUR}) for n in range(3)]
    some = work(tasks, [machine("dear", power_kw=30.0), machine("cheap", power_kw=10.0)], {})
    priced = replace(some, energy_prices=((0.0, 0.5),))
    spent = [solve(priced, _asked(*aims)).report.costs for aims in ((Aim.MAKESPAN,), (Aim.ENERGY, Aim.MAKESPAN))]
    assert [None if one is None else one.energy for one in spent] == pytest.approx([2 * 15.0 + 10.0, 3 * 10.0])


def test_near_is_where_the_plan_before_had_it() -> None:
    tasks = [task(f"{n}", f"{n}", {"M1": HOUR, "M2": HOUR}) for n in range(4)]
    some = work(tasks, [machine("M1"), machine("M2")], {})
    before = decode(some, {"M1": [["3"]], "M2": [["2"], ["0"], ["1"]]})
    found = solve(some, _asked(Aim.NEARNESS), near=before)
    assert found.report.costs is not None
    assert found.report.costs.moved_s == 0
    assert {one.job_order: one.start_s for one in found.plan.operations} == {
        one.job_order: one.start_s for one in before.operations
    }
    patient = replace(_asked(Aim.MAKESPAN, Aim.NEARNESS), effort=1.0)
    shorter = solve(some, patient, near=before)
    assert shorter.report.costs is not None
    assert shorter.plan.makespan_s == 2 * HOUR
    assert shorter.report.costs.moved_s == (4 + 1) * HOUR, "one goes elsewhere, an hour earlier or later"


@given(st.integers(0, 10**6))
@settings(max_examples=10, deadline=None)
def test_the_report_tells_the_costs_of_the_plan(seed: int) -> None:
    note(f"seed {seed}")
    dice, some = random.Random(seed), everything(seed)
    aims = dice.sample(list(Aim), dice.randint(1, 7))
    asked = replace(QUICK, effort=0.01, objective=Objective(tuple(aims)))
    before = solve(some, QUICK).plan
    earlier = Plan(before.epoch, before.operations[: len(before.operations) // 2])
    found = solve(some, asked, near=earlier)
    score = score_of(some, found.plan, earlier)
    assert found.report.costs is not None
    assert asdict(found.report.costs) == pytest.approx(asdict(costs_of(score)))  # sums in another order
    assert (found.report.weighted_tardiness_s, found.report.makespan_s) == (score.tardiness, score.makespan)
    assert found.report.objective == asked.objective
    machines = {one.job_order: one for one in earlier.operations}
    moved_s = sum(
        abs(one.start_s - there.start_s) + 4 * HOUR * (one.machine != there.machine)
        for one in found.plan.operations
        if (there := machines.get(one.job_order)) is not None
    )
    assert found.report.costs.moved_s == pytest.approx(moved_s)


def test_weighted_tardiness_counts_the_last_task_of_an_order() -> None:
    some = work([task("a", "o", {"M1": 10.0}), task("b", "o", {"M1": 10.0})], [machine("M1")], {"o": 5.0}, high=["o"])
    assert score_of(some, decode(some, {"M1": [["a"], ["b"]]})).tardiness == 45.0


def test_a_plan_is_scored_with_the_people_it_names() -> None:
    """Left to choose, the scorer would send each where both are done at once."""
    people = {name: PersonOutlook(name, WorkingTime.always()) for name in "PQ"}
    tasks = [
        task(name, name, {machine_: HOUR}, attendance=Attendance.ALL) for name, machine_ in (("a", "M1"), ("b", "M2"))
    ]
    some = replace(work(tasks, [machine("M1"), machine("M2")], dict.fromkeys("ab", HOUR)), people=people)
    plan = decode(some, {"M1": [["a"]], "M2": [["b"]]}, {"a": "P", "b": "P"})
    assert score_of(some, plan).tardiness == late_s(some, plan) == HOUR


def test_plans_are_ranked_in_order_or_by_weight() -> None:
    score = Score(1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0)
    assert rank(Objective(tuple(Aim)), score) == tuple(score)
    assert rank(Objective((Aim.ENERGY, Aim.NEARNESS), (2.0, 0.5)), score) == (1.0, 18.0)
    assert weights_of(Objective((Aim.SETUP, Aim.TARDINESS), (3.0, 2.0)))[1:4].tolist() == [2.0, 0.0, 3.0]
