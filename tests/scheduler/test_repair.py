"""`scheduler.repair`, `insertion` and `nearness`: after whatever happens the plan is possible, and little has moved."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from plant.order import Priority
from plant.plan import Plan
from plant.work import OrderDemand, Task, Wait, Work
from scheduler.check import check
from scheduler.decode import decode
from scheduler.insertion import Board, insert
from scheduler.keep import keep
from scheduler.nearness import Nearness, moved, near
from scheduler.repair import in_order_of_need, repair
from scheduler.solve import SolverSettings, solve
from tests.scheduler.disturbances import disturbed, frozen_part
from tests.scheduler.shops import HOUR, machine, random_work, task, work

QUICK = SolverSettings(time_limit_s=2.0, effort=0.003, workers=1)


def machines_of(plan: Plan) -> dict[str, str]:
    return {one.job_order: one.machine for one in plan.operations}


def sequence(plan: Plan, name: str) -> list[str]:
    return [one.job_order for step in plan.sequences.get(name, ()) for one in step]


@pytest.mark.parametrize("seed", range(40))
def test_after_random_disturbances_the_repaired_plan_is_possible_and_nothing_frozen_moved(seed: int) -> None:
    dice = random.Random(seed)
    some = random_work(seed, most_orders=12)
    plan = solve(some, QUICK).plan
    later = disturbed(dice, some, plan)
    frozen = frozen_part(plan, later, 2 * HOUR)
    repaired = repair(later, plan, frozen, most_moved=0.1)
    assert check(later, repaired.plan) == [], f"seed {seed}"
    assert_head_is_frozen(later, repaired.plan, frozen)
    by_choice = [name for name in repaired.moved if machines_of(plan)[name] in later.by_id[name].durations_s]
    redone = set(repaired.added)
    assert len(set(by_choice) - redone) <= 0.1 * len(later.tasks), f"seed {seed}"


@pytest.mark.parametrize("seed", range(12))
def test_the_plan_optimised_near_the_old_one_is_possible_and_keeps_machines(seed: int) -> None:
    dice = random.Random(seed)
    some = random_work(seed, most_orders=10)
    plan = solve(some, QUICK).plan
    later = disturbed(dice, some, plan)
    frozen = frozen_part(plan, later, 2 * HOUR)
    repaired = repair(later, plan, frozen, most_moved=0.1)
    optimised = solve(near(later, plan, repaired.plan, 0.1), QUICK, frozen=frozen).plan
    assert check(later, optimised) == [], f"seed {seed}"
    assert_head_is_frozen(later, optimised, frozen)
    kept = set(moved(later, plan, optimised)) - set(repaired.added)
    able = [name for name in kept if machines_of(plan)[name] in later.by_id[name].durations_s]
    assert len(able) <= 0.1 * len(later.tasks), f"seed {seed}"


def assert_head_is_frozen(later: Work, plan: Plan, frozen: Plan | None) -> None:
    """Whatever of the frozen part its machine can still take keeps its machine and its order at the head."""
    if frozen is None:
        return
    kept = keep(later, frozen).plan
    for name in kept.sequences:
        head = [one for one in sequence(kept, name) if later.by_id[one].running is None]
        now = [one for one in sequence(plan, name) if later.by_id[one].running is None]
        assert now[: len(head)] == head


def test_without_any_disturbance_nothing_changes() -> None:
    for seed in range(20):
        some = random_work(seed)
        plan = solve(some, QUICK).plan
        assert repair(some, plan).plan == keep(some, plan).plan


def test_what_waits_for_a_machine_that_is_down_goes_to_an_idle_one() -> None:
    tasks = [task(name, f"o{name}", {"M1": HOUR, "M2": HOUR}) for name in "abcd"]
    some = work(tasks, [machine("M1"), machine("M2")], {})
    plan = decode(some, {"M1": [["a"], ["b"], ["c"]], "M2": [["d"]]})
    down = work(tasks, [machine("M1", available_from_s=10 * HOUR), machine("M2")], {})
    repaired = repair(down, plan, most_moved=0.5)
    assert repaired.moved == ("a", "b")
    assert sequence(repaired.plan, "M2") == ["d", "a", "b"]
    assert sequence(repaired.plan, "M1") == ["c"]


def test_a_short_stop_only_shifts() -> None:
    tasks = [task(name, f"o{name}", {"M1": HOUR, "M2": HOUR}) for name in "abc"]
    plan = decode(work(tasks, [machine("M1"), machine("M2")], {}), {"M1": [["a"], ["b"]], "M2": [["c"]]})
    down = work(tasks, [machine("M1", available_from_s=300.0), machine("M2")], {})
    repaired = repair(down, plan, most_moved=1.0)
    assert repaired.moved == ()
    assert repaired.plan.by_job_order["b"].end_s == 300.0 + 2 * HOUR


def test_what_is_frozen_stays_on_the_machine_that_is_down() -> None:
    tasks = [task(name, f"o{name}", {"M1": HOUR, "M2": HOUR}) for name in "ab"]
    some = work(tasks, [machine("M1"), machine("M2")], {})
    plan = decode(some, {"M1": [["a"], ["b"]]})
    down = work(tasks, [machine("M1", available_from_s=10 * HOUR), machine("M2")], {})
    repaired = repair(down, plan, Plan(plan.epoch, plan.operations[:1]), most_moved=1.0)
    assert repaired.moved == ("b",)
    assert sequence(repaired.plan, "M1") == ["a"]


def with_new(some: Work, order: str, priority: Priority) -> Work:
    new = task("new", order, {"M1": HOUR})
    return replace(some, tasks=(*some.tasks, new), orders={**some.orders, order: OrderDemand(order, HOUR, priority)})


def test_a_rush_order_goes_in_at_once_and_a_normal_one_into_a_gap() -> None:
    tasks = [task(name, f"o{name}", {"M1": HOUR}) for name in "ab"]
    some = work(tasks, [machine("M1")], {})
    plan = decode(some, {"M1": [["a"], ["b"]]})
    rush, normal = (
        repair(with_new(some, "rush", Priority.HIGH), plan),
        repair(with_new(some, "later", Priority.NORMAL), plan),
    )
    assert sequence(rush.plan, "M1") == ["new", "a", "b"]
    assert sequence(normal.plan, "M1") == ["a", "b", "new"]
    assert rush.added == normal.added == ("new",)


def with_lags(dice: random.Random, some: Work) -> Work:
    """Return the work with least waits, and ways between its machines."""

    def waiting(one: Task) -> Task:
        return replace(one, waits={name: Wait(dice.uniform(0, 5) * HOUR) for name in one.predecessors})

    pairs = [(one, other) for one in some.machines for other in some.machines if one != other]
    ways = {pair: dice.uniform(0, 3) * HOUR for pair in pairs if dice.random() < 0.5}
    return replace(some, tasks=tuple(map(waiting, some.tasks)), transport_s=ways)


@pytest.mark.parametrize("lags", [False, True])
@pytest.mark.parametrize("seed", range(40))
def test_an_insertion_into_gaps_moves_nothing_else(seed: int, lags: bool) -> None:
    some = random_work(seed, most_orders=10)
    dice = random.Random(seed)
    if lags:
        some = with_lags(dice, some)
    order = dice.choice(sorted(some.orders))
    old = tuple(one for one in some.tasks if one.order != order or one.running is not None)
    before = solve(replace(some, tasks=old), QUICK).plan if old else Plan(some.epoch, ())
    board = Board(some, before)
    insert(board, [one for one in some.tasks if one not in old], {}, pushing=False)
    after = keep(some, board.plan()).plan
    assert check(some, after) == [], f"seed {seed}"
    for one in before.operations:
        assert after.by_job_order[one.job_order].end_s <= one.end_s + 1e-6, f"seed {seed}: {one.job_order}"
        assert after.by_job_order[one.job_order].machine == one.machine


def test_needs_are_met_in_the_order_of_priority_and_due_date() -> None:
    tasks = [task("a", "late", {"M1": 1.0}), task("b", "rush", {"M1": 1.0}), task("c", "soon", {"M1": 1.0}, "a")]
    some = work(tasks, [machine("M1")], {"late": 9.0, "rush": 99.0, "soon": 1.0}, high=["rush"])
    assert [one.id for one in in_order_of_need(some, tasks)] == ["b", "a", "c"]


def test_a_share_beyond_all_is_refused() -> None:
    with pytest.raises(Exception, match="most_moved"):
        Nearness(most_moved=1.5)
