"""`scheduler.check` finds what is wrong with a plan: each test spoils a possible plan in one way."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest

import scheduler.check as check_module
from plant.plan import Plan, PlannedOperation
from plant.plant import SetupMatrix
from plant.work import ReworkPass, Running, Wait, Work
from scheduler.check import check
from scheduler.decode import decode
from tests.scheduler.shops import HOUR, days, machine, task, work


@pytest.fixture
def some() -> Work:
    shop = [
        machine("M1", days([(6, 14)]), setup_matrix=SetupMatrix("m", HOUR), setup_family="A"),
        machine("oven", batch_capacity=2),
    ]
    tasks = [
        task("a", "o", {"M1": 2 * HOUR}, setup_family="A", release_s=7 * HOUR),
        task("b", "o", {"M1": 2 * HOUR}, "a", setup_family="B"),
        task("c", "o", {"oven": HOUR}, "b"),
        task("d", "p", {"oven": HOUR}),
        task("e", "p", {"oven": HOUR, "M1": HOUR}, setup_family="A"),
    ]
    return work(tasks, shop, {})


@pytest.fixture
def plan(some: Work) -> Plan:
    return decode(some, {"M1": [["a"], ["b"]], "oven": [["c", "d"], ["e"]]})


def spoil(plan: Plan, name: str, **changes: object) -> Plan:
    changed = tuple(
        replace(one, **changes) if one.job_order == name else one  # type: ignore[arg-type]
        for one in plan.operations
    )
    return Plan(plan.epoch, changed)


def test_the_plan_itself_is_possible(some: Work, plan: Plan) -> None:
    assert check(some, plan) == []


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("a", {"start_s": 6 * HOUR, "end_s": 8 * HOUR}, "too early for its release"),
        ("a", {"end_s": 8.5 * HOUR}, "not at"),
        ("b", {"start_s": 9.5 * HOUR, "end_s": 11.5 * HOUR}, "too early for a"),
        ("b", {"setup_s": 0.0}, "has 0 s of setup on M1, not 3600 s"),
        ("b", {"start_s": 15 * HOUR, "end_s": 32 * HOUR}, "when M1 is closed"),
        ("b", {"machine": "oven", "position": 9}, "b cannot be made on oven"),
        ("c", {"start_s": 13 * HOUR, "end_s": 14 * HOUR}, "does not share start, end and id"),
        ("d", {"batch": "other"}, "does not share start, end and id"),
        ("e", {"position": 0}, "takes 2 jobs at once, not 3"),
        ("e", {"start_s": 12.5 * HOUR, "end_s": 13.5 * HOUR}, "oven is busy or down until"),
    ],
)
def test_what_is_spoilt_is_named(some: Work, plan: Plan, name: str, changes: dict[str, object], said: str) -> None:
    assert any(said in problem for problem in check(some, spoil(plan, name, **changes)))


def test_missing_and_foreign_operations_are_named(some: Work, plan: Plan) -> None:
    less = Plan(plan.epoch, tuple(one for one in plan.operations if one.job_order != "e"))
    more = Plan(plan.epoch, (*plan.operations, replace(plan.operations[0], job_order="x", position=7)))
    assert check(some, less) == ["e is not in the plan"]
    assert check(some, more) == ["x is in the plan but not in the work"]


def placed(name: str, at: str, place: int, start: float, end: float, **fields: object) -> PlannedOperation:
    return PlannedOperation(name, at, place, start * HOUR, end * HOUR, **fields)  # type: ignore[arg-type]


def test_what_runs_goes_on_at_once() -> None:
    runs = task("a", "o", {"M1": 2 * HOUR}, running=Running("M1", -HOUR, HOUR))
    shop = work([runs], [machine("M1", days([(6, 14)]))], {})
    on_time = Plan(shop.epoch, (placed("a", "M1", 0, 6, 7),))
    assert check(shop, on_time) == []
    assert check(shop, spoil(on_time, "a", start_s=8 * HOUR, end_s=9 * HOUR)) == [
        "a runs on M1 and goes on at 21600 s, not at 28800 s"
    ]


def test_a_batch_that_runs_stays_together_and_takes_nobody_in() -> None:
    runs = [task(name, "o", {"M1": HOUR}, running=Running("M1", -60.0, HOUR, "together")) for name in "ab"]
    shop = work([*runs, task("c", "o", {"M1": HOUR})], [machine("M1", batch_capacity=3)], {})
    together = [placed(name, "M1", 0, 0, 1, batch="together") for name in "ab"]
    assert check(shop, Plan(shop.epoch, (*together, placed("c", "M1", 1, 1, 2)))) == []
    apart = Plan(shop.epoch, (together[0], placed("b", "M1", 1, 1, 2), placed("c", "M1", 2, 2, 3)))
    assert "b is taken out of together, which runs on M1" in check(shop, apart)
    joined = Plan(shop.epoch, (*together, placed("c", "M1", 0, 0, 1, batch="together")))
    assert "a on M1 goes together with what does not run, or not in the same batch" in check(shop, joined)


def test_a_rework_pass_is_in_no_batch() -> None:
    tasks = [
        task("a", "o", {"M1": HOUR}),
        task("again", "o", {"M1": HOUR}, "a", rework=ReworkPass("a")),
        task("b", "p", {"M1": HOUR}),
    ]
    shop = work(tasks, [machine("M1", batch_capacity=2)], {})
    batch = [placed(name, "M1", 1, 1, 2, batch="both") for name in ("again", "b")]
    found = check(shop, Plan(shop.epoch, (placed("a", "M1", 0, 0, 1), *batch)))
    assert any("holds a rework pass" in problem for problem in found)


def test_a_longest_wait_passes_by_the_clock_though_everything_is_closed() -> None:
    tasks = [task("a", "o", {"M1": HOUR}), task("b", "o", {"M2": HOUR}, "a", waits={"a": Wait(0.0, 2 * HOUR)})]
    shop = work(tasks, [machine("M1"), machine("M2", days([(6, 14)]))], {})
    cold = Plan(shop.epoch, (placed("a", "M1", 0, 2, 3), placed("b", "M2", 0, 6, 7)))
    warm = Plan(shop.epoch, (placed("a", "M1", 0, 3, 4), placed("b", "M2", 0, 6, 7)))
    assert check(shop, warm) == []
    assert check(shop, cold) == ["b waits more than 7200 s behind a"]


def test_what_has_begun_cannot_be_put_off_so_a_wait_behind_it_refuses_nothing() -> None:
    running = task("a", "o", {"M1": HOUR}, running=Running("M1", 0.0, HOUR))
    tasks = [running, task("b", "o", {"M2": HOUR}, "a", waits={"a": Wait(0.0, 2 * HOUR)})]
    shop = work(tasks, [machine("M1"), machine("M2", available_from_s=9 * HOUR)], {})
    plan = Plan(shop.epoch, (placed("a", "M1", 0, 0, 1), placed("b", "M2", 0, 9, 10)))
    assert check(shop, plan) == []


def test_two_shifts_without_a_break_between_them_are_no_interruption() -> None:
    one = task("a", "o", {"M1": 2 * HOUR}, interruptible=False, release_s=13 * HOUR)
    shop = work([one], [machine("M1", days([(6, 14), (14, 22)]))], {})
    plan = decode(shop, {"M1": [["a"]]})
    assert plan.by_job_order["a"].start_s == 13 * HOUR
    assert check(shop, plan) == []


def test_the_check_shares_no_code_with_what_makes_plans() -> None:
    """It may know the nouns, and nothing of the scheduler that it judges."""
    tree = ast.parse(Path(check_module.__file__).read_text())
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    imported |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert {name for name in imported if name.split(".")[0] in ("scheduler", "twin", "operations")} == set()
