"""`dashboard.figures.gantt`: every operation once, on its row, in local time; few traces."""

from __future__ import annotations

from datetime import UTC, datetime, time
from itertools import pairwise

import plotly.graph_objects as go
import pytest

from dashboard.figures.gantt import gantt, order_colours
from plant.calendar import Break, Calendar, Shift
from plant.item import Item, ItemKind, Operation
from plant.order import JobOrder
from plant.plan import Plan, PlannedOperation
from plant.plant import Machine, Plant, SetupMatrix

EPOCH = datetime(2026, 1, 4, 22, 0, tzinfo=UTC)  # Monday 06:00 in Shanghai
HOUR = 3600.0


@pytest.fixture
def plant() -> Plant:
    weekdays = (0, 1, 2, 3, 4)
    early = Shift("early", weekdays, time(6), time(14), (Break(time(9), time(9, 15)),))
    late = Shift("late", weekdays, time(14), time(22))
    operation = Operation("10", "Turn <fine>", "turning", "turner", "A", 0.0, 60.0)
    return Plant(
        "E", "s", "Shop", "Asia/Shanghai", EPOCH,
        (Calendar("both", "Asia/Shanghai", (early, late)), Calendar("early", "Asia/Shanghai", (early,))),
        (SetupMatrix("m", 0.0),),
        tuple(Machine(id_, f"Machine {id_}", "a", "w", ("turning",), hours, "m", batch_capacity=2)
              for id_, hours in (("M1", "both"), ("M2", "early"))),
        (), (Item("I", "Item & more", ItemKind.MADE, routing=(operation,)),),
    )  # fmt: skip


def job(name: str, order: str) -> JobOrder:
    return JobOrder(name, f"{order}/1", order, "I", "10", 5, EPOCH)


JOBS = {name: job(name, order) for name, order in (("a", "CO-1"), ("b", "CO-2"), ("c", "CO-1"))}


def drawn(figure: go.Figure, name: str) -> go.Bar:
    (trace,) = [trace for trace in figure.data if trace.name == name]
    return trace


def test_bars_stand_on_their_rows_in_local_time(plant: Plant) -> None:
    plan = Plan(EPOCH, (PlannedOperation("a", "M1", 0, HOUR, 2 * HOUR), PlannedOperation("b", "M2", 0, 0.0, HOUR)))
    figure = gantt(plan, JOBS, plant)
    trace = drawn(figure, "CO-1")
    assert (list(trace.base), list(trace.x), list(trace.y)) == (["2026-01-05T07:00:00"], [HOUR * 1000], [0.0])
    assert list(drawn(figure, "CO-2").y) == [1.0]
    assert "5 × Item &amp; more" in trace.hovertext[0]
    assert "Turn &lt;fine&gt;" in trace.hovertext[0]


def test_members_of_a_batch_share_their_row(plant: Plant) -> None:
    plan = Plan(EPOCH, tuple(PlannedOperation(name, "M1", 0, 0.0, HOUR, batch="B") for name in ("a", "b")))
    figure = gantt(plan, JOBS, plant)
    (first,), (second,) = drawn(figure, "CO-1").y, drawn(figure, "CO-2").y
    assert -0.5 < first < 0 < second < 0.5
    assert drawn(figure, "CO-1").width[0] == pytest.approx(second - first)
    assert "batch of 2" in drawn(figure, "CO-1").hovertext[0]


def test_work_that_its_machine_interrupts_is_a_thin_line_while_it_is_closed(plant: Plant) -> None:
    plan = Plan(EPOCH, (PlannedOperation("a", "M2", 0, 7 * HOUR, 25 * HOUR),))
    trace = drawn(gantt(plan, JOBS, plant), "CO-1")
    spans = sorted(zip(trace.base, trace.x, trace.width, strict=True))
    assert [base for base, _, _ in spans] == ["2026-01-05T13:00:00", "2026-01-05T14:00:00", "2026-01-06T06:00:00"]
    assert spans[1][2] < spans[0][2] / 3
    assert sum(x for _, x, _ in spans) == 18 * HOUR * 1000
    assert sum(1 for text in trace.text if text) == 1


def test_a_setup_lies_before_its_operation_and_skips_closed_time(plant: Plant) -> None:
    plan = Plan(EPOCH, (PlannedOperation("a", "M2", 0, 24.5 * HOUR, 26 * HOUR, setup_s=HOUR),))
    trace = drawn(gantt(plan, JOBS, plant), "Setup")
    bars = {(base, x) for base, x, width in zip(trace.base, trace.x, trace.width, strict=True) if width > 0.5}
    assert bars == {("2026-01-05T13:30:00", 0.5 * HOUR * 1000), ("2026-01-06T06:00:00", 0.5 * HOUR * 1000)}


def test_hours_in_which_all_is_closed_are_cut_out_and_breaks_are_not(plant: Plant) -> None:
    plan = Plan(EPOCH, (PlannedOperation("a", "M1", 0, 0.0, 49 * HOUR),))
    breaks = gantt(plan, JOBS, plant).layout.xaxis.rangebreaks
    assert [tuple(cut.bounds) for cut in breaks] == [
        ("2026-01-05T22:00:00", "2026-01-06T06:00:00"),
        ("2026-01-06T22:00:00", "2026-01-07T06:00:00"),
    ]


def test_four_hundred_operations_take_one_trace_an_order(plant: Plant) -> None:
    jobs = {f"j{n}": job(f"j{n}", f"CO-{n % 40}") for n in range(400)}
    operations = (PlannedOperation(f"j{n}", "M1", n, n * 60.0, n * 60.0 + 60.0) for n in range(400))
    assert len(gantt(Plan(EPOCH, tuple(operations)), jobs, plant).data) == 42


def test_neighbouring_orders_differ_in_colour_and_a_plan_of_nothing_is_drawn(plant: Plant) -> None:
    jobs = {f"j{n}": job(f"j{n}", f"CO-{1000 + n}") for n in range(44)}
    plan = Plan(EPOCH, tuple(PlannedOperation(f"j{n}", "M1", n, 0.0, 1.0) for n in range(44)))
    colours = list(order_colours(plan, jobs).values())
    assert len(set(colours)) == 44
    assert all(one != other for one, other in pairwise(colours))
    assert gantt(Plan(EPOCH, ()), {}, plant).layout.xaxis.range[0] == "2026-01-05T06:00:00"
