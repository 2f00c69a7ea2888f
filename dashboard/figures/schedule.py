"""A plan on its machines: one row a machine, one bar a step, coloured by the risk of the order it is for.

(`dashboard.figures.gantt` colours by order, for paper; here the question is where the risk lies, live, in the reader's
language and in light or dark. What both share is in `dashboard.figures.bars`.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import plotly.graph_objects as go

from dashboard.figures.bars import CLOSED, Bar, add_bars, closed, closed_everywhere, dress, interrupted, setups
from dashboard.figures.look import escape, layout, naive
from dashboard.views import PlanView
from dashboard.words import Words, mark
from plant.calendar import Window
from plant.plan import PlannedOperation

RISKS = (
    ("safe", 0.95, mark("on time ≥ 95%"), "#5d8fc9"),
    ("tight", 0.80, mark("on time ≥ 80%"), "#e0a12b"),
    ("late", -1.0, mark("on time < 80%"), "#d4483b"),
)
"""Name, lowest probability of being on time, words, colour; the first that fits counts."""

_ROW_PX = 30
_SETUP = "rgba(110,122,134,0.75)"


def risk(on_time: float | None) -> str:
    """Name the risk class of an order's probability of being on time; one nobody judged counts as safe."""
    return next(name for name, lowest, _, _ in RISKS if (1.0 if on_time is None else on_time) >= lowest)


def schedule(view: PlanView, say: Words) -> go.Figure:
    """Draw a plan. The first shape is the line of the plant's now, which the browser moves on."""
    machines, windows, span = view.machines, view.windows, _span(view)
    figure = go.Figure(layout=layout(key=view.id, height=_ROW_PX * max(len(machines), 1) + 70))
    add_bars(figure, machines, list(closed(windows, span)), say, width=1.0, color=CLOSED)
    setting_up = [part for bar in setups(view.plan, windows, say) for part in interrupted(bar, windows[bar.machine])]
    add_bars(figure, machines, setting_up, say, width=0.42, name=say("Setup"), color=_SETUP)
    steps = list(_steps(view, say))
    for name, _, words, colour in RISKS:
        bars = [part for kind, bar in steps if kind == name for part in interrupted(bar, windows.get(bar.machine, ()))]
        add_bars(figure, machines, bars, say, width=0.74, name=say(words), color=colour)
    figure.update_traces(insidetextanchor="start")
    dress(figure, machines, span, list(closed_everywhere(windows, span)), say)
    figure.update_layout(
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "traceorder": "normal"},
        margin={"l": 8, "r": 12, "t": 34, "b": 24},
    )
    figure.add_shape(_now(naive(view.clock.now, say.timezone)))
    return figure


def _span(view: PlanView) -> Window:
    length = timedelta(seconds=max(view.plan.makespan_s, 3600.0))
    return view.plan.epoch - length * 0.01, view.plan.epoch + length * 1.02


def _now(moment: datetime) -> dict[str, Any]:
    line = {"color": "#d92d20", "width": 1.5}
    return {"type": "line", "xref": "x", "yref": "paper", "x0": moment, "x1": moment, "y0": 0, "y1": 1, "line": line}


def _steps(view: PlanView, say: Words) -> Iterator[tuple[str, Bar]]:
    on_time = {order.order: order.on_time for order in view.verdict.orders}
    for steps in view.plan.sequences.values():
        for step in steps:
            first = step[0]
            orders = [view.jobs[member.job_order].customer_order for member in step if member.job_order in view.jobs]
            worst = min((on_time[order] for order in orders if order in on_time), default=None)
            start = view.plan.epoch + timedelta(seconds=first.start_s)
            end = view.plan.epoch + timedelta(seconds=max(member.end_s for member in step))
            text = orders[0] if orders else first.job_order
            text = text if len(step) == 1 else f"{len(step)} × {text}"
            yield risk(worst), Bar(first.machine, start, end, escape(text), _tip(view, step, start, end, say))


def _tip(view: PlanView, step: Sequence[PlannedOperation], start: datetime, end: datetime, say: Words) -> str:
    lines = []
    for member in step[:8]:
        job = view.jobs.get(member.job_order)
        what = f"{job.item_name}, {job.operation} ({say.number(job.quantity)})" if job else ""
        lines.append(f"<b>{escape(member.job_order)}</b> {escape(what)}")
    if len(step) > len(lines):
        lines.append("…")
    return "<br>".join([*lines, f"{say.moment(start)} – {say.moment(end)}"])
