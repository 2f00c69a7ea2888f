"""`methods.load`: work and changeovers fall on the days they are done; skills count while needed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from methods.explosion import explode, job_orders
from methods.load import Load, LoadProfile, load_profile
from plant.item import Attendance
from plant.order import CustomerOrder, JobOrder
from plant.plan import Plan, PlannedOperation
from plant.plant import Absence, Plant
from tests.plant.shops import MONDAY, made, operation, small_shop

HOUR = 3600.0
SHOP_DAY_S = 7.5 * HOUR  # 06:00 to 14:00 with half an hour's break at 10:00


def shop(attendance: Attendance = Attendance.NONE) -> Plant:
    return small_shop((made("shaft", replace(operation("10", "turning"), attendance=attendance)),))


def jobs(plant: Plant, *orders: str) -> dict[str, JobOrder]:
    found = {}
    for name in orders:
        order = CustomerOrder(name, "ACME", "shaft", 3, MONDAY, MONDAY + timedelta(days=4))
        found.update({job.id: job for job in job_orders(plant, explode(plant, order))})
    return found


def profile(plant: Plant, *operations: PlannedOperation) -> LoadProfile:
    return load_profile(plant, Plan(MONDAY, operations), jobs(plant, "CO-1", "CO-2"))


def of(profile: LoadProfile, machine: str) -> Load:
    return next(one for one in profile.machines if one.resource == machine)


def test_what_goes_on_over_night_is_spread_over_the_days() -> None:
    found = profile(shop(), PlannedOperation("CO-1/1-10", "L1", 0, 7 * HOUR, 26 * HOUR, setup_s=HOUR))
    assert [start for start, _ in found.periods] == [MONDAY, MONDAY + timedelta(hours=18)]
    lathe = of(found, "L1")
    assert lathe.work_s == (HOUR, 2 * HOUR)
    assert lathe.setup_s == (HOUR, 0.0)
    assert lathe.capacity_s == (SHOP_DAY_S, SHOP_DAY_S)
    assert lathe.share == pytest.approx(4 * HOUR / (2 * SHOP_DAY_S))
    assert of(found, "MILL").work_s == (0.0, 0.0)
    assert found.skills == ()


def test_a_setup_before_a_break_and_one_over_night_lie_where_they_are_worked() -> None:
    found = profile(shop(), PlannedOperation("CO-1/1-10", "L1", 0, 24.5 * HOUR, 25 * HOUR, setup_s=HOUR))
    assert of(found, "L1").setup_s == (0.5 * HOUR, 0.5 * HOUR)


def test_members_of_a_batch_count_once() -> None:
    members = (PlannedOperation(f"{name}/1-10", "OVEN", 0, 0.0, HOUR, batch="B") for name in ("CO-1", "CO-2"))
    assert of(profile(shop(), *members), "OVEN").work_s == (HOUR,)


@pytest.mark.parametrize(("attendance", "work_s"), [(Attendance.SETUP, 0.0), (Attendance.ALL, 2 * HOUR)])
def test_a_skill_counts_while_somebody_is_needed(attendance: Attendance, work_s: float) -> None:
    one = PlannedOperation("CO-1/1-10", "L1", 0, HOUR, 3 * HOUR, setup_s=1800.0, person="P1")
    (skill,) = profile(shop(attendance), one).skills
    assert (skill.resource, skill.work_s, skill.setup_s, skill.capacity_s) == (
        "turning", (work_s,), (1800.0,), (SHOP_DAY_S,),
    )  # fmt: skip


def test_who_is_away_is_no_capacity_and_processing_waits_for_them() -> None:
    plant = shop(Attendance.ALL)
    away = Absence(MONDAY + timedelta(hours=1), MONDAY + timedelta(hours=3))
    plant = replace(plant, people=(replace(plant.people[0], absences=(away,)),))
    one = PlannedOperation("CO-1/1-10", "L1", 0, 0.0, 3.5 * HOUR, person="P1")
    found = profile(plant, one)
    assert found.skills[0].work_s == of(found, "L1").work_s == (1.5 * HOUR,)
    assert found.skills[0].capacity_s == (SHOP_DAY_S - 2 * HOUR,)
    assert of(found, "L1").capacity_s == (SHOP_DAY_S,)


def test_a_long_plan_is_told_by_the_week_and_weeks_begin_on_monday() -> None:
    wednesday = MONDAY + timedelta(days=2)
    plan = Plan(wednesday, (PlannedOperation("CO-1/1-10", "L1", 0, 0.0, 30 * 24 * HOUR),))
    found = load_profile(shop(), plan, {})
    starts = [start for start, _ in found.periods]
    assert starts[0] == wednesday
    assert [(start - wednesday).days for start in starts[1:]] == [4, 11, 18, 25]
    assert of(found, "L1").capacity_s[:2] == (3 * SHOP_DAY_S, 5 * SHOP_DAY_S)
    assert sum(of(found, "L1").work_s) <= sum(of(found, "L1").capacity_s)


def test_a_plan_of_nothing_has_no_periods() -> None:
    found = profile(shop())
    assert found.periods == ()
    assert of(found, "L1").share is None
