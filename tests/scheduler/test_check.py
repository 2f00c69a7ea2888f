"""`scheduler.check` finds what is wrong with a plan: each test spoils a possible plan in one way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plant.plan import Plan
from plant.plant import SetupMatrix
from plant.work import Work
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
