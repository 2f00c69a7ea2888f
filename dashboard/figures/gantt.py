"""A plan on its machines: one row a machine, one bar a step, coloured by the risk of the order it is for.

Pages and reports draw the same picture. Changeovers are thinner bars before their step; closed hours are shaded on
their machine's row; what is done after its due date is underlined, and orders at risk have a mark where they are due.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import plotly.graph_objects as go

from dashboard.figures.bars import CLOSED, Bar, add_bars, closed, closed_everywhere, dress, interrupted, setups
from dashboard.figures.look import escape, layout, local, naive
from dashboard.shown.plan import PlannedJob
from dashboard.words import Words, mark
from methods.attended import StepHours, hours_of
from plant.calendar import Window
from plant.lock import JobLock
from plant.order import CustomerOrder
from plant.plan import Plan, PlannedOperation

RISKS = (
    ("safe", 0.95, mark("on time ≥ 95%"), "#5d8fc9"),
    ("tight", 0.80, mark("on time ≥ 80%"), "#e0a12b"),
    ("late", -1.0, mark("on time < 80%"), "#d4483b"),
)
"""Name, lowest probability of being on time, words, colour; the first that fits counts."""

_ROW_PX = 30
_LEGEND_ROW_PX, _LEGEND_GAP_PX, _LEGEND_MOST_PX = 20, 6, 440
_BAND = 0.7
"""Height of what is above the rows, in rows."""
_MEMBERS_TOLD = 6
"""Members of a batch that are told of when it is pointed at."""
_SETUP = "rgba(110,122,134,0.75)"
_LATE = "#c2006b"
_FROZEN = "rgba(93,143,201,0.16)"
_LOCKED = "#1d2730"
_EDGE = {"line": {"width": 0.6, "color": "#ffffff"}}


@dataclass(frozen=True)
class Chart:
    """What the picture is made from.

    Attributes
    ----------
    key
        As long as it stays the same, so do zoom and hidden traces.
    machines
        Names by id, in the order of the rows.
    windows
        Working windows per machine over the plan's horizon.
    jobs, orders
        What each job order is about, and the customer orders, by id.
    on_time
        Probability of being on time, per customer order that was rehearsed.
    now
        Where the line of now stands until the browser moves it, None where the picture stands still.
    frozen_until
        What was to begin before this moment had to keep its place; None where nothing had to.
    locks
        Locked job orders, by id.
    attended
        By job order when what somebody attends can go on; what is not in it goes by its machine alone.
    may_drag
        Whether its operations may be dragged; the browser is then told which rows can take what.
    """

    key: str
    plan: Plan
    machines: Mapping[str, str]
    windows: Mapping[str, Sequence[Window]]
    jobs: Mapping[str, PlannedJob]
    orders: Mapping[str, CustomerOrder]
    on_time: Mapping[str, float]
    now: datetime | None = None
    frozen_until: datetime | None = None
    locks: Mapping[str, JobLock] = field(default_factory=dict)
    attended: Mapping[str, StepHours] = field(default_factory=dict)
    may_drag: bool = False

    @property
    def span(self) -> Window:
        """From a little before the plan begins to a little after it ends."""
        length = timedelta(seconds=max(self.plan.makespan_s, 3600.0))
        return self.plan.epoch - length * 0.01, self.plan.epoch + length * 1.02

    def moment(self, seconds: float) -> datetime:
        """Return the moment so many seconds after the plan's epoch."""
        return self.plan.epoch + timedelta(seconds=seconds)

    def hours(self, one: PlannedOperation) -> StepHours:
        """Return when an operation can go on."""
        return hours_of(one, self.windows, self.attended)

    def order_of(self, one: PlannedOperation) -> str:
        """Return the customer order an operation is for; where that is not known, its job order."""
        job = self.jobs.get(one.job_order)
        return job.customer_order if job else one.job_order

    def worst(self, step: Sequence[PlannedOperation]) -> str:
        """Return the customer order of a step that is least likely on time."""
        return min((self.order_of(one) for one in step), key=lambda order: self.on_time.get(order, 1.0))

    def late_from(self, one: PlannedOperation) -> datetime | None:
        """Return when an operation's order is due, if that is before it ends as planned."""
        order = self.orders.get(self.order_of(one))
        return order.due_at if order and order.due_at < self.moment(one.end_s) else None


def risk(on_time: float | None) -> str:
    """Name the risk class of an order's probability of being on time; one nobody judged counts as safe."""
    return next(name for name, lowest, _, _ in RISKS if (1.0 if on_time is None else on_time) >= lowest)


def gantt(chart: Chart, say: Words, *, by_order: bool = False) -> go.Figure:
    """Draw a plan. The first shape is the line of the plant's now, which the browser moves on.

    Parameters
    ----------
    by_order
        Name every order in the legend, under its risk, so that one can be looked at alone; else the risks only.
    """
    machines, windows, span = chart.machines, chart.windows, chart.span
    cut = list(closed_everywhere(windows, span))
    figure = go.Figure(layout=layout(key=chart.key, height=_ROW_PX * max(len(machines), 1) + 70))
    add_bars(figure, machines, list(closed(windows, span)), say, width=1.0, name=say("Closed"), color=CLOSED)
    setting_up = list(setups(chart.plan, chart.hours, say))
    add_bars(figure, machines, setting_up, say, width=0.42, name=say("Setup"), color=_SETUP)
    _add_steps(figure, chart, say, by_order)
    past_due = list(_past_due(chart))
    behind = say("after its due date") if past_due else None
    add_bars(figure, machines, past_due, say, width=0.92, name=behind, color=_LATE)
    figure.update_traces(insidetextanchor="start", selector={"type": "bar"})
    _add_due_dates(figure, chart, cut, say)
    _add_locks(figure, chart, say)
    dress(figure, machines, span, cut, say)
    figure.update_layout(showlegend=True, **_legend(by_order))
    if chart.may_drag:
        figure.update_layout(meta={"machines": list(machines), "able": _able(chart)})
    if chart.now is not None:
        figure.add_shape(_now(naive(chart.now, say.timezone)))
    if chart.frozen_until is not None:
        _mark_frozen(figure, chart.plan.epoch, chart.frozen_until, say)
    if by_order:
        _make_room_for_legend(figure)
    return figure


def _able(chart: Chart) -> dict[str, str]:
    """Return by job order the rows of the machines that can take it."""
    rows = {machine: str(number) for number, machine in enumerate(chart.machines)}
    planned = (name for name in chart.plan.by_job_order if name in chart.jobs)
    return {name: " ".join(rows[one] for one in chart.jobs[name].machines if one in rows) for name in planned}


def _legend(by_order: bool) -> dict[str, Any]:
    if by_order:
        legend = {"font": {"size": 10}, "itemwidth": 30, "tracegroupgap": 6, "groupclick": "toggleitem"}
        return {"legend": legend, "margin": {"l": 8, "r": 12, "t": 24, "b": 40}}
    legend = {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "traceorder": "normal"}
    return {"legend": legend, "margin": {"l": 8, "r": 12, "t": 34, "b": 24}}


def _make_room_for_legend(figure: go.Figure) -> None:
    """Make a picture of few rows as high as its legend beside them, up to a limit; the rows stay as high as they are.

    What the legend still has no room for is scrolled to.
    """
    shown = [trace for trace in figure.data if trace.showlegend]
    titles = sum(trace.legendgrouptitle.text is not None for trace in shown)
    alone = sum(trace.legendgroup is None for trace in shown)
    legend_px = _LEGEND_ROW_PX * (len(shown) + titles) + _LEGEND_GAP_PX * (alone + titles + 1)
    margins_px = figure.layout.margin.t + figure.layout.margin.b
    rows_px = figure.layout.height - margins_px
    whole_px = max(rows_px, min(legend_px, _LEGEND_MOST_PX))
    figure.update_layout(height=whole_px + margins_px)
    figure.update_yaxes(domain=[1 - rows_px / whole_px, 1])


def _now(moment: datetime) -> dict[str, Any]:
    line = {"color": "#d92d20", "width": 1.5}
    return {"type": "line", "xref": "x", "yref": "paper", "x0": moment, "x1": moment, "y0": 0, "y1": 1, "line": line}


def _mark_frozen(figure: go.Figure, since: datetime, until: datetime, say: Words) -> None:
    """Shade the frozen zone, and name it in a band of its own above the rows."""
    edges = {"x0": naive(since, say.timezone), "x1": naive(until, say.timezone), "y0": 0, "y1": 1}
    style = {"fillcolor": _FROZEN, "line": {"width": 0}, "layer": "below"}
    figure.add_shape(type="rect", xref="x", yref="paper", name="frozen", **edges, **style)
    below, above = figure.layout.yaxis.range
    figure.update_yaxes(range=[below, above - _BAND])
    figure.update_layout(height=figure.layout.height + _BAND * _ROW_PX)
    figure.add_annotation(
        x=local(until, say.timezone),
        y=above - _BAND / 2,
        yanchor="middle",
        xanchor="left",
        text="◂ " + escape(say("Frozen")),
        hovertext=escape(say("What was to begin by {until} had to keep its place", until=say.moment(until))),
        showarrow=False,
        font={"size": 11},
    )


def _add_steps(figure: go.Figure, chart: Chart, say: Words, by_order: bool) -> None:
    """Add what is processed: a trace a risk, or one an order where each is to be named."""
    bars: dict[tuple[str, str], list[Bar]] = {}
    for order, parts in _steps(chart, say, apart=by_order):
        bars.setdefault((risk(chart.on_time.get(order)), order if by_order else ""), []).extend(parts)
    for kind, _, words, colour in reversed(RISKS) if by_order else RISKS:
        orders = sorted(order for name, order in bars if name == kind) if by_order else [""]
        for number, order in enumerate(orders):
            known = bars.get((kind, order), [])
            add_bars(figure, chart.machines, known, say, width=0.74, name=order or say(words), color=colour, **_EDGE)
            if by_order:
                title = {"text": escape(say(words))} if number == 0 else None
                figure.data[-1].update(legendgroup=kind, legendgrouptitle=title)


def _steps(chart: Chart, say: Words, *, apart: bool) -> Iterator[tuple[str, list[Bar]]]:
    """Yield every step in pieces, with the order that counts; members of a batch share a bar, or `apart` its height."""
    for steps in chart.plan.sequences.values():
        for step in steps:
            for lane, members in enumerate([(one,) for one in step] if apart else [step]):
                order = chart.worst(members)
                text = order if len(members) == 1 else f"{len(members)} × {order}"
                height = len(members) / len(step)
                start = chart.moment(members[0].start_s)
                end = chart.moment(max(one.end_s for one in members))
                jobs = tuple(one.job_order for one in members)
                tip = _tip(chart, members, len(step), say)
                bar = Bar(members[0].machine, start, end, escape(text), tip, lane * height, height, jobs)
                yield order, interrupted(bar, chart.hours(members[0]).processing)


def _tip(chart: Chart, members: Sequence[PlannedOperation], batch: int, say: Words) -> str:
    """Return what is told of the members of a step that share a bar, out of a batch of so many."""
    start, end = chart.moment(members[0].start_s), chart.moment(max(one.end_s for one in members))
    lines = [line for one in members[:_MEMBERS_TOLD] for line in _about(chart, one, say)]
    if len(members) > _MEMBERS_TOLD:
        lines.append("…")
    lines.append(escape(f"{say.moment(start)} – {say.moment(end)}"))
    if batch > 1:
        lines.append(escape(say("Batch of {n}", n=batch)))
    return "<br>".join(lines)


def _about(chart: Chart, one: PlannedOperation, say: Words) -> Iterator[str]:
    """Yield what an operation makes, when its order is due, and how sure that is."""
    job, order = chart.jobs.get(one.job_order), chart.orders.get(chart.order_of(one))
    what = f"{job.item_name}, {job.operation} ({say.number(job.quantity)})" if job else ""
    yield f"<b>{escape(one.job_order)}</b> {escape(what)}"
    if order:
        share = chart.on_time.get(order.id)
        sure = "" if share is None else say("on time {share}", share=say.likelihood(share))
        yield escape(" · ".join(filter(None, (say("due {moment}", moment=say.moment(order.due_at)), sure))))


def _past_due(chart: Chart) -> Iterator[Bar]:
    """Yield the part of each operation that lies behind its order's due date, as a line under its bar, in pieces."""
    for one in chart.plan.operations:
        if (due := chart.late_from(one)) is not None:
            start = max(chart.moment(one.start_s), due)
            late = Bar(one.machine, start, chart.moment(one.end_s), low=0.86, height=0.14)
            yield from interrupted(late, chart.hours(one).processing)


def _add_due_dates(figure: go.Figure, chart: Chart, cut: Sequence[Window], say: Words) -> None:
    """Mark on the row of its last operation when an order is due that is at risk or late as planned."""
    last = {chart.order_of(one): one for one in sorted(chart.plan.operations, key=lambda one: one.end_s)}
    rows = {machine: number for number, machine in enumerate(chart.machines)}
    marked = [
        (one, order, chart.late_from(one) is not None)
        for order, one in last.items()
        if order in chart.orders and (risk(chart.on_time.get(order)) != "safe" or chart.late_from(one) is not None)
    ]
    colours = {name: colour for name, _, _, colour in RISKS}
    figure.add_scatter(
        x=[local(_visible(chart.orders[order].due_at, cut), say.timezone) for _, order, _ in marked],
        y=[rows[one.machine] for one, _, _ in marked],
        mode="markers",
        name=escape(say("due date of an order at risk")),
        showlegend=bool(marked),
        marker={
            "symbol": "line-ns",
            "size": _ROW_PX - 6,
            "line": {
                "width": 3,
                "color": [_LATE if late else colours[risk(chart.on_time.get(order))] for _, order, late in marked],
            },
        },
        hovertext=[_due_tip(chart, one, order, late, say) for one, order, late in marked],
        hoverinfo="text",
    )


def _visible(moment: datetime, cut: Sequence[Window]) -> datetime:
    """Return `moment`, or the last one before it that is not cut out of the axis."""
    return next((start - timedelta(seconds=1) for start, end in cut if start <= moment < end), moment)


def _due_tip(chart: Chart, one: PlannedOperation, order: str, late: bool, say: Words) -> str:
    due = chart.orders[order].due_at
    lines = [f"<b>{escape(order)}</b> " + escape(say("due {moment}", moment=say.moment(due)))]
    if late:
        lines.append(
            escape(say("{late} late as planned", late=say.duration((chart.moment(one.end_s) - due).total_seconds())))
        )
    if order in chart.on_time:
        lines.append(escape(say("on time {share}", share=say.likelihood(chart.on_time[order]))))
    return "<br>".join(lines)


def _add_locks(figure: go.Figure, chart: Chart, say: Words) -> None:
    """Mark the operations somebody locked, where they are locked to."""
    rows = {machine: number for number, machine in enumerate(chart.machines)}
    locks = [one for one in chart.locks.values() if one.machine in rows and one.job_order in chart.plan.by_job_order]
    figure.add_scatter(
        x=[local(one.start_at, say.timezone) for one in locks],
        y=[rows[one.machine] - 0.36 for one in locks],
        mode="markers",
        name=escape(say("Locked")),
        showlegend=bool(locks),
        marker={"symbol": "triangle-down", "size": 11, "color": _LOCKED, "line": {"width": 1, "color": "#ffffff"}},
        hovertext=[_lock_tip(one, say) for one in locks],
        hoverinfo="text",
    )


def _lock_tip(one: JobLock, say: Words) -> str:
    told = say(
        "locked to {machine}, {start}, by {name}",
        machine=one.machine,
        start=say.moment(one.start_at),
        name=one.locked_by,
    )
    return f"<b>{escape(one.job_order)}</b> {escape(told)}"
