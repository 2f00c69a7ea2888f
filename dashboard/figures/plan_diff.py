"""Two plans held against each other: what goes where now, and which orders gain or lose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

import plotly.graph_objects as go

from dashboard.figures.bars import CLOSED, Bar, add_bars, closed, closed_everywhere, dress, interrupted
from dashboard.figures.gantt import Chart
from dashboard.figures.look import GRID, escape, layout, local
from dashboard.words import Words, mark
from operations.plan_diff import OrderChange, PlanDiff
from plant.plan import Plan, PlannedOperation

_ROW_PX = 26
_ORDER_ROW_PX = 18
KINDS = (
    ("same", mark("as before"), "rgba(124,134,146,0.45)"),
    ("earlier", mark("earlier"), "#3f8f5f"),
    ("later", mark("later"), "#d98a1c"),
    ("elsewhere", mark("on another machine"), "#7b5cc4"),
    ("new", mark("new"), "#5d8fc9"),
)
"""What became of an operation: name, words, colour."""
_GAIN, _LOSS = "#3f8f5f", "#c8402f"
_MOST_ORDERS = 40
"""Orders that are shown; those that change least are left out."""


def moves_figure(chart: Chart, before: Plan, diff: PlanDiff, say: Words) -> go.Figure:
    """Draw a plan coloured by what became of each operation of the plan `before`.

    What went to another machine also has a line to where it stood.
    """
    machines, windows, span = chart.machines, chart.windows, chart.span
    cut = list(closed_everywhere(windows, span))
    figure = go.Figure(layout=layout(key=f"moves-{chart.key}", height=_ROW_PX * max(len(machines), 1) + 70))
    add_bars(figure, machines, list(closed(windows, span)), say, width=1.0, color=CLOSED)
    kinds = _kinds(chart.plan, before, diff)
    bars: dict[str, list[Bar]] = {name: [] for name, _, _ in KINDS}
    for one in chart.plan.operations:
        bars[kinds[one.job_order]] += interrupted(_bar(chart, one, before, say), chart.hours(one).processing)
    for name, words, colour in KINDS:
        add_bars(figure, machines, bars[name], say, width=0.74, name=say(words), color=colour)
    figure.update_traces(insidetextanchor="start")
    _add_ways(figure, chart, before, diff, say)
    dress(figure, machines, span, cut, say)
    legend = {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "traceorder": "normal"}
    figure.update_layout(showlegend=True, legend=legend, margin={"l": 8, "r": 12, "t": 34, "b": 24})
    return figure


def _kinds(after: Plan, before: Plan, diff: PlanDiff) -> dict[str, str]:
    kinds = {one.job_order: "same" if one.job_order in before.by_job_order else "new" for one in after.operations}
    kinds |= {one.job_order: "earlier" if one.earlier_s > 0 else "later" for one in diff.times}
    return kinds | {one.job_order: "elsewhere" for one in diff.machines}


def _bar(chart: Chart, one: PlannedOperation, before: Plan, say: Words) -> Bar:
    start, end = chart.moment(one.start_s), chart.moment(one.end_s)
    lines = [f"<b>{escape(one.job_order)}</b>", f"{escape(one.machine)}, {say.moment(start)}"]
    old = before.by_job_order.get(one.job_order)
    if old is not None:
        was = say.moment(before.epoch + timedelta(seconds=old.start_s))
        lines.append(escape(say("before: {machine}, {start}", machine=old.machine, start=was)))
    return Bar(one.machine, start, end, escape(chart.order_of(one)), "<br>".join(lines))


def _add_ways(figure: go.Figure, chart: Chart, before: Plan, diff: PlanDiff, say: Words) -> None:
    """Add a line from where each operation on another machine stood to where it stands."""
    rows = {machine: number for number, machine in enumerate(chart.machines)}
    x: list[str | None] = []
    y: list[int | None] = []
    for one in diff.machines:
        old, new = before.by_job_order[one.job_order], chart.plan.by_job_order[one.job_order]
        if one.before in rows and one.after in rows:
            was, is_ = before.epoch + timedelta(seconds=old.start_s), chart.moment(new.start_s)
            x += [local(was, say.timezone), local(is_, say.timezone), None]
            y += [rows[one.before], rows[one.after], None]
    colour = KINDS[3][2]
    figure.add_scatter(x=x, y=y, mode="lines", line={"color": colour, "width": 1.5}, showlegend=False, hoverinfo="skip")


def orders_figure(diff: PlanDiff, say: Words) -> go.Figure:
    """Draw by how much orders gain or lose, the largest loss on top."""
    rows = list(_most(diff.orders))
    gains = [(one, one.gain_s) for one in rows if one.gain_s is not None]
    figure = go.Figure(layout=layout(key=f"orders-{diff.plan}", height=_ORDER_ROW_PX * max(len(gains), 1) + 60))
    for name, colour, shown in (
        (say("done earlier"), _GAIN, [pair for pair in gains if pair[1] > 0]),
        (say("done later"), _LOSS, [pair for pair in gains if pair[1] <= 0]),
    ):
        figure.add_bar(
            orientation="h",
            name=escape(name),
            x=[gain_s / 3600 for _, gain_s in shown],
            y=[escape(one.order) for one, _ in shown],
            marker={"color": colour},
            hovertext=[_order_tip(one, say) for one, _ in shown],
            hoverinfo="text",
        )
    _dress_orders(figure, [(escape(one.order), gain_s) for one, gain_s in gains], say)
    return figure


def _most(changes: Sequence[OrderChange]) -> Iterator[OrderChange]:
    """Yield the changes that are largest either way, in their order."""
    by_size = sorted(changes, key=lambda one: -abs(one.gain_s or 0.0))
    kept = {one.order for one in by_size[:_MOST_ORDERS]}
    return (one for one in changes if one.order in kept)


def _order_tip(one: OrderChange, say: Words) -> str:
    after, before = say.likelihood(one.on_time_after or 0.0), say.likelihood(one.on_time_before or 0.0)
    if after == before:
        chance = say("on time {share}, as before", share=after)
    else:
        chance = say("on time {after}, before {before}", after=after, before=before)
    moments = say("{after}, before {before}", after=say.moment(one.after), before=say.moment(one.before))
    return "<br>".join((f"<b>{escape(one.order)}</b>", escape(moments), escape(chance)))


def _dress_orders(figure: go.Figure, gains: Sequence[tuple[str, float]], say: Words) -> None:
    """Set axes and legend; `gains` are orders with the seconds they gain, from the top."""
    orders = [order for order, _ in gains]
    figure.update_layout(
        barmode="overlay",
        hovermode="closest",
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "traceorder": "normal"},
        margin={"l": 8, "r": 12, "t": 34, "b": 24},
    )
    figure.update_yaxes(
        type="category",
        categoryorder="array",
        categoryarray=orders,
        autorange="reversed",
        tickvals=orders,
        ticktext=[f"{order}  <b>{say.duration(gain_s)}</b>" for order, gain_s in gains],
        automargin=True,
        fixedrange=True,
        ticks="",
    )
    figure.update_xaxes(ticksuffix=" h", gridcolor=GRID, zeroline=True, zerolinecolor=GRID, fixedrange=True)
