"""`methods.disturbed`: who is reported away is away, what waits for late material is released later, and
who is stopped does nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from methods.disturbed import waiting_for, with_absences, with_late_materials, with_planned_stops
from methods.explosion import explode, job_orders
from methods.work import working_time
from plant.calendar import Calendar
from plant.order import CustomerOrder, JobProgress, JobState
from plant.plant import Absence, PlannedStop
from tests.plant.shops import MONDAY, bought, made, operation, small_shop

PLANT = small_shop(
    (
        made("shaft", operation("10", "turning"), bom=(("bar", "2"),)),
        made("ring", operation("10", "turning"), bom=(("tube", "1"),)),
        bought("bar", 3600.0, 0),
        bought("tube", 3600.0, 100),
    )
)
FRIDAY = MONDAY + timedelta(days=4)


def jobs(item: str) -> list[JobProgress]:
    order = CustomerOrder("CO-1", "ACME", item, 3, MONDAY, FRIDAY)
    return [JobProgress(job, JobState.WAITING) for job in job_orders(PLANT, explode(PLANT, order))]


def test_what_needs_the_material_is_released_when_it_comes_and_nothing_else_is() -> None:
    expected = {"bar": FRIDAY, "tube": FRIDAY}
    assert [one.job.release_at for one in with_late_materials(PLANT, jobs("shaft"), expected)] == [FRIDAY]
    assert with_late_materials(PLANT, jobs("ring"), expected) == jobs("ring")  # there are enough tubes
    assert waiting_for(PLANT, [*jobs("shaft"), *jobs("ring")], expected) == {"bar": FRIDAY}


def test_what_has_begun_has_its_material_and_an_early_delivery_changes_nothing() -> None:
    begun = [replace(one, state=JobState.RUNNING) for one in jobs("shaft")]
    assert with_late_materials(PLANT, begun, {"bar": FRIDAY}) == begun
    assert waiting_for(PLANT, begun, {"bar": FRIDAY}) == {}
    assert with_late_materials(PLANT, jobs("shaft"), {"bar": MONDAY}) == jobs("shaft")


def test_a_person_is_away_besides_their_own_absences() -> None:
    own, reported = Absence(MONDAY, FRIDAY), Absence(FRIDAY, FRIDAY + timedelta(days=1))
    plant = replace(PLANT, people=tuple(replace(one, absences=(own,)) for one in PLANT.people))
    assert with_absences(plant, {"P1": reported}).people[0].absences == (own, reported)
    assert with_absences(plant, {"stranger": reported}) is plant


def test_a_stopped_machine_has_a_calendar_of_its_own_even_where_it_is_always_open() -> None:
    open_ = Calendar("always", "UTC")
    plant = replace(
        PLANT,
        calendars=(*PLANT.calendars, open_),
        machines=(replace(PLANT.machines[0], calendar="always"), *PLANT.machines[1:]),
    )
    name = plant.machines[0].id
    begin = datetime(2026, 1, 5, 8, tzinfo=UTC)
    stopped = with_planned_stops(
        plant,
        {
            name: PlannedStop(begin, begin + timedelta(hours=3)),
            "stranger": PlannedStop(begin, begin + timedelta(hours=1)),
        },
    )
    time = working_time(stopped.calendar_of(name), begin - timedelta(hours=1))
    assert time.finish(0.0, 2 * 3600.0) == 5 * 3600.0
    assert [one.calendar for one in stopped.machines[1:]] == [one.calendar for one in plant.machines[1:]]
    assert with_planned_stops(plant, {}) is plant
