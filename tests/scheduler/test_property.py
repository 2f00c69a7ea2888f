"""Random problems with everything: every plan is possible, and a plan that is spoilt is caught."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from operations.rescheduling import Replanning, rehearse_near
from plant.distribution import constant
from plant.item import Attendance
from plant.plan import Plan, PlannedOperation
from plant.work import Delivery, Lock, PersonOutlook, Task, Wait, Work
from scheduler.check import check
from scheduler.keep import keep
from scheduler.nearness import Nearness
from scheduler.repair import repair
from scheduler.rules import RULES, dispatched
from scheduler.solve import SolverSettings, solve
from tests.scheduler.disturbances import frozen_part
from tests.scheduler.everything import demanding, everything, later
from tests.scheduler.shops import HOUR, days, machine, task, work

QUICK = SolverSettings(time_limit_s=60, effort=0.003, workers=1)
"""Ends by its effort, so that a busy machine changes nothing."""


MANY = 1000
"""Shops in the long test, together with a share of them in `make test`."""

seeds = st.integers(0, 10**9)


def holds_for_every_plan(seed: int) -> None:
    """Plan a shop, disturb it, repair and replan: whatever comes back is possible and leaves what is frozen."""
    note(f"seed {seed}")
    some = everything(seed)
    plan = solve(some, QUICK).plan
    assert check(some, plan) == []
    kept = keep(some, plan)
    assert check(kept.work, kept.plan) == []
    assert {_id(one): (one.start_s, one.person) for one in kept.plan.operations} == {
        _id(one): (one.start_s, one.person) for one in plan.operations
    }
    changed = later(seed, some, plan)
    frozen = frozen_part(plan, changed, 2 * HOUR)
    left = keep(changed, plan)
    assert check(left.work, left.plan) == []
    repaired = repair(changed, plan, frozen).plan
    assert check(changed, repaired) == []
    assert check(changed, solve(changed, QUICK, frozen=frozen, start=repaired).plan) == []
    near = rehearse_near(changed, Replanning(plan, frozen, Nearness()), QUICK, 4, seed)
    assert check(changed, near.plan) == []


def holds_for_demands(seed: int) -> None:
    """Going on from a plan that keeps locks and longest waits, the solver never loses them."""
    note(f"seed {seed}")
    some, plan = demanding(seed)
    assert check(some, plan) == []
    assert check(some, solve(some, QUICK, start=plan).plan) == []
    assert check(some, repair(some, plan).plan) == []


def spoils_are_found(seed: int) -> None:
    """Spoil each operation of a possible plan in each way that is a fault wherever it is done."""
    note(f"seed {seed}")
    some, plan = demanding(seed)
    assert check(some, plan) == []
    for victim in plan.operations:
        for change in spoils(some, plan, victim):
            assert check(some, spoilt(plan, victim.job_order, **change)), f"{victim.job_order}: {change}"


@given(seeds)
@settings(max_examples=12, deadline=None)
def test_every_plan_is_possible(seed: int) -> None:
    holds_for_every_plan(seed)


@pytest.mark.long
@given(seeds)
@settings(max_examples=MANY, deadline=None)
def test_every_plan_of_many_is_possible(seed: int) -> None:
    holds_for_every_plan(seed)


@given(seeds)
@settings(max_examples=12, deadline=None)
def test_what_is_demanded_is_kept(seed: int) -> None:
    holds_for_demands(seed)


@pytest.mark.long
@given(seeds)
@settings(max_examples=MANY, deadline=None)
def test_what_is_demanded_is_kept_many_times(seed: int) -> None:
    holds_for_demands(seed)


@given(seeds)
@settings(max_examples=40, deadline=None)
def test_a_spoilt_plan_is_caught(seed: int) -> None:
    spoils_are_found(seed)


@pytest.mark.long
@given(seeds)
@settings(max_examples=MANY, deadline=None)
def test_many_spoilt_plans_are_caught(seed: int) -> None:
    spoils_are_found(seed)


def spoils(some: Work, plan: Plan, victim: PlannedOperation) -> Iterator[dict[str, object]]:
    """Yield changes of one operation that no plan can bear, whatever the shop."""
    task = some.by_id[victim.job_order]
    yield {"start_s": victim.start_s - 600.0, "end_s": victim.end_s - 600.0}
    yield {"end_s": victim.end_s - 60.0}
    yield {"end_s": victim.end_s + 60.0}
    yield {"setup_s": victim.setup_s + 60.0}
    yield {"machine": "nowhere", "position": 0}
    if victim.position > 0:
        yield {"position": -1}
    if victim.person is not None:
        yield {"person": None, "person_position": None}
        yield {"person": "nobody"}
    if task.lock is not None:
        yield {"start_s": victim.start_s + 600.0, "end_s": victim.end_s + 600.0}
    if victim.batch is not None and sum(one.batch == victim.batch for one in plan.operations) > 1:
        yield {"batch": "another"}
    elsewhere = [name for name in some.machines if name not in task.machines]
    if elsewhere:
        yield {"machine": elsewhere[0], "position": 10**6}


def spoilt(plan: Plan, name: str, **changes: object) -> Plan:
    return Plan(
        plan.epoch,
        tuple(replace(one, **changes) if one.job_order == name else one for one in plan.operations),  # type: ignore[arg-type]
    )


def _id(one: PlannedOperation) -> str:
    return one.job_order


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
