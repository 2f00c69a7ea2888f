"""The schedule's figure: every step is drawn, coloured by risk; setups lie in working time before their step."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dashboard.figures.schedule import risk, schedule
from dashboard.words import Words
from plant.plan import Plan, PlannedOperation
from tests.dashboard.factory import ZONE, MemoryLive, MemoryViews

SAY = Words("en", ZONE)


@pytest.mark.parametrize(
    ("on_time", "name"), [(1.0, "safe"), (0.95, "safe"), (0.9499, "tight"), (0.79, "late"), (None, "safe")]
)
def test_risk(on_time: float | None, name: str) -> None:
    assert risk(on_time) == name


def test_every_step_is_drawn_once() -> None:
    view = MemoryViews(MemoryLive()).plan_views["plan-2"]
    figure = schedule(view, SAY)
    closed, setups, *risks = figure.data
    texts = [text for trace in risks for text in trace.text if text]  # a step that closed hours interrupt has one, too
    assert len(texts) == len(view.plan.operations)
    assert len(set(setups.hovertext)) == sum(operation.setup_s > 0 for operation in view.plan.operations)
    # One that closed hours interrupt is a thin line there.
    assert len(setups.y) > len(set(setups.hovertext))
    assert {round(width, 4) for width in setups.width} == {0.42, round(0.16 * 0.42, 4)}
    assert len(closed.y) > len(view.machines)
    assert {text for trace in risks if trace.name == "on time &lt; 80%" for text in trace.text if text} == {"CO-1004"}
    assert figure.layout.uirevision == "plan-2"
    assert str(figure.layout.shapes[0].x0) == "2026-01-05 11:20:00"


def test_a_batch_is_one_bar_and_names_are_no_markup() -> None:
    view = MemoryViews(MemoryLive()).plan_views["plan-1"]
    first, second = view.plan.operations[:2]
    members = tuple(PlannedOperation(one.job_order, "M09", 0, 100.0, 200.0, batch="B1") for one in (first, second))
    evil = replace(view.jobs[first.job_order], item_name="<b>x</b>", customer_order="<i>CO</i>")
    view = replace(view, plan=Plan(view.plan.epoch, members), jobs={**view.jobs, first.job_order: evil})
    figure = schedule(view, SAY)
    texts = [text for trace in figure.data[2:] for text in trace.text]
    tips = [tip for trace in figure.data[2:] for tip in trace.hovertext]
    assert texts == ["2 × &lt;i&gt;CO&lt;/i&gt;"]
    assert "<b>x</b>" not in tips[0]
    assert second.job_order in tips[0]


def test_an_empty_plan_is_drawn() -> None:
    view = MemoryViews(MemoryLive()).plan_views["plan-1"]
    figure = schedule(replace(view, plan=Plan(view.plan.epoch, ())), SAY)
    assert all(len(trace.y) == 0 for trace in figure.data[1:])
