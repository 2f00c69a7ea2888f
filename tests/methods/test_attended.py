"""`methods.attended`: what somebody attends goes on while the machine works and they are there."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta

import pytest

from methods.attended import StepHours, attended_hours, hours_of
from methods.explosion import explode, job_orders
from plant.calendar import Calendar, Shift, Window
from plant.item import Attendance
from plant.order import CustomerOrder
from plant.plan import Plan, PlannedOperation
from plant.plant import Absence, Plant
from tests.plant.shops import MONDAY, made, operation, small_shop

HOUR = 3600.0


def hours(start: float, end: float) -> Window:
    return MONDAY + timedelta(hours=start), MONDAY + timedelta(hours=end)


MACHINE = (hours(0, 4), hours(4.5, 8))
SHARED = (hours(2, 4), hours(4.5, 5))
"""P1 comes at 08:00 and is away from 11:00 on."""


def shop(*attendances: Attendance) -> Plant:
    """Return a shop that makes one item for each attendance, with one operation."""
    items = (
        made(f"item{number}", replace(operation("10", "turning"), attendance=attendance))
        for number, attendance in enumerate(attendances)
    )
    plant = small_shop(tuple(items))
    late = Calendar("late", "UTC", (Shift("late", (0, 1, 2, 3, 4), time(8), time(16)),))
    person = replace(plant.people[0], calendar="late", absences=(Absence(*hours(5, 24)),))
    return replace(plant, calendars=(*plant.calendars, late), people=(person,))


def found(plant: Plant, *operations: PlannedOperation) -> dict[str, StepHours]:
    orders = [
        CustomerOrder(f"CO-{number}", "ACME", item.id, 1, MONDAY, MONDAY + timedelta(days=4))
        for number, item in enumerate(plant.made_items())
    ]
    jobs = {job.id: job for order in orders for job in job_orders(plant, explode(plant, order))}
    return dict(attended_hours(plant, Plan(MONDAY, operations), jobs, hours(0, 24)))


@pytest.mark.parametrize(
    ("attendance", "expected"),
    [
        (Attendance.NONE, {}),
        (Attendance.SETUP, {"CO-0/1-10": StepHours(SHARED, MACHINE)}),
        (Attendance.ALL, {"CO-0/1-10": StepHours(SHARED, SHARED)}),
    ],
)
def test_only_what_is_attended_waits_for_somebody(attendance: Attendance, expected: dict[str, StepHours]) -> None:
    assert found(shop(attendance), PlannedOperation("CO-0/1-10", "L1", 0, 0.0, HOUR, person="P1")) == expected


def test_what_nobody_is_named_for_or_nobody_knows_goes_by_its_machine() -> None:
    plan = (
        PlannedOperation("CO-0/1-10", "L1", 0, 0.0, HOUR),
        PlannedOperation("unknown", "L2", 0, 0.0, HOUR, person="P1"),
    )
    assert found(shop(Attendance.ALL), *plan) == {}
    assert hours_of(plan[0], {"L1": MACHINE}, {}) == StepHours(MACHINE, MACHINE)


def test_a_batch_is_attended_as_the_member_that_needs_most() -> None:
    members = (
        PlannedOperation(f"CO-{number}/1-10", "OVEN", 0, 0.0, HOUR, batch="B", person="P1") for number in range(2)
    )
    both = StepHours(SHARED, SHARED)
    assert found(shop(Attendance.NONE, Attendance.ALL), *members) == {"CO-0/1-10": both, "CO-1/1-10": both}
