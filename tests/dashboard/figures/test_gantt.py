"""The schedule's figure: every step once, on its row, coloured by risk; setups, closed time and lateness apart."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import plotly.graph_objects as go
import pytest

from dashboard.figures.gantt import Chart, gantt, risk
from dashboard.pages.plan_pictures import chart_of
from dashboard.words import Words
from methods.attended import StepHours
from plant.calendar import Window
from plant.lock import JobLock
from plant.plan import Plan, PlannedOperation
from tests.dashboard.factory import NOW, START, ZONE, MemoryLive, MemoryViews

SAY = Words("en", ZONE)
HOUR = 3600.0


def chart(name: str = "plan-2") -> Chart:
    return chart_of(MemoryViews(MemoryLive()).plan_views[name])


def drawn(figure: go.Figure, name: str) -> go.Bar:
    (trace,) = [trace for trace in figure.data if trace.name == name]
    return trace


def steps_of(figure: go.Figure) -> list[go.Bar]:
    return [trace for trace in figure.data if trace.customdata is not None]


def of(*operations: PlannedOperation, **changes: object) -> Chart:
    """Return the chart of a few operations."""
    return replace(chart(), plan=Plan(START, operations), **changes)  # type: ignore[arg-type]


def hours(start: float, end: float) -> Window:
    return START + timedelta(hours=start), START + timedelta(hours=end)


@pytest.mark.parametrize(
    ("on_time", "name"), [(1.0, "safe"), (0.95, "safe"), (0.9499, "tight"), (0.79, "late"), (None, "safe")]
)
def test_risk(on_time: float | None, name: str) -> None:
    assert risk(on_time) == name


def test_every_step_is_drawn_once_and_setups_apart() -> None:
    plan = chart().plan
    figure = gantt(chart(), SAY)
    texts = [text for trace in steps_of(figure) for text in trace.text if text]  # an interrupted step has one, too
    assert len(texts) == len(plan.operations)
    setups = drawn(figure, "Setup")
    assert len(set(setups.hovertext)) == sum(operation.setup_s > 0 for operation in plan.operations)
    # One that closed hours interrupt is a thin line there.
    assert len(setups.y) > len(set(setups.hovertext))
    assert {round(width, 4) for width in setups.width} == {0.42, round(0.16 * 0.42, 4)}
    assert len(drawn(figure, "Closed").y) > len(chart().machines)
    assert figure.layout.uirevision == "plan-2"
    assert str(figure.layout.shapes[0].x0) == "2026-01-05 10:50:00"  # when it was made; the browser moves it on


def test_bars_stand_on_their_rows_in_local_time_and_carry_their_job_orders() -> None:
    figure = gantt(of(PlannedOperation("a", "M02", 0, HOUR, 2 * HOUR)), SAY)
    (bar,) = [trace for trace in steps_of(figure) if trace.base]
    assert (list(bar.base), list(bar.x), list(bar.y)) == (["2026-01-05T07:00:00"], [HOUR * 1000], [1.0])
    assert list(bar.customdata) == ["a"]


def test_work_that_somebody_attends_is_interrupted_while_they_are_away() -> None:
    away = StepHours(setup=(hours(0, 2), hours(6, 8)), processing=(hours(0, 8), hours(12, 16)))
    one = PlannedOperation("a", "M02", 0, 7 * HOUR, 14 * HOUR, setup_s=2 * HOUR)
    figure = gantt(of(one, attended={"a": away}), SAY)
    (bar,) = [trace for trace in steps_of(figure) if trace.base and trace.name != "Setup"]
    pieces = sorted(zip(bar.base, bar.x, [round(width, 2) for width in bar.width], strict=True))
    assert pieces == [
        ("2026-01-05T13:00:00", HOUR * 1000, 0.74),
        ("2026-01-05T14:00:00", 4 * HOUR * 1000, 0.12),
        ("2026-01-05T18:00:00", 2 * HOUR * 1000, 0.74),
    ]
    setup = drawn(figure, "Setup")
    assert sorted(setup.base) == ["2026-01-05T07:00:00", "2026-01-05T08:00:00", "2026-01-05T12:00:00"]


def test_orders_at_risk_are_coloured_and_marked_where_they_are_due() -> None:
    figure = gantt(chart(), SAY)
    assert {text for text in drawn(figure, "on time &lt; 80%").text if text} == {"CO-1004"}
    due = drawn(figure, "due date of an order at risk")
    (tip,) = [tip for tip in due.hovertext if "CO-1004" in tip]
    assert "late as planned" in tip
    assert "on time 31%" in tip
    assert not any("CO-1002" in tip for tip in due.hovertext)  # it is sure to be on time


def test_only_what_is_done_after_the_due_date_is_underlined() -> None:
    order = chart().orders["CO-1004"]
    due = replace(order, due_at=START + timedelta(hours=2))
    jobs = {"a": replace(next(iter(chart().jobs.values())), customer_order="CO-1004")}
    one = PlannedOperation("a", "M01", 0, HOUR, 4 * HOUR)
    late = drawn(gantt(of(one, orders={"CO-1004": due}, jobs=jobs), SAY), "after its due date")
    assert (list(late.base), list(late.x)) == (["2026-01-05T08:00:00"], [2 * HOUR * 1000])
    assert late.y[0] > 0.3  # at the foot of its row
    early = gantt(of(one, orders={"CO-1004": replace(due, due_at=START + timedelta(hours=4))}, jobs=jobs), SAY)
    assert "after its due date" not in {trace.name for trace in early.data}


def test_a_due_date_in_hours_that_are_cut_out_is_marked_at_their_beginning() -> None:
    order = replace(chart().orders["CO-1004"], due_at=datetime(2026, 1, 5, 18, tzinfo=UTC))  # 02:00 at night
    jobs = {"a": replace(next(iter(chart().jobs.values())), customer_order="CO-1004")}
    one = PlannedOperation("a", "M01", 0, HOUR, 40 * HOUR)
    due = drawn(gantt(of(one, orders={"CO-1004": order}, jobs=jobs), SAY), "due date of an order at risk")
    assert list(due.x) == ["2026-01-05T21:59:59"]


def test_a_batch_is_one_bar_and_names_are_no_markup() -> None:
    first, second = chart().plan.operations[:2]
    members = tuple(PlannedOperation(one.job_order, "M09", 0, 100.0, 200.0, batch="B1") for one in (first, second))
    evil = replace(chart().jobs[first.job_order], item_name="<b>x</b>", customer_order="<i>CO</i>")
    jobs = {**chart().jobs, first.job_order: evil}
    (bar,) = [trace for trace in steps_of(gantt(of(*members, jobs=jobs, on_time={}), SAY)) if trace.base]
    assert list(bar.text) == ["2 × &lt;i&gt;CO&lt;/i&gt;"]
    assert "<b>x</b>" not in bar.hovertext[0]
    assert bar.customdata[0].split("\n") == [first.job_order, second.job_order]


def test_of_a_batch_the_same_is_told_on_the_page_and_on_paper() -> None:
    members = tuple(PlannedOperation(f"CO-{1001 + number}/1-10", "M09", 0, 0.0, HOUR, batch="B") for number in range(8))
    (together,) = [trace.hovertext[0] for trace in steps_of(gantt(of(*members), SAY)) if trace.base]
    apart = [trace.hovertext[0] for trace in steps_of(gantt(of(*members[:2]), SAY, by_order=True)) if trace.base]
    for one in members[:2]:
        (tip,) = [tip for tip in apart if one.job_order in tip]
        assert re.search(r"<br>due .*:\d\d · on time .*\d%<br>Mon 5 Jan 06:00 – Mon 5 Jan 07:00<br>Batch of 2$", tip)
        assert "<br>".join(tip.split("<br>")[:2]) in together
    assert together.endswith("<br>…<br>Mon 5 Jan 06:00 – Mon 5 Jan 07:00<br>Batch of 8")


def test_on_paper_every_order_is_named_under_its_risk_and_members_of_a_batch_share_their_row() -> None:
    first, second = [one for one in chart().plan.operations if one.job_order in {"CO-1001/1-10", "CO-1004/1-10"}]
    members = tuple(PlannedOperation(one.job_order, "M01", 0, 0.0, HOUR, batch="B") for one in (first, second))
    figure = gantt(of(*members), SAY, by_order=True)
    safe, late = drawn(figure, "CO-1001"), drawn(figure, "CO-1004")
    assert -0.5 < safe.y[0] < 0 < late.y[0] < 0.5
    assert safe.width[0] == pytest.approx(late.y[0] - safe.y[0])
    assert "Batch of 2" in late.hovertext[0]
    assert [one.legendgrouptitle.text for one in steps_of(figure)] == ["on time &lt; 80%", "on time ≥ 95%"]


def test_on_paper_a_small_plan_has_room_for_its_legend_and_rows_of_the_usual_height() -> None:
    def drawn_of(machines: int, orders: int) -> go.Figure:
        names = dict(list(chart().machines.items())[:machines])
        operations = [
            PlannedOperation(f"CO-{1001 + number}/1-10", "M01", number, number * HOUR, (number + 1) * HOUR)
            for number in range(orders)
        ]
        windows = dict.fromkeys(names, (hours(0, 26),))
        return gantt(of(*operations, machines=names, windows=windows, frozen_until=None), SAY, by_order=True)

    def row_px(figure: go.Figure) -> float:
        low, high = figure.layout.yaxis.domain or (0.0, 1.0)
        inside = figure.layout.height - figure.layout.margin.t - figure.layout.margin.b
        return float((high - low) * inside)

    small, large, crowded = drawn_of(2, 3), drawn_of(12, 3), drawn_of(2, 26)
    assert row_px(small) == pytest.approx(66) == pytest.approx(row_px(crowded))
    assert small.layout.height - 64 > 20 * (2 + 2 + 3)  # closed and setup, a title and three orders
    assert large.layout.height == 12 * 30 + 70
    assert small.layout.height < crowded.layout.height <= 440 + 64


def test_the_frozen_zone_and_locks_are_marked() -> None:
    lock = JobLock("CO-1001/1-10", "M01", NOW + timedelta(hours=1), "anna")
    figure = gantt(replace(chart(), locks={lock.job_order: lock, "gone": replace(lock, job_order="gone")}), SAY)
    mark = drawn(figure, "Locked")
    assert list(mark.x) == ["2026-01-05T12:20:00"]
    assert "locked to M01, Mon 5 Jan 12:20, by anna" in mark.hovertext[0]
    zone = figure.layout.shapes[1]
    assert (zone.name, str(zone.x1)) == ("frozen", "2026-01-05 12:20:00")
    (label,) = figure.layout.annotations
    assert "What was to begin by Mon 5 Jan 12:20 had to keep its place" in label.hovertext
    assert figure.layout.yaxis.range[1] < label.y < -0.5  # seen, and above the first row
    still = gantt(replace(chart(), now=None, frozen_until=None), SAY)
    assert not still.layout.shapes
    assert drawn(still, "Locked").showlegend is False


def test_hours_in_which_all_is_closed_are_cut_out() -> None:
    breaks = gantt(of(PlannedOperation("a", "M01", 0, 0.0, 49 * HOUR)), SAY).layout.xaxis.rangebreaks
    assert [tuple(cut.bounds) for cut in breaks] == [
        ("2026-01-05T22:00:00", "2026-01-06T06:00:00"),
        ("2026-01-06T22:00:00", "2026-01-07T06:00:00"),
    ]


def test_two_thousand_operations_take_few_traces_and_less_than_a_megabyte() -> None:
    operations = [
        PlannedOperation(f"j{n}", f"M{n % 12 + 1:02d}", n, n * 300.0, n * 300.0 + 3000.0) for n in range(2000)
    ]
    figure = gantt(of(*operations), SAY)
    assert len(figure.data) <= 8
    assert len(json.dumps(json.loads(figure.to_json()))) < 1_000_000


def test_an_empty_plan_is_drawn() -> None:
    assert all(len(trace.y) == 0 for trace in gantt(of(), SAY).data[1:])
