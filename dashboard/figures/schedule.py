"""A plan on its machines: one row a machine, one bar a step, coloured by the risk of the order it is for.

(`dashboard.figures.gantt` colours by order, for paper; here the question is where the risk lies, live, in the reader's
language and in light or dark.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import plotly.graph_objects as go

from dashboard.figures.look import layout, naive, time_axis
from dashboard.views import PlanView
from dashboard.words import Words, mark
from plant.calendar import Window, clip_windows, merge_windows
from plant.plan import PlannedOperation

RISKS = (
    ("safe", 0.95, mark("on time ≥ 95 %"), "#5d8fc9"),
    ("tight", 0.80, mark("on time ≥ 80 %"), "#e0a12b"),
    ("late", -1.0, mark("on time < 80 %"), "#d4483b"),
)
"""Name, lowest probability of being on time, words, colour; the first that fits counts."""

_ROW_PX = 30
_CUT_FROM = timedelta(hours=1)
_CLOSED = "rgba(128,140,152,0.16)"
_SETUP = "rgba(110,122,134,0.75)"


def risk(on_time: float | None) -> str:
    """Name the risk class of an order's probability of being on time; one nobody judged counts as safe."""
    return next(name for name, lowest, _, _ in RISKS if (1.0 if on_time is None else on_time) >= lowest)


@dataclass(frozen=True)
class _Bar:
    machine: str
    start: datetime
    end: datetime
    tip: str
    text: str = ""


def schedule(view: PlanView, say: Words) -> go.Figure:
    """Draw a plan. The first shape is the line of the plant's now, which the browser moves on."""
    rows = {machine: f"<b>{machine}</b>  {name}" for machine, name in view.machines.items()}
    figure = go.Figure(layout=layout(key=view.id, height=_ROW_PX * max(len(rows), 1) + 70, barmode="overlay"))
    start, end = _span(view)
    _add(figure, rows, say, list(_closed(view, start, end, say)), colour=_CLOSED, width=1.0)
    _add(figure, rows, say, list(_setups(view, say)), colour=_SETUP, width=0.42, name=say("Setup"))
    steps = list(_steps(view, say))
    for name, _, words, colour in RISKS:
        bars = [bar for kind, bar in steps if kind == name]
        _add(figure, rows, say, bars, colour=colour, width=0.74, name=say(words))
    _axes(figure, rows, [naive(start, say.timezone), naive(end, say.timezone)], say)
    figure.update_xaxes(rangebreaks=list(_cuts(view, start, end, say)))
    figure.add_shape(_now(naive(view.clock.now, say.timezone)))
    return figure


def _span(view: PlanView) -> Window:
    length = timedelta(seconds=max(view.plan.makespan_s, 3600.0))
    return view.plan.epoch - length * 0.01, view.plan.epoch + length * 1.02


def _add(
    figure: go.Figure,
    rows: Mapping[str, str],
    say: Words,
    bars: Sequence[_Bar],
    *,
    colour: str,
    width: float,
    name: str | None = None,
) -> None:
    figure.add_trace(
        go.Bar(
            orientation="h",
            base=[naive(bar.start, say.timezone) for bar in bars],
            x=[(bar.end - bar.start).total_seconds() * 1000 for bar in bars],
            y=[rows[bar.machine] for bar in bars],
            width=width,
            marker={"color": colour, "line": {"width": 0}},
            text=[bar.text for bar in bars],
            textposition="inside",
            insidetextanchor="start",
            constraintext="inside",
            textangle=0,
            textfont={"size": 11, "color": "#fff"},
            hovertext=[bar.tip for bar in bars],
            hoverinfo="text" if any(bar.tip for bar in bars) else "skip",
            name=name or "",
            showlegend=name is not None,
        )
    )


def _axes(figure: go.Figure, rows: Mapping[str, str], span: list[datetime], say: Words) -> None:
    figure.update_layout(
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "traceorder": "normal"},
        margin={"l": 8, "r": 12, "t": 34, "b": 24},
        uniformtext={"minsize": 10, "mode": "hide"},
        dragmode="pan",
        hovermode="closest",
    )
    figure.update_xaxes(type="date", range=span, **time_axis(say))
    figure.update_yaxes(
        type="category",
        categoryorder="array",
        categoryarray=list(rows.values()),
        range=[len(rows) - 0.5, -0.5],
        automargin=True,
        fixedrange=True,
        showgrid=False,
        ticks="",
    )


def _now(moment: datetime) -> dict[str, Any]:
    line = {"color": "#d92d20", "width": 1.5}
    return {"type": "line", "xref": "x", "yref": "paper", "x0": moment, "x1": moment, "y0": 0, "y1": 1, "line": line}


def _closed(view: PlanView, start: datetime, end: datetime, say: Words) -> Iterator[_Bar]:
    for machine in view.machines:
        cursor = start
        for opens, closes in (*view.windows.get(machine, ()), (end, end)):
            if min(opens, end) > cursor:
                yield _Bar(machine, cursor, min(opens, end), "")
            cursor = max(cursor, closes)
            if cursor >= end:
                break


def _cuts(view: PlanView, start: datetime, end: datetime, say: Words) -> Iterator[dict[str, Any]]:
    """Yield the spans to leave out of the axis: those of an hour or more in which no machine works."""
    reached = start
    everywhere = merge_windows([window for windows in view.windows.values() for window in windows])
    for opens, closes in clip_windows(everywhere, start, end):
        if opens - reached >= _CUT_FROM:
            yield {"bounds": [naive(reached, say.timezone), naive(opens, say.timezone)]}
        reached = closes


def _setups(view: PlanView, say: Words) -> Iterator[_Bar]:
    word = say("Setup")
    for steps in view.plan.sequences.values():
        for step in steps:
            first = step[0]
            if first.setup_s > 0:
                start = view.plan.epoch + timedelta(seconds=first.start_s)
                begins = worked_back(view.windows.get(first.machine, ()), start, first.setup_s)
                yield _Bar(first.machine, begins, start, f"{word} {say.duration(first.setup_s)}")


def worked_back(windows: Sequence[Window], end: datetime, work_s: float) -> datetime:
    """Return when `work_s` seconds of work that are done at `end` began, given the working windows."""
    left = timedelta(seconds=work_s)
    for opens, closes in sorted(windows, reverse=True):
        closes = min(closes, end)
        if closes <= opens:
            continue
        if closes - opens >= left:
            return closes - left
        left -= closes - opens
        end = opens
    return end - left


def _steps(view: PlanView, say: Words) -> Iterator[tuple[str, _Bar]]:
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
            yield risk(worst), _Bar(first.machine, start, end, _tip(view, step, start, end, say), _escape(text))


def _tip(view: PlanView, step: Sequence[PlannedOperation], start: datetime, end: datetime, say: Words) -> str:
    lines = []
    for member in step[:8]:
        job = view.jobs.get(member.job_order)
        what = f"{job.item_name}, {job.operation} ({say.number(job.quantity)})" if job else ""
        lines.append(f"<b>{_escape(member.job_order)}</b> {_escape(what)}")
    if len(step) > len(lines):
        lines.append("…")
    return "<br>".join([*lines, f"{say.moment(start)} – {say.moment(end)}"])


def _escape(text: str) -> str:
    """Take away what plotly would read as markup: names come from people."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
