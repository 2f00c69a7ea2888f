"""Locked work: solved where and when it is locked, rehearsed no earlier, and told in words where a plan misses it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from operations.locked import as_planned, begin_s, missed, missed_s, with_locks
from operations.rehearsal import rehearse
from plant.item import Attendance
from plant.lock import JobLock
from plant.plan import PlannedOperation
from plant.plant import SetupMatrix
from plant.work import PersonOutlook, Running, Work
from scheduler.check import check
from scheduler.solve import SolverSettings, solve
from tests.scheduler.shops import HOUR, days, machine, task, work
from twin.draws import Draws
from twin.rehearse import rehearse as run

QUICK = SolverSettings(time_limit_s=30, effort=0.02, workers=1)
SLOW_SETUPS = SetupMatrix("slow", 1800.0)


def shop() -> Work:
    """Return two machines on which changing the family takes half an hour."""
    machines = [machine(name, days([(6, 14)]), setup_matrix=SLOW_SETUPS) for name in ("M1", "M2")]
    tasks = [
        task(name, f"order {name}", {"M1": HOUR, "M2": HOUR}, setup_family=family, variation=0.3)
        for name, family in zip("abcd", "XYXY", strict=True)
    ]
    return work(tasks, machines, {})


def lock(some: Work, hour: float, job: str = "a", on: str = "M2") -> JobLock:
    return JobLock(job, on, some.epoch + timedelta(hours=hour), "anna")


def test_a_plan_begins_a_locked_task_where_and_when_it_is_locked_changeover_included() -> None:
    some = with_locks(shop(), [lock(shop(), 10)])
    plan = solve(some, QUICK).plan
    planned = plan.by_job_order["a"]
    assert planned.machine == "M2"
    assert begin_s(some, some.by_id["a"], planned) == pytest.approx(10 * HOUR)
    assert check(as_planned(some, plan), plan) == []
    assert list(missed(some, plan, [lock(some, 10)])) == []


def test_no_future_begins_it_earlier() -> None:
    some = with_locks(shop(), [lock(shop(), 10)])
    ran = run(some, solve(some, QUICK).plan, Draws(3, 200))
    durations = ran.completion_s("order a") - 10 * HOUR
    assert durations.min() > 0
    judged = rehearse(some, QUICK, 50, 3)
    assert not any("not possible" in str(reason) for reason in judged.judgement.reasons)


def test_a_lock_whose_moment_has_passed_is_due_now_and_told_as_missed() -> None:
    some = shop()
    late = lock(some, -2)
    held = with_locks(some, [late])
    assert held.by_id["a"].lock is not None
    assert held.by_id["a"].lock.start_s == 0.0
    plan = solve(held, QUICK).plan
    assert plan.by_job_order["a"].machine == "M2"
    (told,) = missed(held, plan, [late], ZoneInfo("Asia/Shanghai"))
    begun = "Mon 5 Jan 14:00"  # 06:00 in UTC, when the shop opens
    assert str(told) == f"a is locked to M2, Mon 5 Jan 06:00; the plan begins it on M2, {begun}."


def test_what_has_begun_or_cannot_go_there_any_more_stays_free_and_is_told() -> None:
    some = shop()
    running = replace(some.tasks[0], durations_s={"M1": HOUR}, running=Running("M1", 0.0, HOUR))
    begun = replace(some, tasks=(running, *some.tasks[1:]))
    assert with_locks(begun, [lock(some, 10)]) == begun
    unable = replace(some, tasks=(replace(some.tasks[0], durations_s={"M1": HOUR}), *some.tasks[1:]))
    assert with_locks(unable, [lock(some, 10)]) == unable
    (told,) = missed(unable, solve(unable, QUICK).plan, [lock(some, 10)])
    assert "a is locked to M2" in str(told)
    assert "begins it on M1" in str(told)


def test_two_locks_of_which_one_must_give_way_leave_a_plan_that_says_so() -> None:
    some = shop()
    both = [lock(some, 10, "a"), lock(some, 10.5, "b")]
    held = with_locks(some, both)
    plan = solve(held, QUICK).plan
    assert check(as_planned(held, plan), plan) == []
    assert len(list(missed(held, plan, both))) == 1
    assert missed_s(held, plan) >= 1800.0
    alone = with_locks(some, both[:1])
    assert missed_s(alone, solve(alone, QUICK).plan) == 0.0


def test_a_changeover_over_a_break_begins_before_it() -> None:
    some = shop()
    one = PlannedOperation("a", "M1", 0, 30.25 * HOUR, 31.25 * HOUR, setup_s=1800.0)
    assert begin_s(some, some.by_id["a"], one) == 13.75 * HOUR
    people = {"P": PersonOutlook("P", days([(7, 14)]))}
    attended = replace(some, people=people, tasks=(replace(some.tasks[0], attendance=Attendance.ALL),))
    by_them = replace(one, person="P", start_s=31.25 * HOUR)
    assert begin_s(attended, attended.by_id["a"], by_them) == 13.75 * HOUR
