"""Random problems with everything: every plan is possible, and a plan that is spoilt is caught."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from plant.distribution import constant
from plant.item import Attendance
from plant.plan import Plan, PlannedOperation
from plant.work import Delivery, Lock, PersonOutlook, Task, Wait, Work
from scheduler.check import check
from scheduler.keep import keep
from scheduler.rules import RULES, Rule, dispatched
from scheduler.solve import SolverSettings, solve
from tests.scheduler.shops import HOUR, days, machine, random_work, task, work

QUICK = SolverSettings(time_limit_s=0.5, effort=0.02, workers=1)


def everything(seed: int, most_orders: int = 5) -> Work:
    """Return a random shop with people, ways, waits, materials and work that no break may interrupt."""
    dice, some = random.Random(seed), random_work(seed, most_orders)
    tasks = tuple(_with_more(dice, one) for one in some.tasks)
    people = [
        PersonOutlook(f"P{number}", days(dice.choice([[(6, 14)], [(5, 23)], [(0, 24)]])), ("saw", "weld"))
        for number in range(2)
    ]
    ways = {(one, two): dice.uniform(0, HOUR) for one in some.machines for two in some.machines if dice.random() < 0.5}
    return replace(some, tasks=tasks, people={one.id: one for one in people}, transport_s=ways)


def _with_more(dice: random.Random, one: Task) -> Task:
    waits = {
        name: Wait(dice.choice([0.0, dice.uniform(0, 5) * HOUR])) for name in one.predecessors if dice.random() < 0.5
    }
    return replace(
        one,
        attendance=dice.choice([*Attendance]) if one.running is None else Attendance.NONE,
        skill=dice.choice([None, "saw", "weld"]),
        interruptible=dice.random() < 0.8 or min(one.durations_s.values()) > 2 * HOUR,
        material=Delivery(one.order, dice.uniform(0, 20) * HOUR, constant(HOUR)) if dice.random() < 0.2 else None,
        waits=waits,
    )


@given(st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_every_plan_is_possible_and_so_is_what_is_kept_of_it(seed: int) -> None:
    note(f"seed {seed}")
    some = everything(seed)
    plan = solve(some, QUICK).plan
    assert check(some, plan) == []
    kept = keep(some, plan)
    assert check(kept.work, kept.plan) == []
    assert [(one.start_s, one.person) for one in sorted(kept.plan.operations, key=_id)] == [
        (one.start_s, one.person) for one in sorted(plan.operations, key=_id)
    ]


def _id(one: PlannedOperation) -> str:
    return one.job_order


@given(st.integers(0, 10**6), st.sampled_from(RULES))
@settings(max_examples=40, deadline=None)
def test_a_spoilt_plan_is_caught(seed: int, rule: Rule) -> None:
    note(f"seed {seed}, {rule.name}")
    some, dice = everything(seed), random.Random(seed)
    plan = dispatched(some, rule)
    assert check(some, plan) == []
    victim = dice.choice(plan.operations)
    for change in (
        {"start_s": victim.start_s - 600.0, "end_s": victim.end_s - 600.0},
        {"end_s": victim.end_s - 60.0},
        {"setup_s": victim.setup_s + 60.0},
    ):
        assert check(some, _spoilt(plan, victim.job_order, **change)), change
    if victim.person is not None:
        assert check(some, _spoilt(plan, victim.job_order, person=None))


def _spoilt(plan: Plan, name: str, **changes: object) -> Plan:
    return Plan(
        plan.epoch,
        tuple(replace(one, **changes) if one.job_order == name else one for one in plan.operations),  # type: ignore[arg-type]
    )


def two(first: Task, second: Task, **more: object) -> Work:
    some = work([first, second], [machine("M1"), machine("M2")], {})
    return replace(some, **more)  # type: ignore[arg-type]


def plan_of(*rows: tuple[str, str, float, float, str | None]) -> Plan:
    return Plan(
        work([], [machine("M1")], {}).epoch,
        tuple(PlannedOperation(name, at, 0, start, end, person=who) for name, at, start, end, who in rows),
    )


P = {"P": PersonOutlook("P", days([(0, 24)]), ("saw",))}
ATTENDED = {"attendance": Attendance.ALL}


@pytest.mark.parametrize(
    ("some", "rows", "said"),
    [
        (
            two(task("a", "o", {"M1": HOUR}, **ATTENDED), task("b", "o", {"M2": HOUR}, **ATTENDED), people=P),
            [("a", "M1", 0.0, HOUR, "P"), ("b", "M2", 1800.0, 5400.0, "P")],
            "P is at another machine",
        ),
        (
            two(task("a", "o", {"M1": HOUR}, skill="weld", **ATTENDED), task("b", "o", {"M2": HOUR}), people=P),
            [("a", "M1", 0.0, HOUR, "P"), ("b", "M2", 0.0, HOUR, None)],
            "a needs weld, which P cannot do",
        ),
        (
            two(task("a", "o", {"M1": HOUR}), task("b", "o", {"M2": HOUR}, "a"), transport_s={("M1", "M2"): 60.0}),
            [("a", "M1", 0.0, HOUR, None), ("b", "M2", HOUR, 2 * HOUR, None)],
            "too early for a, there at 3660 s",
        ),
        (
            two(task("a", "o", {"M1": HOUR}), task("b", "o", {"M2": HOUR}, "a", waits={"a": Wait(0.0, 60.0)})),
            [("a", "M1", 0.0, HOUR, None), ("b", "M2", 2 * HOUR, 3 * HOUR, None)],
            "b waits more than 60 s behind a",
        ),
        (
            two(
                task("a", "o", {"M1": HOUR}, material=Delivery("d", HOUR, constant(HOUR))),
                task("b", "o", {"M2": HOUR}),
            ),
            [("a", "M1", HOUR, 2 * HOUR, None), ("b", "M2", 0.0, HOUR, None)],
            "too early for its material at 7200 s",
        ),
        (
            two(task("a", "o", {"M1": HOUR, "M2": HOUR}, lock=Lock("M2", HOUR)), task("b", "o", {"M2": HOUR})),
            [("a", "M1", HOUR, 2 * HOUR, None), ("b", "M2", 0.0, HOUR, None)],
            "a is locked to M2, not M1",
        ),
    ],
)
def test_what_is_broken_is_named(some: Work, rows: list[tuple[str, str, float, float, str | None]], said: str) -> None:
    assert any(said in problem for problem in check(some, plan_of(*rows)))


def test_a_lock_a_wait_and_a_maintenance_are_kept() -> None:
    closed = machine("M1", days([(0, 4), (6, 24)]), maintenance=((4 * HOUR, 6 * HOUR),))
    tasks = [
        task("a", "o", {"M1": HOUR}),
        task("b", "o", {"M2": HOUR}, "a", waits={"a": Wait(2 * HOUR, 3 * HOUR)}),
        task("c", "p", {"M1": 2 * HOUR}, interruptible=False),
        task("d", "q", {"M1": HOUR, "M2": HOUR}, lock=Lock("M1", 8 * HOUR)),
    ]
    some = work(tasks, [closed, machine("M2")], {"p": HOUR})
    plan = solve(some, QUICK).plan
    assert check(some, plan) == []
    assert plan.by_job_order["d"].start_s == 8 * HOUR


def test_frozen_operations_that_lose_their_place_are_named() -> None:
    some = work([task("a", "o", {"M1": HOUR}), task("b", "p", {"M1": HOUR})], [machine("M1")], {})
    plan = dispatched(some, RULES[0])
    swapped = Plan(
        plan.epoch,
        (
            replace(plan.by_job_order["b"], position=0, start_s=0.0, end_s=HOUR),
            replace(plan.by_job_order["a"], position=1, start_s=HOUR, end_s=2 * HOUR),
        ),
    )
    frozen = Plan(plan.epoch, (plan.by_job_order["a"],))
    assert check(some, swapped) == []
    assert any("a is frozen on M1" in said for said in check(some, swapped, frozen))
