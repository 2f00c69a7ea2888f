"""A plan as a Gantt chart: machines as rows, one colour an order, setups hatched, closed time shaded.

Hours in which the whole plant is closed are cut out of the axis, so that work gets the width; where only its machine
is closed, an operation that has begun shows as a thin line. Few traces whatever the plan's size: one per order, one
for setups, one for closed time.
"""

from __future__ import annotations

import colorsys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

import plotly.graph_objects as go

from plant.calendar import Window, WorkingTime, clip_windows
from plant.order import JobOrder
from plant.plan import Plan, PlannedOperation
from plant.plant import Plant

GRID = "rgba(120,130,140,0.25)"
_CLOSED = "rgba(120,130,140,0.22)"
_ROW_PX = 34
_ROW_SHARE = 0.78
_CUT_FROM = timedelta(hours=1)
_GOLDEN_ANGLE = 0.381966


@dataclass(frozen=True)
class Bar:
    """A span on a machine's row; `low` and `height` place it within the row (0 to 1 from the top)."""

    machine: str
    start: datetime
    end: datetime
    low: float
    height: float
    text: str
    hover: str


def gantt(plan: Plan, jobs: Mapping[str, JobOrder], plant: Plant) -> go.Figure:
    """Draw `plan`; times are the plant's local ones.

    Parameters
    ----------
    jobs
        Job orders by id: what each operation of the plan makes, and for whom.
    """
    zone = ZoneInfo(plant.timezone)
    machines = [machine.id for machine in plant.machines]
    start, end = _span(plan)
    open_hours = {machine: _without_breaks(plant.calendar_of(machine).windows(start, end)) for machine in machines}
    figure = go.Figure()
    _add(figure, machines, list(_closed(plant, start, end)), zone, name="Closed", color=_CLOSED, hoverinfo="skip")
    colours = order_colours(plan, jobs)
    bars: dict[str, list[Bar]] = {order: [] for order in colours}
    for order, bar in _operations(plan, jobs, plant, zone):
        bars[order] += _interrupted(bar, open_hours[bar.machine])
    for order, colour in colours.items():
        _add(figure, machines, bars[order], zone, name=order, color=colour)
    hatched = {"color": "#ffffff", "pattern": {"shape": "/", "fgcolor": "#6b7680", "size": 4, "solidity": 0.35}}
    setups = [piece for bar in _setups(plan, plant, zone) for piece in _interrupted(bar, open_hours[bar.machine])]
    _add(figure, machines, setups, zone, name="Setup", **hatched)
    _dress(figure, plant, (start, end), zone)
    return figure


def order_colours(plan: Plan, jobs: Mapping[str, JobOrder]) -> dict[str, str]:
    """Return a colour per customer order, in the order of their ids; neighbours differ most in hue."""
    orders = sorted({_order(jobs, operation) for operation in plan.operations})
    colours = {}
    for number, order in enumerate(orders):
        lightness = (0.50, 0.42, 0.58)[number % 3]
        red, green, blue = colorsys.hls_to_rgb(0.58 + number * _GOLDEN_ANGLE, lightness, 0.55)
        colours[order] = f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"
    return colours


def local(moment: datetime, zone: ZoneInfo) -> str:
    """Return plant-local time without its zone, to the second: plotly draws what it is given."""
    return moment.astimezone(zone).replace(tzinfo=None).isoformat(timespec="seconds")


def _order(jobs: Mapping[str, JobOrder], operation: PlannedOperation) -> str:
    job = jobs.get(operation.job_order)
    return job.customer_order if job else operation.job_order


def _span(plan: Plan) -> tuple[datetime, datetime]:
    return plan.epoch, plan.epoch + timedelta(seconds=max(plan.makespan_s * 1.01, 3600.0))


def _without_breaks(windows: Sequence[Window]) -> list[Window]:
    """Return working windows joined over closed spans too short to show."""
    joined: list[Window] = []
    for opens, closes in windows:
        if joined and opens - joined[-1][1] < _CUT_FROM:
            joined[-1] = (joined[-1][0], closes)
        else:
            joined.append((opens, closes))
    return joined


def _interrupted(bar: Bar, windows: Sequence[Window]) -> list[Bar]:
    """Return a bar in pieces: whole while its machine is open, a thin line while it is closed; one carries the text."""
    worked = [
        Bar(bar.machine, start, end, bar.low, bar.height, "", bar.hover)
        for start, end in clip_windows(windows, bar.start, bar.end)
    ]
    if not worked:
        return [bar]
    longest = max(worked, key=lambda piece: piece.end - piece.start)
    worked[worked.index(longest)] = replace(longest, text=bar.text)
    thin, middle = bar.height * 0.16, bar.low + bar.height / 2
    edges = [bar.start, *(moment for piece in worked for moment in (piece.start, piece.end)), bar.end]
    lines = [
        Bar(bar.machine, start, end, middle - thin / 2, thin, "", bar.hover)
        for start, end in zip(edges[::2], edges[1::2], strict=True)
        if start < end
    ]
    return worked + lines


def _operations(plan: Plan, jobs: Mapping[str, JobOrder], plant: Plant, zone: ZoneInfo) -> Iterator[tuple[str, Bar]]:
    """Yield order and bar of every operation; members of a batch share their row's height."""
    for machine, steps in plan.sequences.items():
        for step in steps:
            for lane, operation in enumerate(step):
                start = plan.epoch + timedelta(seconds=operation.start_s)
                end = plan.epoch + timedelta(seconds=operation.end_s)
                hover = _hover(operation, jobs.get(operation.job_order), plant, zone, (start, end), len(step))
                text = _label(operation, jobs.get(operation.job_order)) if len(step) <= 2 else ""
                height = 1 / len(step)
                yield _order(jobs, operation), Bar(machine, start, end, lane * height, height, text, hover)


def _label(operation: PlannedOperation, job: JobOrder | None) -> str:
    """Return what stands on a bar: enough of the order's id to know it, and the operation."""
    if job is None:
        return escape(operation.job_order)
    return escape(f"{job.customer_order.rsplit('-', 1)[-1]}·{job.operation}")


def _hover(
    operation: PlannedOperation,
    job: JobOrder | None,
    plant: Plant,
    zone: ZoneInfo,
    span: tuple[datetime, datetime],
    members: int,
) -> str:
    lines = [f"<b>{escape(operation.job_order)}</b>"]
    if job is not None:
        name = plant.operation(job.item, job.operation).name
        lines.append(f"{escape(name)} · {job.quantity} × {escape(plant.item(job.item).name)}")
    lines.append(f"{escape(plant.machine(operation.machine).name)} ({escape(operation.machine)})")
    lines.append(" to ".join(f"{moment.astimezone(zone):%a %d %b %H:%M}" for moment in span))
    if operation.setup_s > 0:
        lines.append(f"after {operation.setup_s / 60:.0f} min of setup")
    if members > 1:
        lines.append(f"batch of {members}")
    return "<br>".join(lines)


def _setups(plan: Plan, plant: Plant, zone: ZoneInfo) -> Iterator[Bar]:
    for machine, steps in plan.sequences.items():
        working_time = _working_time(plan, plant, machine)
        for step in steps:
            setup_s = step[0].setup_s
            if setup_s > 0:
                worked = working_time.worked_at(step[0].start_s) - setup_s
                begin_s = working_time.begin(working_time.clock_at(worked)) if worked >= 0 else 0.0
                begin = plan.epoch + timedelta(seconds=begin_s)
                end = plan.epoch + timedelta(seconds=step[0].start_s)
                hover = f"<b>Setup</b> of {escape(machine)}, {setup_s / 60:.0f} min<br>for {escape(step[0].job_order)}"
                yield Bar(machine, begin, end, 0.0, 1.0, "", hover)


def _working_time(plan: Plan, plant: Plant, machine: str) -> WorkingTime:
    end = plan.epoch + timedelta(seconds=plan.makespan_s) + timedelta(days=21)
    windows = plant.calendar_of(machine).windows(plan.epoch, end)
    seconds = [
        ((opens - plan.epoch).total_seconds(), (closes - plan.epoch).total_seconds()) for opens, closes in windows
    ]
    return WorkingTime.of(seconds) if seconds else WorkingTime.always()


def _closed(plant: Plant, start: datetime, end: datetime) -> Iterator[Bar]:
    for machine in plant.machines:
        reached = start
        for opens, closes in (*plant.calendar_of(machine.id).windows(start, end), (end, end)):
            if opens > reached:
                yield Bar(machine.id, reached, opens, -0.14, 1.28, "", "")
            reached = closes


def _add(
    figure: go.Figure, machines: Sequence[str], bars: Sequence[Bar], zone: ZoneInfo, *, name: str, **style: Any
) -> None:
    """Add one trace of bars; rows count from the top, machine i at y = i."""
    rows = {machine: number for number, machine in enumerate(machines)}
    hoverinfo = style.pop("hoverinfo", "text")
    figure.add_trace(
        go.Bar(
            orientation="h",
            name=escape(name),
            base=[local(bar.start, zone) for bar in bars],
            x=[(bar.end - bar.start).total_seconds() * 1000 for bar in bars],
            y=[rows[bar.machine] + (bar.low + bar.height / 2 - 0.5) * _ROW_SHARE for bar in bars],
            width=[bar.height * _ROW_SHARE for bar in bars],
            text=[bar.text for bar in bars],
            hovertext=[bar.hover for bar in bars],
            hoverinfo=hoverinfo,
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            textfont={"color": "#ffffff", "size": 10},
            constraintext="inside",
            marker={"line": {"width": 0.6 if hoverinfo != "skip" else 0, "color": "#ffffff"}, **style},
        )
    )


def _dress(figure: go.Figure, plant: Plant, span: tuple[datetime, datetime], zone: ZoneInfo) -> None:
    figure.update_layout(
        template="plotly_white",
        barmode="overlay",
        height=_ROW_PX * len(plant.machines) + 110,
        margin={"l": 10, "r": 10, "t": 30, "b": 40},
        legend={"title": {"text": "Order"}, "font": {"size": 10}, "itemwidth": 30, "tracegroupgap": 0},
        uniformtext={"minsize": 9, "mode": "hide"},
        dragmode="pan",
        hovermode="closest",
    )
    figure.update_yaxes(
        tickvals=list(range(len(plant.machines))),
        ticktext=[f"{escape(machine.name)} <b>{escape(machine.id)}</b>" for machine in plant.machines],
        range=[len(plant.machines) - 0.5, -0.5],
        fixedrange=True,
        showgrid=False,
        zeroline=False,
        automargin=True,
    )
    figure.update_xaxes(
        type="date",
        range=[local(moment, zone) for moment in span],
        rangebreaks=cuts(plant, *span),
        tickformat="%H:%M\n%a %d %b",
        gridcolor=GRID,
        title={"text": f"local time, {plant.timezone}; hours in which the whole plant is closed are left out"},
    )


def cuts(plant: Plant, start: datetime, end: datetime) -> list[dict[str, Any]]:
    """Return the spans to cut out of a time axis: at least an hour in which no machine of the plant works."""
    zone = ZoneInfo(plant.timezone)
    found: list[dict[str, Any]] = []
    reached = start
    for opens, closes in plant.open_windows(start.astimezone(UTC), end.astimezone(UTC)):
        if opens - reached >= _CUT_FROM:
            found.append({"bounds": [local(reached, zone), local(opens, zone)]})
        reached = closes
    return found
