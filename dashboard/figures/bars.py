"""What all Gantt charts have in common: bars on machines' rows, setups before steps, closed hours, the axes.

Hours in which the whole plant is closed are cut out of the axis, so that work gets the width. Few traces whatever the
plan's size: a bar costs little, a trace much.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil
from typing import Any

import plotly.graph_objects as go

from dashboard.figures.look import escape, local, time_axis
from dashboard.words import Words
from methods.attended import StepHours
from plant.calendar import Window, clip_windows, merge_windows
from plant.plan import Plan, PlannedOperation

CLOSED = "rgba(124,134,146,0.18)"
_CUT_FROM = timedelta(hours=1)
"""Closed spans that are shorter, such as breaks, are neither cut out nor drawn as interruptions."""
_STEPS = (
    (timedelta(hours=1), timedelta(minutes=30), 10),
    (timedelta(hours=2), timedelta(hours=1), 10),
    (timedelta(hours=3), timedelta(hours=2), 10),
    (timedelta(hours=6), timedelta(hours=3), 10),
    (timedelta(days=1), timedelta(hours=12), 14),
    (timedelta(days=7), timedelta(days=3), 14),
    (timedelta(days=14), timedelta(days=7), 14),
)
"""Steps between ticks that look even although nights and weekends are cut out.

Each with plotly's next shorter step, and how many there is room for.
"""


@dataclass(frozen=True)
class Bar:
    """A span on a machine's row; `low` and `height` place it within the row (0 to 1 from the top).

    `jobs` are the job orders it stands for; by them the browser knows what is dragged.
    """

    machine: str
    start: datetime
    end: datetime
    text: str = ""
    hover: str = ""
    low: float = 0.0
    height: float = 1.0
    jobs: tuple[str, ...] = ()


def add_bars(
    figure: go.Figure,
    machines: Mapping[str, str],
    bars: Sequence[Bar],
    say: Words,
    *,
    width: float,
    name: str | None = None,
    **style: Any,
) -> None:
    """Add one trace of bars; rows count from the top, machine i at y = i.

    Parameters
    ----------
    machines
        Names by id, in the order of the rows.
    width
        Share of its row that a bar takes.
    name
        What the legend calls them; without one they are not in it.
    style
        How they are marked: plotly's ``marker``.
    """
    rows = {machine: number for number, machine in enumerate(machines)}
    figure.add_trace(
        go.Bar(
            orientation="h",
            name=escape(name or ""),
            showlegend=name is not None,
            base=[local(bar.start, say.timezone) for bar in bars],
            x=[(bar.end - bar.start).total_seconds() * 1000 for bar in bars],
            y=[rows[bar.machine] + (bar.low + bar.height / 2 - 0.5) * width for bar in bars],
            width=[bar.height * width for bar in bars],
            text=[bar.text for bar in bars],
            textposition="inside",
            textangle=0,
            textfont={"color": "#ffffff", "size": 11},
            constraintext="inside",
            hovertext=[bar.hover for bar in bars],
            hoverinfo="text" if any(bar.hover for bar in bars) else "skip",
            customdata=["\n".join(bar.jobs) for bar in bars] if any(bar.jobs for bar in bars) else None,
            marker={"line": {"width": 0}, **style},
        )
    )


def dress(figure: go.Figure, machines: Mapping[str, str], span: Window, cut: Sequence[Window], say: Words) -> None:
    """Set axes and behaviour: dragging moves along time, machines stay.

    Parameters
    ----------
    cut
        Spans to leave out of the time axis; see `closed_everywhere`.
    """
    figure.update_layout(
        barmode="overlay",
        uniformtext={"minsize": 9, "mode": "hide"},
        dragmode="pan",
        hovermode="closest",
    )
    figure.update_yaxes(
        tickvals=list(range(len(machines))),
        ticktext=[f"<b>{escape(id_)}</b><span>  {escape(name)}</span>" for id_, name in machines.items()],
        range=[len(machines) - 0.5, -0.5],
        automargin=True,
        fixedrange=True,
        showgrid=False,
        zeroline=False,
        ticks="",
    )
    figure.update_xaxes(
        type="date",
        range=[local(moment, say.timezone) for moment in span],
        rangebreaks=[{"bounds": [local(moment, say.timezone) for moment in window]} for window in cut],
        nticks=_most_ticks(span[1] - span[0]),
        **{**time_axis(say), "tickformat": None, "tickformatstops": _tick_formats(say)},
    )


def _tick_formats(say: Words) -> list[dict[str, Any]]:
    """Return how ticks are told: by the hour with the day below where it changes, else by the day alone."""
    axis = time_axis(say)
    day_ms = timedelta(days=1) // timedelta(milliseconds=1)
    return [
        {"dtickrange": [None, day_ms - 1], "value": axis["tickformat"]},
        {"dtickrange": [day_ms, None], "value": axis["tickformat"].partition("\n")[2]},
    ]


def _most_ticks(length: timedelta) -> int:
    """Return how many ticks plotly may at most set, so that it sets them every few hours, every day or every week.

    It would set them every second or third day, too, and where a weekend is cut out move them to its end: in some
    places days seemed to be missing. Zoomed in, as many ticks are set closer together. (plotly's steps are 1, 2, 3, 6
    and 12 hours, 1, 2, 3, 7 and 14 days; it takes the first that is longer than the length over this number.)
    """
    step, shorter, most = next((one for one in _STEPS if length < one[0] * one[2]), _STEPS[-1])
    return max(length // step + 1, min(ceil(length / shorter) - 1, most))


def closed(windows: Mapping[str, Sequence[Window]], span: Window) -> Iterator[Bar]:
    """Yield the hours in which a machine does not work, on its row."""
    start, end = span
    for machine, opened in windows.items():
        reached = start
        for opens, closes in (*clip_windows(opened, start, end), (end, end)):
            if opens > reached:
                yield Bar(machine, reached, opens)
            reached = max(reached, closes)


def closed_everywhere(windows: Mapping[str, Sequence[Window]], span: Window) -> Iterator[Window]:
    """Yield the spans of an hour or more in which no machine works."""
    start, end = span
    reached = start
    for opens, closes in clip_windows(
        merge_windows([one for opened in windows.values() for one in opened]), start, end
    ):
        if opens - reached >= _CUT_FROM:
            yield reached, opens
        reached = closes


def interrupted(bar: Bar, windows: Sequence[Window]) -> list[Bar]:
    """Return a bar in pieces: whole in its working windows, a thin line outside of them; one carries the text."""
    worked = [
        replace(bar, start=start, end=end, text="")
        for start, end in clip_windows(_without_breaks(windows), bar.start, bar.end)
    ]
    if not worked:
        return [bar]
    longest = max(worked, key=lambda piece: piece.end - piece.start)
    worked[worked.index(longest)] = replace(longest, text=bar.text)
    thin, middle = bar.height * 0.16, bar.low + bar.height / 2
    edges = [bar.start, *(moment for piece in worked for moment in (piece.start, piece.end)), bar.end]
    lines = [
        replace(bar, start=start, end=end, text="", low=middle - thin / 2, height=thin)
        for start, end in zip(edges[::2], edges[1::2], strict=True)
        if start < end
    ]
    return worked + lines


def _without_breaks(windows: Sequence[Window]) -> list[Window]:
    """Return working windows joined over closed spans too short to show."""
    joined: list[Window] = []
    for opens, closes in windows:
        if joined and opens - joined[-1][1] < _CUT_FROM:
            joined[-1] = (joined[-1][0], closes)
        else:
            joined.append((opens, closes))
    return joined


def setups(plan: Plan, hours: Callable[[PlannedOperation], StepHours], say: Words) -> Iterator[Bar]:
    """Yield the setup before each step that needs one, laid back over the hours it cannot go on, in pieces.

    Parameters
    ----------
    hours
        Returns when an operation can go on.
    """
    for machine, steps in plan.sequences.items():
        for first, *others in steps:
            if first.setup_s > 0:
                start = plan.epoch + timedelta(seconds=first.start_s)
                windows = hours(first).setup
                begins = worked_back(windows, start, first.setup_s)
                hover = f"<b>{escape(say('Setup'))}</b> {say.duration(first.setup_s)}<br>{escape(first.job_order)}"
                jobs = tuple(one.job_order for one in (first, *others))
                yield from interrupted(Bar(machine, begins, start, hover=hover, jobs=jobs), windows)


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
