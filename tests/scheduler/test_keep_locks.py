"""`scheduler.keep_locks`: what was just locked begins at its moment in the repaired plan, and nothing else breaks."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from plant.plan import Plan
from plant.plant import SetupMatrix
from plant.work import Lock, Work
from scheduler.check import check
from scheduler.cost import score_of
from scheduler.decode import decode
from scheduler.repair import repair
from scheduler.rules import RULES, dispatched
from tests.scheduler.disturbances import frozen_part
from tests.scheduler.everything import everything
from tests.scheduler.shops import HOUR, machine, task, work


def locked(some: Work, name: str, machine_: str, start_s: float) -> Work:
    """Return the work with a task locked, as `operations.locked` does it."""
    one = some.by_id[name]
    lock = Lock(machine_, start_s)
    fixed = replace(
        one, durations_s={machine_: one.durations_s[machine_]}, release_s=max(one.release_s, start_s), lock=lock
    )
    return replace(some, tasks=tuple(fixed if task_ is one else task_ for task_ in some.tasks))


def sequence(plan: Plan, name: str) -> list[str]:
    return [one.job_order for step in plan.sequences.get(name, ()) for one in step]


def three() -> Work:
    tasks = [task(name, name, {"M1": 2 * HOUR, "M2": 2 * HOUR}) for name in "abc"]
    return work(tasks, [machine("M1"), machine("M2")], {})


@pytest.mark.parametrize(
    ("start_h", "order"), [(0.0, "cab"), (1.0, "cab"), (2.0, "acb"), (3.0, "acb"), (4.0, "abc"), (9.0, "abc")]
)
def test_what_would_hold_a_locked_task_up_goes_behind_it(start_h: float, order: str) -> None:
    plan = decode(three(), {"M1": [["a"], ["b"], ["c"]]})
    some = locked(three(), "c", "M1", start_h * HOUR)
    repaired = repair(some, plan).plan
    assert check(some, repaired) == []
    assert "".join(sequence(repaired, "M1")) == order
    assert repaired.by_job_order["c"].start_s == start_h * HOUR


def test_a_task_locked_to_another_machine_is_there_at_its_moment() -> None:
    plan = decode(three(), {"M1": [["a"], ["b"]], "M2": [["c"]]})
    some = locked(three(), "c", "M1", HOUR)
    repaired = repair(some, plan)
    assert check(some, repaired.plan) == []
    assert sequence(repaired.plan, "M1") == ["c", "a", "b"]
    assert repaired.moved == ("c",)


def test_the_moment_is_that_of_the_changeover() -> None:
    tasks = [task(name, name, {"M1": 2 * HOUR}, setup_family=name) for name in "abc"]
    plain = work(tasks, [machine("M1", setup_matrix=SetupMatrix("m", HOUR))], {})
    some = locked(plain, "c", "M1", 3 * HOUR)
    repaired = repair(some, decode(plain, {"M1": [["a"], ["b"], ["c"]]})).plan
    assert check(some, repaired) == []
    assert repaired.by_job_order["c"].start_s == 4 * HOUR


def test_what_a_locked_task_waits_for_goes_first() -> None:
    tasks = [task("x", "x", {"M1": HOUR}), task("p", "o", {"M1": HOUR}), task("c", "o", {"M2": HOUR}, "p")]
    plain = work(tasks, [machine("M1"), machine("M2")], {})
    some = locked(plain, "c", "M2", HOUR)
    repaired = repair(some, decode(plain, {"M1": [["x"], ["p"]], "M2": [["c"]]})).plan
    assert check(some, repaired) == []
    assert sequence(repaired, "M1") == ["p", "x"]


def test_of_two_locks_each_is_kept() -> None:
    plan = decode(three(), {"M1": [["a"], ["b"], ["c"]]})
    some = locked(locked(three(), "c", "M1", 0.0), "b", "M1", 2 * HOUR)
    repaired = repair(some, plan).plan
    assert check(some, repaired) == []
    assert sequence(repaired, "M1") == ["c", "b", "a"]


def test_what_is_frozen_does_not_give_way() -> None:
    plan = decode(three(), {"M1": [["a"], ["b"], ["c"]]})
    some = locked(three(), "c", "M1", HOUR)
    frozen = Plan(plan.epoch, (plan.by_job_order["a"],))
    repaired = repair(some, plan, frozen).plan
    assert sequence(repaired, "M1") == ["a", "c", "b"]
    assert [said for said in check(some, repaired, frozen) if "locked" not in said] == []


@given(st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_a_lock_breaks_nothing_else_and_is_missed_by_no_more_than_before(seed: int) -> None:
    note(f"seed {seed}")
    dice, plain = random.Random(seed), everything(seed)
    plan = dispatched(plain, RULES[0])
    frozen = frozen_part(plan, plain, HOUR)
    waiting = [
        one
        for one in plain.tasks
        if one.running is None and plan.by_job_order[one.id].batch is None and one.rework is None
    ]
    if not waiting:
        return
    some = plain
    for one in dice.sample(waiting, min(2, len(waiting))):
        there = plan.by_job_order[one.id]
        some = locked(some, one.id, there.machine, max(there.start_s - dice.uniform(0, 8) * HOUR, 0.0))
    repaired = repair(some, plan, frozen).plan
    assert [said for said in check(some, repaired, frozen) if "locked" not in said] == []
    assert score_of(some, repaired).broken <= score_of(some, plan).broken + 1e-6
