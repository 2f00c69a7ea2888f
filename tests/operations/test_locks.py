"""Locks are kept with who set them, contradicted in words, planned around, and taken off again."""

from __future__ import annotations

import pytest

from historian.database import Historian
from operations import jobs as long_jobs
from operations import locks, planning, releases
from plant.actor import Actor, Role
from plant.errors import Denied, InvalidInput, NotFound
from plant.lock import JobLock
from runtime.compute import InlineCompute
from tests.operations.shop import PLANNER, RULES, Clock, Queue, at, ledger_of, order, report, response, with_orders

CLOCK = Clock(at(0))
VIEWER = Actor("vic", frozenset({Role.VIEWER}))


async def lock(historian: Historian, hour: float, machine: str = "L1", job: str = "CO-1/1-10") -> JobLock:
    return await locks.lock(historian, CLOCK, PLANNER, RULES, job, machine, at(hour * 3600))


async def test_a_lock_is_kept_with_who_set_it_and_in_the_ledger(historian: Historian) -> None:
    await with_orders(historian, order())
    made = await lock(historian, 2)
    assert await lock(historian, 2) == made
    moved = await lock(historian, 3, "L2")
    assert await locks.list_locks(historian, VIEWER) == [moved] == [JobLock("CO-1/1-10", "L2", at(10800), "anna")]
    await locks.unlock(historian, PLANNER, "CO-1/1-10")
    assert await locks.list_locks(historian, VIEWER) == []
    entries = await ledger_of(historian, "job-order/CO-1/1-10")
    assert [entry.kind for entry in entries] == ["locked", "locked", "unlocked"]
    assert entries[1].before["machine"] == "L1"


async def test_what_is_impossible_is_said_before_any_plan_is_made_and_not_kept(historian: Historian) -> None:
    await with_orders(historian, order())
    asked = (historian, CLOCK, PLANNER, RULES, "CO-1/1-10")
    assert await locks.why_impossible(*asked, "L1", at(7200)) is None
    for machine, hour, words in (
        ("MILL", 2, "MILL cannot take CO-1/1-10"),
        ("L1", -1, "has passed"),
        ("L1", 9, "closed"),
    ):
        assert words in str(await locks.why_impossible(*asked, machine, at(hour * 3600)))
        with pytest.raises(InvalidInput, match=words):
            await lock(historian, hour, machine)
    with pytest.raises(NotFound):
        await locks.unlock(historian, PLANNER, "CO-1/1-10")
    with pytest.raises(Denied):
        await locks.lock(historian, CLOCK, VIEWER, RULES, "CO-1/1-10", "L1", at(7200))
    assert await locks.list_locks(historian, VIEWER) == []


async def test_its_own_earlier_lock_is_not_in_the_way(historian: Historian) -> None:
    await with_orders(historian, order())
    await lock(historian, 2)
    assert await lock(historian, 2.1) == JobLock("CO-1/1-10", "L1", at(2.1 * 3600), "anna")


async def test_every_plan_keeps_to_it_until_it_is_taken_off(historian: Historian) -> None:
    await with_orders(historian, order(), order("CO-2"))
    await lock(historian, 5)

    async def planned(near: bool) -> planning.PlanVersion:
        return await planning.make_plan(historian, InlineCompute(), CLOCK, PLANNER, RULES, "test", near=near)

    first = await planned(near=False)
    one = first.plan.by_job_order["CO-1/1-10"]
    assert (one.machine, one.start_s - one.setup_s) == ("L1", 5 * 3600.0)
    assert not any("locked" in str(note) for note in first.judgement.notes)
    await releases.release(historian, CLOCK, PLANNER, RULES, first.id)
    await lock(historian, 3, "L2", "CO-2/1-10")
    second = await planned(near=True)
    assert second.plan.by_job_order["CO-1/1-10"].machine == "L1"
    other = second.plan.by_job_order["CO-2/1-10"]
    assert (other.machine, other.start_s - other.setup_s) == ("L2", 3 * 3600.0)
    await locks.unlock(historian, PLANNER, "CO-1/1-10")
    third = await planned(near=False)
    assert third.plan.by_job_order["CO-1/1-10"].start_s < 5 * 3600.0


async def test_a_lock_that_time_has_overtaken_is_told_with_the_plan(historian: Historian) -> None:
    await with_orders(historian, order())
    await lock(historian, 1)
    late = Clock(at(2 * 3600))
    version = await planning.make_plan(historian, InlineCompute(), late, PLANNER, RULES, "test")
    (told,) = [str(note) for note in version.judgement.notes if "locked" in str(note)]
    assert told == "CO-1/1-10 is locked to L1, Mon 5 Jan 07:00; the plan begins it on L1, Mon 5 Jan 08:00."
    assert version.judgement.passed


async def test_what_has_begun_is_not_locked_any_more(historian: Historian) -> None:
    await with_orders(historian, order())
    await lock(historian, 2)
    await report(historian, response("CO-1/1-10", "started", 3600))
    assert await locks.list_locks(historian, VIEWER) == []


async def test_a_plan_may_be_asked_for_near_the_one_in_force(historian: Historian) -> None:
    await with_orders(historian, order())
    asked = await long_jobs.request_plan(historian, Queue(), PLANNER, "around a lock", near=True)
    assert (await long_jobs.get(historian, PLANNER, asked.id)).near
    assert not (await long_jobs.request_plan(historian, Queue(), PLANNER, "anew")).near
