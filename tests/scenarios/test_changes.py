"""Every change does what it says to the machine shop, and refuses what does not fit, naming it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from methods.explosion import explode, job_orders
from plant.calendar import WorkingTime
from plant.errors import ForerunError, InvalidInput, NotFound, Problem
from plant.folder_table import Table
from plant.order import JobProgress, JobState, Priority
from scenarios.case import Case, When
from scenarios.changes import KINDS, Change
from scenarios.prepare import prepare
from tests.scenarios.shop import machine_shop

NOW = datetime(2026, 1, 4, 22, tzinfo=UTC)
"""The machine shop starts on Monday 2026-01-05 at 06:00 in Shanghai."""


def change(kind: str, **values: Any) -> Change:
    problems: list[Problem] = []
    found = KINDS[kind].read(Table("scenario.toml", "change", values, problems))
    assert not problems, problems
    assert found is not None
    return found


def apply(kind: str, case: Case | None = None, **values: Any) -> Case:
    return change(kind, **values).apply(case or machine_shop())


def hours(case: Case, machine: str, start: datetime, end: datetime) -> float:
    return case.working_h(case.plant.machine(machine).calendar, start, end)


def working_time(case: Case, machine: str) -> WorkingTime:
    """When the floor may work on a machine."""
    model = prepare(case).model
    return model.calendars[model.plant.machine(machine).calendar]


def test_a_machine_that_is_down_does_no_work_then_and_others_do() -> None:
    case = apply("machine_down", machine="M08", **{"from": "2026-01-06T10:00"}, for_h=4)
    day = datetime(2026, 1, 5, 16, tzinfo=UTC)  # midnight in Shanghai
    assert hours(machine_shop(), "M08", day, day + timedelta(days=1)) == 14.5
    assert hours(case, "M08", day, day + timedelta(days=1)) == 14.5 - 3.5  # half an hour of it was a break
    assert hours(case, "M06", day, day + timedelta(days=1)) == 14.5
    assert working_time(case, "M08") != working_time(machine_shop(), "M08")


def test_two_spans_on_one_machine_add_up() -> None:
    case = apply("machine_down", machine="M08", **{"from": "+1 d"}, for_h=1)
    case = apply("machine_down", case, machine="M08", **{"from": "+2 d"}, for_h=1)
    week = (NOW, NOW + timedelta(days=7))
    assert hours(case, "M08", *week) == hours(machine_shop(), "M08", *week) - 2


def test_a_closed_plant_works_on_no_machine() -> None:
    case = apply("plant_closed", **{"from": "+1 d"}, for_h=24)
    assert case.plant.open_windows(NOW + timedelta(days=1), NOW + timedelta(days=2)) == []
    assert case.plant.open_windows(NOW + timedelta(days=2), NOW + timedelta(days=3)) != []


def test_an_extra_shift_opens_a_saturday_for_those_who_are_named() -> None:
    case = apply("extra_shift", days=["Sat"], start="06:00", end="14:00", breaks=["09:00-09:30"], machines=["M08"])
    saturday = datetime(2026, 1, 9, 16, tzinfo=UTC)
    assert hours(case, "M08", saturday, saturday + timedelta(days=1)) == 7.5
    assert hours(case, "M06", saturday, saturday + timedelta(days=1)) == 0
    assert hours(case, "M08", NOW, saturday) == hours(machine_shop(), "M08", NOW, saturday)


def test_overtime_is_worked_once() -> None:
    case = apply("overtime", **{"from": "2026-01-10T08:00"}, for_h=4, machines=["M08"], people=["P04"])
    week = timedelta(days=7)
    assert hours(case, "M08", NOW, NOW + week) == hours(machine_shop(), "M08", NOW, NOW + week) + 4
    assert hours(case, "M08", NOW + week, NOW + 2 * week) == hours(machine_shop(), "M08", NOW + week, NOW + 2 * week)


def test_without_the_only_one_who_can_a_machine_stands() -> None:
    before = working_time(machine_shop(), "M08")
    after = working_time(apply("person_absent", person="P09", for_days=7), "M08")
    # P09 is the only late grinder: five late shifts of 7.25 hours are gone, and nothing else.
    assert before.worked_at(7 * 86400) - after.worked_at(7 * 86400) == 5 * 7.25 * 3600
    unmoved = working_time(apply("person_absent", person="P04", for_days=7), "M08")
    assert unmoved == before, "P06 grinds on the early shift, too"


def test_a_new_machine_is_like_its_model() -> None:
    case = apply("new_machine", id="M14", like="M08", speed=1.5, calendar="early only")
    model, fresh = case.plant.machine("M08"), case.plant.machine("M14")
    assert (fresh.capabilities, fresh.reliability) == (model.capabilities, model.reliability)
    assert (fresh.speed, fresh.calendar) == (1.5, "early only")
    assert fresh in case.plant.machines_with("grinding")


def test_speed_setups_and_reliability_are_multiplied() -> None:
    assert apply("machine_speed", machine="M06", factor=1.5).plant.machine("M06").speed == pytest.approx(1.8)
    case = apply("setup_time", factor=0.5, setup_matrices=["turning"])
    assert case.plant.setup_matrix_of("M02").duration_s(None, "turn hub") == 600
    assert case.plant.setup_matrix_of("M08") == machine_shop().plant.setup_matrix_of("M08")
    case = apply("reliability", machines=["M02"], between_failures_factor=2, repair_factor=0.5)
    found, was = case.plant.machine("M02").reliability, machine_shop().plant.machine("M02").reliability
    assert found is not None
    assert was is not None
    assert found.time_between_failures.mean == 2 * was.time_between_failures.mean
    assert found.time_to_repair.mean == was.time_to_repair.mean / 2
    assert found.time_to_repair.variation == was.time_to_repair.variation


def test_orders_come_go_and_move() -> None:
    case = apply("rush_order", id="X", item="SH-35", quantity=3, due="+2 d")
    assert (case.orders[-1].priority, case.orders[-1].due_at) == (Priority.HIGH, NOW + timedelta(days=2))
    assert any(order.customer_order == "X" for order in prepare(case).model.orders)
    case = apply("cancel_order", order="CO-1001")
    assert len(case.orders) == 43
    case = apply("due_date", order="CO-1001", due="2026-01-09T12:00")
    assert case.order("CO-1001").due_at == datetime(2026, 1, 9, 4, tzinfo=UTC)


def test_demand_scales_pieces_of_orders_that_have_not_begun() -> None:
    base = machine_shop()
    order = base.order("CO-1002")
    (first, *_) = job_orders(base.plant, explode(base.plant, order))
    begun = Case(base.plant, base.orders, base.snapshot, (JobProgress(first, JobState.RUNNING, "M01", NOW),))
    case = apply("demand", begun, factor=1.5)
    assert case.order("CO-1002").quantity == order.quantity
    assert case.order("CO-1003").quantity == 12
    assert apply("demand", factor=0.01).order("CO-1003").quantity == 1
    with pytest.raises(InvalidInput, match="has begun"):
        apply("cancel_order", begun, order="CO-1002")


def test_late_material_holds_back_the_orders_that_wait_for_it() -> None:
    def releases(case: Case) -> dict[str, float]:
        return {order.id: order.release_s for order in prepare(case).model.orders}

    before, after = releases(machine_shop()), releases(apply("late_material", item="CAST-140", days=7))
    moved = {name.split("/")[0] for name in before if after[name] != before[name]}
    assert moved == {"CO-1016", "CO-1039"}
    assert max(after[name] - before[name] for name in before) == 7 * 86400
    lost = apply("late_material", item="BRG-6204", days=1, stock_lost=True)
    assert lost.plant.item("BRG-6204").stock == lost.snapshot.stock["BRG-6204"] == Decimal(0)


def test_another_rule_is_that_of_every_machine() -> None:
    case = apply("dispatching_rule", rule="EDD")
    assert (case.rules, machine_shop().rules) == (("EDD",), ("ATC",))
    own = tuple(replace(one, rule="SPT") if one.id == "M08" else one for one in case.plant.machines)
    assert replace(case, rule=None, plant=replace(case.plant, machines=own)).rules == ("ATC", "SPT")


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("machine_down", {"machine": "M88", "for_h": 4}, r"unknown machine 'M88'; known are M01, M02"),
    ("machine_down", {"machine": "M08", "from": "2026-01-10T08:00", "for_h": 4}, "M08 has no working time"),
    ("machine_down", {"machine": "M08", "from": "2026-01-02T08:00", "for_h": 4}, "M08 has no working time"),
    ("plant_closed", {"from": "2026-01-10T08:00", "for_h": 4}, "closed from .* anyway"),
    ("extra_shift", {"days": ["Mon"], "start": "06:00", "end": "09:00", "machines": ["M99"]}, "unknown machine 'M99'"),
    (
        "extra_shift",
        {"days": ["Mon"], "start": "06:00", "end": "09:00", "machines": ["M08"], "people": ["P01"]},
        "adds no working time to M08 nor to P01",
    ),
    ("overtime", {"from": "2026-01-05T06:00", "for_h": 3, "machines": ["M08"], "people": ["P04"]}, "adds nothing"),
    ("overtime", {"from": "2026-01-02T06:00", "for_h": 3}, "adds nothing"),
    ("person_absent", {"person": "P77", "for_days": 1}, "unknown person 'P77'"),
    ("person_absent", {"person": "P01", "from": "2026-01-10T00:00", "for_days": 2}, "P01 has no shift"),
    ("new_machine", {"id": "M08", "like": "M08"}, "there is a machine M08 already"),
    ("new_machine", {"id": "M14", "like": "M80"}, "unknown machine 'M80'"),
    ("new_machine", {"id": "M14", "like": "M08", "calendar": "nights"}, "unknown calendar 'nights'"),
    ("machine_speed", {"machine": "lathe", "factor": 2}, "unknown machine 'lathe'"),
    ("setup_time", {"factor": 0.5, "setup_matrices": ["painting"]}, "unknown setup matrix 'painting'"),
    ("reliability", {"machines": ["M00"], "repair_factor": 2}, "unknown machine 'M00'"),
    ("rush_order", {"id": "CO-1001", "item": "SH-35", "due": "+2 d"}, "there is an order CO-1001 already"),
    ("rush_order", {"id": "X", "item": "SH-99", "due": "+2 d"}, "unknown item 'SH-99'"),
    ("rush_order", {"id": "X", "item": "BAR-42", "due": "+2 d"}, "BAR-42 is purchased"),
    ("rush_order", {"id": "X", "item": "SH-35", "due": "2026-01-01T06:00"}, "due_at must be after"),
    ("cancel_order", {"order": "CO-9"}, "unknown order 'CO-9'"),
    ("due_date", {"order": "CO-1001", "due": "2026-01-15T12:00"}, "already"),
    ("demand", {"factor": 1.001}, "changes no order"),
    ("demand", {"factor": 2, "items": ["SHAFT"]}, "unknown item 'SHAFT'"),
    ("late_material", {"item": "SH-35", "days": 1}, "SH-35 is made here"),
    ("late_material", {"item": "BAR-42", "days": 1}, "no open order waits for a delivery of BAR-42"),
    ("dispatching_rule", {"rule": "LIFO"}, "unknown dispatching rule 'LIFO'; known are ATC"),
    ("dispatching_rule", {"rule": "ATC"}, "is the rule of the base already"),
]


@pytest.mark.parametrize(("kind", "values", "said"), REFUSED, ids=lambda part: part if isinstance(part, str) else "")
def test_what_does_not_fit_is_refused_with_what_and_where(kind: str, values: dict[str, Any], said: str) -> None:
    with pytest.raises((InvalidInput, NotFound), match=said):
        apply(kind, **values)


def test_every_kind_is_refused_in_some_way_above() -> None:
    assert {kind for kind, _, _ in REFUSED} == set(KINDS)


def test_every_change_tells_itself_without_a_full_stop() -> None:
    for kind, values in (
        ("machine_down", {"machine": "M08", "for_h": 4}),
        ("extra_shift", {"days": ["Sat"], "start": "06:00", "end": "14:00"}),
        ("demand", {"factor": 2}),
    ):
        told = change(kind, **values).told()
        assert told
        assert not told.endswith(".")


@pytest.mark.parametrize("text", ["+90 min", "+4 h", "+2 d", "+0.5h", "2026-01-06T10:00"])
def test_moments_that_are_understood(text: str) -> None:
    assert When(text).moment(machine_shop()) > NOW


@pytest.mark.parametrize("text", ["", "4 h", "+4 weeks", "-4 h", "tomorrow", "2026-13-01T00:00", "+nan h"])
def test_moments_that_are_not(text: str) -> None:
    with pytest.raises(ForerunError, match="local time"):
        When(text)
