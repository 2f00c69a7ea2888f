"""A plan as a Gantt chart for paper: machines as rows, one colour an order, setups hatched, closed time shaded.

One trace an order, one for setups, one for closed time.
"""

from __future__ import annotations

import colorsys
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import plotly.graph_objects as go

from dashboard.figures.bars import CLOSED, Bar, add_bars, closed, closed_everywhere, dress, interrupted, setups
from dashboard.figures.look import escape
from dashboard.words import Words
from plant.order import JobOrder
from plant.plan import Plan, PlannedOperation
from plant.plant import Plant

_ROW_PX = 34
_ROW_SHARE = 0.78
_GOLDEN_ANGLE = 0.381966
_EDGE = {"line": {"width": 0.6, "color": "#ffffff"}}
_HATCHED = {**_EDGE, "color": "#ffffff", "pattern": {"shape": "/", "fgcolor": "#6b7680", "size": 4, "solidity": 0.35}}


def gantt(plan: Plan, jobs: Mapping[str, JobOrder], plant: Plant) -> go.Figure:
    """Draw `plan`, in English; times are the plant's local ones.

    Parameters
    ----------
    jobs
        Job orders by id: what each operation of the plan makes, and for whom.
    """
    say = Words("en", plant.timezone)
    machines, span = {machine.id: machine.name for machine in plant.machines}, _span(plan)
    windows = {machine: plant.calendar_of(machine).windows(*span) for machine in machines}
    figure = go.Figure(layout={"template": "plotly_white", "height": _ROW_PX * len(machines) + 110})
    add_bars(figure, machines, list(closed(windows, span)), say, width=1.0, name="Closed", color=CLOSED)
    colours = order_colours(plan, jobs)
    bars: dict[str, list[Bar]] = {order: [] for order in colours}
    for order, bar in _operations(plan, jobs, plant, say):
        bars[order] += interrupted(bar, windows[bar.machine])
    for order, colour in colours.items():
        add_bars(figure, machines, bars[order], say, width=_ROW_SHARE, name=order, color=colour, **_EDGE)
    hatched = [piece for bar in setups(plan, windows, say) for piece in interrupted(bar, windows[bar.machine])]
    add_bars(figure, machines, hatched, say, width=_ROW_SHARE, name="Setup", **_HATCHED)
    figure.update_traces(insidetextanchor="middle")
    dress(figure, machines, span, list(closed_everywhere(windows, span)), say)
    figure.update_layout(
        margin={"l": 10, "r": 10, "t": 30, "b": 40},
        legend={"title": {"text": "Order"}, "font": {"size": 10}, "itemwidth": 30, "tracegroupgap": 0},
    )
    told = f"local time, {plant.timezone}; hours in which the whole plant is closed are left out"
    figure.update_xaxes(title={"text": told})
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


def _order(jobs: Mapping[str, JobOrder], operation: PlannedOperation) -> str:
    job = jobs.get(operation.job_order)
    return job.customer_order if job else operation.job_order


def _span(plan: Plan) -> tuple[datetime, datetime]:
    return plan.epoch, plan.epoch + timedelta(seconds=max(plan.makespan_s * 1.01, 3600.0))


def _operations(plan: Plan, jobs: Mapping[str, JobOrder], plant: Plant, say: Words) -> Iterator[tuple[str, Bar]]:
    """Yield order and bar of every operation; members of a batch share their row's height."""
    for machine, steps in plan.sequences.items():
        for step in steps:
            for lane, operation in enumerate(step):
                start = plan.epoch + timedelta(seconds=operation.start_s)
                end = plan.epoch + timedelta(seconds=operation.end_s)
                hover = _hover(operation, jobs.get(operation.job_order), plant, say, (start, end), len(step))
                text = _label(operation, jobs.get(operation.job_order)) if len(step) <= 2 else ""
                height = 1 / len(step)
                yield _order(jobs, operation), Bar(machine, start, end, text, hover, lane * height, height)


def _label(operation: PlannedOperation, job: JobOrder | None) -> str:
    """Return what stands on a bar: enough of the order's id to know it, and the operation."""
    if job is None:
        return escape(operation.job_order)
    return escape(f"{job.customer_order.rsplit('-', 1)[-1]}·{job.operation}")


def _hover(
    operation: PlannedOperation,
    job: JobOrder | None,
    plant: Plant,
    say: Words,
    span: tuple[datetime, datetime],
    members: int,
) -> str:
    lines = [f"<b>{escape(operation.job_order)}</b>"]
    if job is not None:
        name = plant.operation(job.item, job.operation).name
        lines.append(f"{escape(name)} · {job.quantity} × {escape(plant.item(job.item).name)}")
    lines.append(f"{escape(plant.machine(operation.machine).name)} ({escape(operation.machine)})")
    lines.append(" – ".join(say.moment(moment) for moment in span))
    if operation.setup_s > 0:
        lines.append(f"after {say.duration(operation.setup_s)} of setup")
    if members > 1:
        lines.append(f"batch of {members}")
    return "<br>".join(lines)
