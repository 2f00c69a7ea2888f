"""Calibrations made from a stored history: kept, compared, adopted, used by plans, rolled back, made every night."""

from __future__ import annotations

from datetime import timedelta

import pytest

from historian import calibrations, plants
from historian.database import Historian
from operations import calibration, jobs, planning
from plant.actor import SYSTEM, Actor, Role
from plant.calibration import Calibration, Parameter
from plant.errors import Conflict, Denied, InvalidInput, NotFound
from plant.long_job import LongJob
from plant.plan import PlanVersion
from plant.version import version_of
from runtime.compute import InlineCompute
from tests.operations.past import PLANNED_S, with_history
from tests.operations.shop import (
    PLANNER,
    PLANT,
    RULES,
    Clock,
    Queue,
    at,
    ledger_of,
    order,
    with_orders,
)
from tests.plant.shops import small_shop

VIEWER = Actor("vera", frozenset({Role.VIEWER}))
DAY_S = 86400.0


async def make(historian: Historian, clock: Clock, days: float = 30) -> Calibration:
    return await calibration.make(historian, InlineCompute(), clock, PLANNER, days)


async def in_use(historian: Historian) -> list[str]:
    return [one.id for one in await calibration.list_calibrations(historian, VIEWER) if one.adopted]


def factor(made: Calibration) -> float:
    found = made.find(Parameter.DURATION, "L1", "shaft/10")
    assert found is not None
    return found.value


async def test_history_is_calibrated_with_kept_and_listed(historian: Historian) -> None:
    clock = await with_history(historian)
    made = await make(historian, clock)
    assert 1.4 < factor(made) < 1.6
    assert made.find(Parameter.DURATION, "L1", "shaft/10").count == 6  # type: ignore[union-attr]
    assert await calibration.get(historian, VIEWER, made.id) == made
    (listed,) = await calibration.list_calibrations(historian, VIEWER)
    assert (listed.id, listed.made_by, listed.adopted) == (made.id, PLANNER.name, False)
    assert (listed.since, listed.until) == (clock.now() - timedelta(days=30), clock.now())
    assert listed.estimates == len(made.estimates)
    assert (await make(historian, clock)).id == made.id  # the same history, the same version
    assert len(await calibration.list_calibrations(historian, VIEWER)) == 1
    assert [entry.kind for entry in await ledger_of(historian, f"calibration/{made.id}")] == ["made"]


async def test_without_history_there_is_nothing_to_calibrate_with(historian: Historian) -> None:
    await with_orders(historian, order())
    with pytest.raises(InvalidInput, match="nothing to calibrate with"):
        await make(historian, Clock(at(DAY_S)))
    with pytest.raises(InvalidInput, match="days of history"):
        await make(historian, Clock(at(DAY_S)), days=0)
    with pytest.raises(NotFound, match="unknown calibration 'cal-none'"):
        await calibration.get(historian, VIEWER, "cal-none")


async def test_plans_use_the_adopted_calibration_and_name_it(historian: Historian) -> None:
    clock = await with_history(historian)
    made = await make(historian, clock)

    async def plan() -> PlanVersion:
        return await planning.make_plan(historian, InlineCompute(), clock, PLANNER, RULES, "test")

    before = await plan()
    await calibration.adopt(historian, PLANNER, made.id)
    after = await plan()
    assert (before.calibration, after.calibration) == (None, made.id)
    assert (await planning.get_plan(historian, PLANNER, after.id))[0] == after

    def turning_s(version: PlanVersion) -> float:
        one = version.plan.by_job_order["CO-7/1-10"]
        return (one.end_s - one.start_s) * (2.0 if one.machine == "L2" else 1.0)

    assert turning_s(before) == pytest.approx(PLANNED_S, rel=0.01)
    assert turning_s(after) > 1.2 * PLANNED_S
    assert await calibration.roll_back(historian, PLANNER) is None
    assert (await plan()).calibration is None


async def test_adopting_and_going_back_step_by_step(historian: Historian) -> None:
    clock = await with_history(historian)
    first = await make(historian, clock)
    clock.moment += timedelta(hours=1)
    second = await make(historian, clock)
    assert first.id != second.id
    with pytest.raises(Conflict, match="nothing to go back from"):
        await calibration.roll_back(historian, PLANNER)
    for one in (first, first, second):  # adopting what is in use changes nothing
        await calibration.adopt(historian, PLANNER, one.id)
    assert await in_use(historian) == [second.id]
    assert await calibration.roll_back(historian, PLANNER) == first.id
    assert await in_use(historian) == [first.id]
    assert await calibration.roll_back(historian, PLANNER) is None
    assert await in_use(historian) == []
    with pytest.raises(Conflict, match="nothing to go back from"):
        await calibration.roll_back(historian, PLANNER)
    told = [(entry.kind, entry.before, entry.after) for entry in await ledger_of(historian, f"calibration/{second.id}")]
    assert told[1:] == [("adopted", first.id, second.id), ("rolled back", second.id, first.id)]


async def test_two_calibrations_are_compared(historian: Historian) -> None:
    clock = await with_history(historian)
    first = await make(historian, clock)
    short = await make(historian, clock, days=0.1)
    found = await calibration.compare(historian, VIEWER, first.id, short.id)
    assert (Parameter.DURATION, "L1", "shaft/10") in {(one.parameter, one.machine, one.subject) for one in found}
    assert await calibration.compare(historian, VIEWER, first.id, first.id) == ()


async def test_a_calibration_of_another_plant_version_is_neither_adopted_nor_used(historian: Historian) -> None:
    clock = await with_history(historian)
    made = await make(historian, clock)
    await calibration.adopt(historian, PLANNER, made.id)
    other = version_of(small_shop(PLANT.items[:1] + PLANT.items[2:]))
    async with historian.transaction(SYSTEM, "test") as tx:
        assert await calibration.usable(tx, made.plant_version) == made
        await plants.save(tx, other)
        await plants.set_current(tx, PLANT.site, other.id)
        assert await calibration.usable(tx, other.id) is None
    with pytest.raises(Conflict, match="make a new one"):
        await calibration.adopt(historian, PLANNER, made.id)


async def test_only_planners_calibrate(historian: Historian) -> None:
    with pytest.raises(Denied):
        await jobs.request_calibration(historian, Queue(), VIEWER, "last 30 days")
    with pytest.raises(Denied):
        await calibration.roll_back(historian, VIEWER)


async def test_it_is_asked_for_once_a_night(historian: Historian) -> None:
    clock, queue = await with_history(historian), Queue()
    night = Clock(at(DAY_S))  # it is Tuesday, 06:00

    async def ask(when: Clock) -> LongJob | None:
        return await calibration.calibrate_if_due(historian, queue, when)

    assert await ask(clock) is None  # the first day is not over
    job = await ask(night)
    assert job is not None
    assert queue.deferred == [("calibration", job.id)]
    assert (job.subject, job.requested_by) == ("last 30 days, night to 2026-01-06", SYSTEM.name)
    assert calibration.history_of(job) == 30.0
    assert await ask(night) is None
    following = await ask(Clock(at(2 * DAY_S)))
    assert following is not None
    # Whoever calibrated by hand after midnight has done the night's work.
    await make(historian, Clock(at(3 * DAY_S)))
    assert await ask(Clock(at(3 * DAY_S + 3600))) is None


async def test_nothing_is_due_without_a_plant_or_a_history(historian: Historian) -> None:
    assert await calibration.calibrate_if_due(historian, Queue(), Clock(at(DAY_S))) is None
    await with_orders(historian, order())
    assert await calibration.calibrate_if_due(historian, Queue(), Clock(at(DAY_S))) is None


async def test_a_subject_says_how_many_days(historian: Historian) -> None:
    job = await jobs.request_calibration(historian, Queue(), PLANNER, calibration.subject_of(7.5))
    assert calibration.history_of(job) == 7.5
    job = await jobs.request_calibration(historian, Queue(), PLANNER, "all of it")
    with pytest.raises(InvalidInput, match="does not say on how many days"):
        calibration.history_of(job)


async def test_an_unknown_adoption_is_not_found(historian: Historian) -> None:
    async with historian.transaction(SYSTEM, "test") as tx:
        with pytest.raises(NotFound, match="unknown adoption 9"):
            await calibrations.adoption(tx, 9)
