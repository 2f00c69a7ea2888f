"""The pictures of a difference: what became of each operation, and which orders gain or lose."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import plotly.graph_objects as go

from dashboard.figures.plan_diff import moves_figure, orders_figure
from dashboard.pages.plan_pictures import chart_of
from dashboard.words import Words
from operations.plan_diff import MachineChange, OrderChange, PlanDiff, TimeChange
from plant.plan import Plan, PlannedOperation
from tests.dashboard.factory import NOW, START, ZONE, MemoryLive, MemoryViews

SAY = Words("en", ZONE)
BEFORE = Plan(
    START, tuple(PlannedOperation(name, "M01", n, n * 3600.0, n * 3600.0 + 600.0) for n, name in enumerate("abcd"))
)
AFTER = Plan(
    START + timedelta(hours=1),
    (
        PlannedOperation("a", "M02", 0, 0.0, 600.0),
        PlannedOperation("b", "M01", 0, -1800.0, -1200.0),
        PlannedOperation("c", "M01", 1, 7200.0, 7800.0),
        PlannedOperation("d", "M01", 2, 2 * 3600.0, 2 * 3600.0 + 600.0),
        PlannedOperation("e", "M03", 0, 0.0, 600.0),
    ),
)
DIFF = PlanDiff(
    "plan-2", "plan-1", (), (MachineChange("a", "M01", "M02"),), (), (),
    (TimeChange("b", "M01", 1800.0), TimeChange("c", "M01", -3600.0)),
)  # fmt: skip


def moves() -> go.Figure:
    chart = replace(chart_of(MemoryViews(MemoryLive()).plan_views["plan-2"]), plan=AFTER)
    return moves_figure(chart, BEFORE, DIFF, SAY)


def test_every_operation_is_coloured_by_what_became_of_it() -> None:
    found = {trace.name: [tip.split("</b>")[0][3:] for tip in trace.hovertext] for trace in moves().data if trace.name}
    assert found == {"as before": ["d"], "earlier": ["b"], "later": ["c"], "on another machine": ["a"], "new": ["e"]}


def test_what_changes_its_machine_has_a_line_from_where_it_stood() -> None:
    way = moves().data[-1]
    assert list(way.y) == [0, 1, None]
    assert list(way.x) == ["2026-01-05T06:00:00", "2026-01-05T07:00:00", None]


def test_where_it_stood_before_is_told() -> None:
    (bar,) = [trace for trace in moves().data if trace.name == "on another machine"]
    assert "before: M01, Mon 5 Jan 06:00" in bar.hovertext[0]


def test_orders_that_lose_most_come_first_and_new_ones_are_not_compared() -> None:
    def change(order: str, gain_s: float | None) -> OrderChange:
        return OrderChange(order, NOW, NOW, gain_s, 0.9, 0.8)

    changes = (change("CO-1", -7200.0), change("CO-2", 3600.0), change("CO-3", None))
    figure = orders_figure(replace(DIFF, orders=changes), SAY)
    earlier, later = figure.data
    assert (list(earlier.x), list(earlier.y)) == ([1.0], ["CO-2"])
    assert (list(later.x), list(later.y)) == ([-2.0], ["CO-1"])
    assert figure.layout.yaxis.ticktext == ("CO-1  <b>−2 h 00 min</b>", "CO-2  <b>1 h 00 min</b>")


def test_chances_that_are_shown_alike_are_told_once() -> None:
    changes = [OrderChange("CO", NOW, NOW, -7200.0, was, is_) for was, is_ in ((0.998, 0.997), (0.9, 0.8))]
    same, other = (orders_figure(replace(DIFF, orders=(one,)), SAY).data[1].hovertext[0] for one in changes)
    assert same.endswith("<br>on time &gt;\N{NO-BREAK SPACE}99%, as before")
    assert other.endswith("<br>on time 80%, before 90%")


def test_of_many_orders_those_that_change_most_are_drawn() -> None:
    changes = tuple(OrderChange(f"CO-{n}", NOW, NOW, -60.0 * n, 0.9, 0.9) for n in range(100, 0, -1))
    figure = orders_figure(replace(DIFF, orders=changes), SAY)
    assert len(figure.data[1].y) == 40
    assert min(abs(x) for x in figure.data[1].x) == 61 / 60
