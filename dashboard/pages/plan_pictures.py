"""The pictures of a plan beside its schedule: what it changes, and how it loads machines and people."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.changes import Parts, part_id
from dashboard.figures import look
from dashboard.figures.gantt import Chart, gantt
from dashboard.figures.load import load_figure
from dashboard.figures.plan_diff import moves_figure, orders_figure
from dashboard.pages.plan_locks import may_lock
from dashboard.shown.plan import PlanView
from dashboard.words import Words
from plant.actor import Actor

_NOTHING: dict[str, Any] = {"figure": {"data": [], "layout": look.layout(key="none", height=120)}}


def changes(parts: Parts, say: Words) -> Component:
    """Return where it is told and drawn what a plan does otherwise than the one before."""
    return html.Div(
        html.Details(
            [
                html.Summary(say("What changes against the plan that was in force")),
                html.Div(id=part_id("plan-told"), **parts["plan-told", ""]),
                *(_graph(name, parts, say) for name in ("plan-moves", "plan-gains")),
            ],
            open=True,
        ),
        id=part_id("plan-changes"),
        **parts["plan-changes", ""],
    )


def load(parts: Parts, say: Words) -> Component:
    """Return where the load profile is drawn."""
    return html.Section(
        [
            html.H2(say("Load")),
            html.P(
                say(
                    "Planned work in front of capacity; percentages are of all the capacity shown. Who has several "
                    "skills counts for each."
                ),
                className="quiet",
            ),
            _graph("plan-load", parts, say),
        ],
        className="panel load",
    )


def _graph(name: str, parts: Parts, say: Words) -> Component:
    return dcc.Graph(id=part_id(name), config=look.config(say), **parts[name, ""])


def parts_of(view: PlanView, actor: Actor, say: Words) -> dict[tuple[str, str], dict[str, Any]]:
    """Return what is drawn of a plan."""
    chart = replace(chart_of(view), may_drag=may_lock(view, actor))
    return {
        ("plan-gantt", ""): {"figure": gantt(chart, say).to_plotly_json()},
        ("plan-load", ""): {"figure": load_figure(view.load, view.machines, say, key=view.id).to_plotly_json()},
        **_changes(view, chart, say),
    }


def no_parts() -> dict[tuple[str, str], dict[str, Any]]:
    """Return the same where there is no plan."""
    graphs = ("plan-gantt", "plan-load", "plan-moves", "plan-gains")
    return {
        **{(name, ""): _NOTHING for name in graphs},
        ("plan-changes", ""): {"className": "hidden"},
        ("plan-told", ""): {"children": None},
    }


def _changes(view: PlanView, chart: Chart, say: Words) -> dict[tuple[str, str], dict[str, Any]]:
    """Return what a plan does otherwise than the one before, hidden where there was none."""
    hidden = {name: one for name, one in no_parts().items() if name[0] not in {"plan-gantt", "plan-load"}}
    if view.before is None or view.diff is None:
        return hidden
    return {
        ("plan-changes", ""): {"className": "panel changes"},
        ("plan-told", ""): {"children": html.Ul([html.Li(say.tell(sentence)) for sentence in view.changes])},
        ("plan-moves", ""): {"figure": moves_figure(chart, view.before, view.diff, say).to_plotly_json()},
        ("plan-gains", ""): {"figure": orders_figure(view.diff, say).to_plotly_json()},
    }


def chart_of(view: PlanView) -> Chart:
    """Return what the schedule of a plan is drawn from."""
    return Chart(
        key=view.id,
        plan=view.plan,
        machines=view.machines,
        windows=view.windows,
        jobs=view.jobs,
        orders=view.orders,
        on_time={one.order: one.on_time for one in view.verdict.orders},
        now=view.made_at,  # the browser moves it on: drawn at the clock's, the same plan would be sent again and again
        frozen_until=view.frozen_until,
        locks=view.locks,
        attended=view.attended,
    )
