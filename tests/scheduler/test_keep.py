"""`scheduler.keep`: what leaving the plan in force means, seen from later."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plant.work import Running, Work
from scheduler.check import check
from scheduler.cost import score_of
from scheduler.decode import decode
from scheduler.keep import keep
from tests.scheduler.everything import demanding
from tests.scheduler.shops import HOUR, late_s, machine, task, work

TASKS = [task(name, f"o{name}", {"M1": HOUR, "M2": HOUR}) for name in "abc"]
SHOP = [machine("M1"), machine("M2")]


def later(some: Work, *done: str) -> Work:
    left = tuple(one for one in some.tasks if one.id not in done)
    return replace(some, tasks=left, orders={one.order: some.orders[one.order] for one in left})


def test_what_is_done_falls_out_and_the_order_stays() -> None:
    some = work(TASKS, SHOP, {})
    plan = decode(some, {"M1": [["c"], ["a"], ["b"]]})
    kept = keep(later(some, "c"), plan)
    assert [step[0].job_order for step in kept.plan.sequences["M1"]] == ["a", "b"]
    assert kept.plan.by_job_order["b"].end_s == 2 * HOUR
    assert kept.orders == {"oa", "ob"}
    assert check(kept.work, kept.plan) == []


@pytest.mark.parametrize("seed", range(20))
def test_what_it_costs_is_told_with_it(seed: int) -> None:
    some, plan = demanding(seed)
    kept = keep(some, plan)
    score = score_of(kept.work, kept.plan)
    assert kept.score == pytest.approx(score), f"seed {seed}"
    assert kept.cost == pytest.approx((score.broken, late_s(some, kept.plan)), abs=1e-3), f"seed {seed}"


def test_what_runs_comes_first_and_where_it_runs() -> None:
    some = work(TASKS, SHOP, {})
    plan = decode(some, {"M1": [["a"], ["b"], ["c"]]})
    running = replace(TASKS[1], durations_s={"M2": HOUR}, running=Running("M2", -60.0, 600.0))
    kept = keep(work([TASKS[0], running, TASKS[2]], SHOP, {}), plan)
    assert kept.plan.by_job_order["b"].end_s == 600.0
    assert [step[0].job_order for step in kept.plan.sequences["M1"]] == ["a", "c"]


def test_new_work_is_left_out_with_all_that_waits_for_it() -> None:
    plan = decode(work(TASKS, SHOP, {}), {"M1": [["a"], ["b"], ["c"]]})
    again = task("again", "ob", {"M2": HOUR})
    waits = replace(TASKS[1], predecessors=("again",))
    kept = keep(work([TASKS[0], again, waits, task("new", "od", {"M1": HOUR})], SHOP, {}), plan)
    assert {one.job_order for one in kept.plan.operations} == {"a"}
    assert kept.orders == {"oa"}


def test_a_plan_of_which_nothing_is_left_keeps_nothing() -> None:
    plan = decode(work(TASKS, SHOP, {}), {"M1": [["a"], ["b"], ["c"]]})
    kept = keep(work([task("new", "od", {"M1": HOUR})], SHOP, {}), plan)
    assert (kept.plan.operations, kept.orders, kept.work.tasks) == ((), frozenset(), ())
