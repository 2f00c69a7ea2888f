"""What speaks against a lock is said before any plan is made; what speaks against nothing is let through."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from operations.lock_check import objection
from operations.locked import with_locks
from plant.calendar import WorkingTime
from plant.distribution import constant
from plant.item import Attendance
from plant.lock import JobLock
from plant.plan import Plan, PlannedOperation
from plant.work import Delivery, PersonOutlook, Running, Task, Wait, Work
from tests.scheduler.shops import HOUR, days, machine, task, work

EARLY = days([(6, 14)])


def shop(*tasks: Task, **changes: Any) -> Work:
    """Return two machines that work from 6 to 14 and one that always does; the epoch is midnight."""
    machines = [machine("M1", EARLY), machine("M2", EARLY), machine("M3")]
    made = work(list(tasks), machines, {})
    return replace(made, **changes) if changes else made


def at(some: Work, hour: float, job: str = "a", on: str = "M1") -> JobLock:
    return JobLock(job, on, some.epoch + timedelta(hours=hour), "anna")


def said(some: Work, lock: JobLock, frozen: Plan | None = None) -> str:
    return str(objection(some, lock, frozen) or "")


A = task("a", "o", {"M1": 2 * HOUR, "M3": HOUR})
B = task("b", "o", {"M2": HOUR}, "a")
C = task("c", "p", {"M1": 2 * HOUR})


@pytest.mark.parametrize(
    ("hour", "on", "words"),
    [
        (7, "M1", ""),
        (12.5, "M1", ""),  # it goes on in the next shift
        (7, "M2", "M2 cannot take a; M1, M3 can"),
        (-1, "M3", "has passed"),
        (24 * 365 * 6, "M3", "is 2190.0 days away; choose a start within 1825.0 days"),
        (5, "M1", "M1 is closed at Mon 5 Jan 05:00; it works again from Mon 5 Jan 06:00 on"),
        (14, "M1", "it works again from Tue 6 Jan 06:00 on"),
        (3, "M3", ""),
    ],
)
def test_the_machine_must_be_able_and_open(hour: float, on: str, words: str) -> None:
    found = said(shop(A, B), at(shop(A), hour, on=on))
    assert (words in found) if words else found == ""


def test_what_is_done_or_has_begun_cannot_be_locked() -> None:
    running = task("a", "o", {"M1": HOUR}, running=Running("M1", -60.0, HOUR))
    assert "nothing is left to be done of a job order x" in said(shop(A), at(shop(A), 7, "x"))
    assert said(shop(running), at(shop(running), 7)) == "a has begun on M1 and stays there"


def test_work_that_no_break_may_interrupt_must_fit() -> None:
    whole = replace(A, interruptible=False)
    assert "without a break" in said(shop(whole), at(shop(whole), 12.5))
    assert said(shop(whole), at(shop(whole), 12)) == ""


def test_a_machine_that_is_down_or_busy_is_named_with_until_when() -> None:
    down = shop(A)
    down = replace(down, machines={**down.machines, "M3": replace(down.machines["M3"], available_from_s=4 * HOUR)})
    assert "M3 is down until about Mon 5 Jan 04:00" in said(down, at(down, 3, on="M3"))
    busy = shop(task("r", "q", {"M3": 2 * HOUR}, running=Running("M3", 0.0, 2 * HOUR)), A)
    assert "M3 makes r until about Mon 5 Jan 02:00" in said(busy, at(busy, 1, on="M3"))
    assert said(busy, at(busy, 2, on="M3")) == ""


def test_what_is_frozen_stays_and_nothing_is_put_before_it() -> None:
    some = shop(A, C)
    frozen = Plan(some.epoch - timedelta(hours=1), (PlannedOperation("c", "M1", 0, 7 * HOUR, 9 * HOUR),))
    assert "c is about to begin where it is planned" in said(some, at(some, 12, "c"), frozen)
    assert "M1 makes c until about Mon 5 Jan 08:00" in said(some, at(some, 7), frozen)
    assert said(some, at(some, 8), frozen) == ""
    assert said(some, at(some, 7, on="M3"), frozen) == ""


@pytest.mark.parametrize(("hour", "contradicts"), [(7, False), (8.5, True), (10.5, True), (11, False)])
def test_two_locks_at_once_on_a_machine_contradict_each_other(hour: float, contradicts: bool) -> None:
    some = with_locks(shop(A, C), [at(shop(C), 9, "c")])
    words = "c is locked to M1 from Mon 5 Jan 09:00 to Mon 5 Jan 11:00"
    assert (words in said(some, at(some, hour))) is contradicts


def test_what_comes_before_must_be_done_by_then() -> None:
    some = shop(A, B)
    assert said(some, at(some, 6, "b", "M2")) == ""  # M3 can make the other in the night
    held = with_locks(some, [at(some, 9)])
    assert "b cannot begin before Mon 5 Jan 11:00: what it waits for" in said(held, at(held, 10, "b", "M2"))
    late = replace(A, material=Delivery("d", 5 * HOUR, constant(4 * HOUR)))
    assert "a cannot begin before Mon 5 Jan 09:00" in said(shop(late), at(shop(late), 8))


def test_a_lock_of_what_comes_after_is_contradicted_and_named() -> None:
    some = with_locks(shop(A, B), [at(shop(A), 9, "b", "M2")])
    told = said(some, at(some, 8))
    assert "b is locked to Mon 5 Jan 09:00, and could then not begin before Mon 5 Jan 10:00" in told
    assert said(some, at(some, 7)) == ""


def test_times_are_told_on_the_plants_clock() -> None:
    told = objection(shop(A), at(shop(A), 5), zone=ZoneInfo("Asia/Shanghai"))
    assert str(told) == "M1 is closed at Mon 5 Jan 13:00; it works again from Mon 5 Jan 14:00 on"
    assert objection(shop(A), at(shop(A), 7), zone=ZoneInfo("Asia/Shanghai")) is None


def test_somebody_must_be_there_who_can_do_it() -> None:
    attended = replace(A, attendance=Attendance.ALL, skill="weld")
    people = {
        "P": PersonOutlook("P", days([(8, 12)]), ("weld",)),
        "Q": PersonOutlook("Q", WorkingTime.always(), ("saw",)),
    }
    some = shop(attended, people=people)
    assert "needs somebody who can do weld" in said(some, at(some, 7))
    assert said(some, at(some, 9)) == ""


def test_what_dries_or_is_carried_is_not_there_earlier() -> None:
    drying = shop(A, replace(B, waits={"a": Wait(8 * HOUR)}))  # an hour on M3, at night
    assert said(drying, at(drying, 9, "b", "M2")) == ""
    assert "b cannot begin before Mon 5 Jan 09:00" in said(drying, at(drying, 8, "b", "M2"))
    carried = shop(A, B, transport_s={("M1", "M2"): 7 * HOUR, ("M3", "M2"): 7 * HOUR})
    assert said(carried, at(carried, 8, "b", "M2")) == ""
    assert "b cannot begin before Mon 5 Jan 08:00" in said(carried, at(carried, 7, "b", "M2"))
