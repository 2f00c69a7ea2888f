"""`operations.rescheduling`: a repair that is rehearsed, and a plan near the old one that is never worse than it."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from operations import rescheduling
from operations.rehearsal import Terms, look
from operations.remedies import RemedyRules
from operations.rescheduling import Replanning, rehearse_near, rehearse_repair
from plant.errors import Cancelled
from plant.objective import Aim, Objective
from plant.plan import CostToOthers, Plan, PlanCosts
from plant.text import Text
from plant.work import Lock, Work
from scheduler.check import check
from scheduler.decode import decode
from scheduler.nearness import Nearness, moved
from scheduler.repair import repair
from scheduler.solve import SolverSettings, solve
from scheduler.stop import Enough
from tests.scheduler.disturbances import disturbed, frozen_part
from tests.scheduler.shops import HOUR, late_s, machine, random_work, task, work

QUICK = SolverSettings(time_limit_s=2.0, effort=0.01, workers=1)


@pytest.mark.parametrize("seed", range(8))
def test_the_plan_near_the_old_one_is_possible_and_no_worse_than_the_repair(seed: int) -> None:
    some = random_work(seed, most_orders=8)
    plan = solve(some, QUICK).plan
    later = disturbed(random.Random(seed), some, plan)
    frozen = frozen_part(plan, later, HOUR)
    replanning = Replanning(plan, frozen, Nearness(0.1))
    near = rehearse_near(later, replanning, QUICK, 20, 1)
    repaired = repair(later, plan, frozen, 0.1)
    assert check(later, near.plan) == [], f"seed {seed}"
    assert near.report.weighted_tardiness_s <= late_s(later, repaired.plan) + 1e-6, f"seed {seed}"
    assert {one.order for one in near.verdict.orders} == set(later.orders)


def test_a_repair_is_rehearsed_with_the_sequences_of_the_old_plan() -> None:
    some = work([task(name, name, {"M1": HOUR}) for name in "ab"], [machine("M1")], {"a": HOUR, "b": 2 * HOUR})
    plan = decode(some, {"M1": [["b"], ["a"]]})
    found = rehearse_repair(some, Replanning(plan, None, Nearness()), 20, 1)
    assert [step[0].job_order for step in found.plan.sequences["M1"]] == ["b", "a"]
    assert found.report.weighted_tardiness_s == HOUR
    assert [one.order for one in found.verdict.orders if one.on_time < 0.5] == ["a"]


def unbalanced() -> Work:
    """Six hours of work that two alike machines could share."""
    tasks = [task(name, name, {"M1": HOUR, "M2": HOUR}) for name in "abcdef"]
    return work(tasks, [machine("M1"), machine("M2")], dict.fromkeys("abcdef", 3 * HOUR))


@pytest.mark.parametrize(("worth_h", "most"), [(100.0, 1), (0.5, 3)])
def test_more_goes_to_other_machines_only_where_that_is_worth_it(worth_h: float, most: int) -> None:
    some = unbalanced()
    plan = decode(some, {"M1": [[name] for name in "abcdef"]})
    nearness = Nearness(1 / 6, worth_h * HOUR)
    found = rehearse_near(some, Replanning(plan, None, nearness), replace(QUICK, effort=0.2), 20, 1)
    assert len(moved(some, plan, found.plan)) == most


def test_the_search_has_what_repairing_leaves_and_its_second_half_only_where_that_may_pay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Repair takes two of ten seconds here; from there on the search has eight, or three and then five."""
    now_s, limits_s = [0.0], []

    def slowly(*asked: Any) -> Any:
        now_s[0] += 2.0
        return repair(*asked)

    def looked(work: Work, solver: SolverSettings, *asked: Any) -> Any:
        limits_s.append(solver.time_limit_s)
        now_s[0] += solver.time_limit_s
        return look(work, replace(solver, time_limit_s=60.0), *asked)

    monkeypatch.setattr(rescheduling.time, "monotonic", lambda: now_s[0])
    monkeypatch.setattr(rescheduling, "repair", slowly)
    monkeypatch.setattr(rescheduling, "look", looked)
    some = unbalanced()
    plan = decode(some, {"M1": [[name] for name in "abcdef"]})
    for worth_h, expected_s in ((100.0, [8.0]), (0.5, [3.0, 5.0])):
        now_s[0] = 0.0
        limits_s.clear()
        rehearse_near(
            some,
            Replanning(plan, None, Nearness(1 / 6, worth_h * HOUR)),
            replace(QUICK, time_limit_s=10.0, effort=0.2),
            20,
            1,
        )
        assert limits_s == pytest.approx(expected_s)


def test_remedies_are_looked_for_in_a_share_of_the_time_only() -> None:
    rules = RemedyRules(time_limit_s=8.0)
    assert rescheduling._within(Terms(remedies=rules), 0.6).remedies.time_limit_s == 0.6
    assert rescheduling._within(Terms(remedies=rules), 20.0).remedies == rules


def test_a_locked_operation_stays_where_it_is_locked_to() -> None:
    """The plan in force has it elsewhere: nothing of that is kept."""
    some = unbalanced()
    plan = decode(some, {"M1": [[name] for name in "abcdef"]})
    locked = replace(
        some, tasks=tuple(replace(one, lock=Lock("M2", HOUR)) if one.id == "f" else one for one in some.tasks)
    )
    found = rehearse_near(locked, Replanning(plan, None, Nearness()), QUICK, 20, 1)
    assert check(locked, found.plan) == []
    assert check(locked, repair(locked, plan).plan) == []
    assert found.plan.by_job_order["f"].machine == "M2"


def test_progress_never_goes_back_and_enough_still_gives_a_plan_that_is_judged() -> None:
    """The search for more moves is worth it here, so that there are two searches to tell of."""
    some, shares = unbalanced(), []
    plan = decode(some, {"M1": [[name] for name in "abcdef"]})
    replanning = Replanning(plan, None, Nearness(1 / 6, 0.5 * HOUR))
    rehearse_near(some, replanning, QUICK, 20, 1, progress=lambda share, doing: shares.append(share))
    assert shares == sorted(shares)
    assert shares[-1] == 1.0

    def enough(share: float, doing: Text) -> None:
        raise Enough

    found = rehearse_near(some, replanning, QUICK, 20, 1, progress=enough)
    assert check(some, found.plan) == []
    assert {one.order for one in found.verdict.orders} == set(some.orders)

    def cancel(share: float, doing: Text) -> None:
        raise Cancelled("asked to stop")

    with pytest.raises(Cancelled):
        rehearse_near(some, replanning, QUICK, 20, 1, progress=cancel)


def test_the_objective_decides_between_the_repair_and_what_is_found() -> None:
    tasks = [task(name, name, {"M1": HOUR}) for name in "abc"]
    some = work(tasks, [machine("M1")], {"a": HOUR, "b": 2 * HOUR, "c": 3 * HOUR})
    plan = decode(some, {"M1": [["c"], ["a"], ["b"]]})
    near = replace(QUICK, effort=0.1, objective=Objective((Aim.NEARNESS, Aim.TARDINESS)))
    for solver, expected_s in ((replace(QUICK, effort=0.1), 0.0), (near, 2 * HOUR)):
        found = rehearse_near(some, Replanning(plan, None, Nearness()), solver, 20, 1).report
        assert found.weighted_tardiness_s == expected_s
        assert found.costs is not None
        assert (found.costs.moved_s == 0) is (solver is near)


def test_nothing_moves_for_what_nobody_is_waiting_for() -> None:
    """With a first, all is done an hour sooner, three operations change their time, and no order is late either way."""
    tasks = [task("a1", "a", {"M1": HOUR}), task("a2", "a", {"M2": HOUR}, "a1"), task("b", "b", {"M1": HOUR})]
    some = work(tasks, [machine("M1"), machine("M2")], {"a": 9 * HOUR, "b": 9 * HOUR})
    plan = decode(some, {"M1": [["b"], ["a1"]], "M2": [["a2"]]})
    quick, replanning = replace(QUICK, effort=0.1), Replanning(plan, None, Nearness())
    assert rehearse_near(some, replanning, quick, 20, 1).plan.makespan_s == 3 * HOUR
    set_so = replace(quick, objective=Objective((Aim.TARDINESS, Aim.MAKESPAN), (1.0, 1.0)))
    assert rehearse_near(some, replanning, set_so, 20, 1).plan.makespan_s == 2 * HOUR
    sooner = replace(some, orders={"a": replace(some.orders["a"], due_s=2 * HOUR), "b": some.orders["b"]})
    assert rehearse_near(sooner, replanning, quick, 20, 1).plan.makespan_s == 2 * HOUR, "worth an hour of delay"


def test_what_a_repair_costs_is_told_too() -> None:
    some = work([task(name, name, {"M1": HOUR}) for name in "ab"], [machine("M1")], {"a": HOUR, "b": 2 * HOUR})
    plan = decode(some, {"M1": [["b"], ["a"]]})
    report = rehearse_repair(some, Replanning(plan, None, Nearness()), 20, 1).report
    assert report.costs == PlanCosts(0.0, 0.0, 0.0, 0.0, 0.0)
    assert report.to_others == {"a": CostToOthers(0.0, 0.0), "b": CostToOthers(HOUR, HOUR)}
    held = Plan(plan.epoch, plan.operations[:1])
    frozen = rehearse_repair(some, Replanning(plan, held, Nearness()), 20, 1).report
    assert list(frozen.to_others) == ["a"], "what is about to begin cannot be left out"
