"""A machine's condition signals over time, one row each, with the band that is taken for normal."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any

import plotly.graph_objects as go

from dashboard.figures.look import GRID, layout, naive, time_axis
from dashboard.shown.health import SignalsView
from dashboard.words import Words, mark
from operations.health import SignalHistory
from plant.reading import Signal

SIGNALS = {
    Signal.TEMPERATURE.value: (mark("Temperature"), "°C", "#d9480f"),
    Signal.VIBRATION.value: (mark("Vibration"), "mm/s", "#7048c6"),
    Signal.POWER.value: (mark("Power"), "kW", "#1c7ed6"),
}
_ROW_PX = 150
_GAP = 0.06
_SILENCE = timedelta(minutes=10)
"""What lasts longer is drawn as a hole, if the samples do not come as far apart anyway."""


def label(signal: str, say: Words) -> str:
    """Return a signal's name for people; one nobody named keeps its own."""
    return say(SIGNALS[signal][0]) if signal in SIGNALS else signal


def unit(signal: str) -> str:
    """Return the unit a signal is measured in."""
    return SIGNALS[signal][1] if signal in SIGNALS else ""


def signals(view: SignalsView, say: Words, *, hours: float) -> go.Figure:
    """Draw `view`; zooming one row zooms all."""
    rows = len(view.columns)
    figure = go.Figure(layout=layout(key=f"{view.machine} {hours}", height=_ROW_PX * max(rows, 1) + 30))
    figure.update_layout(hovermode="x", margin={"l": 50, "r": 12, "t": 22, "b": 24})
    for row, column in enumerate(view.columns):
        _add(figure, column, row, rows, say)
    # One x axis for all rows, at the bottom.
    span = [naive(view.start, say.timezone), naive(view.end, say.timezone)]
    figure.update_xaxes(range=span, anchor=f"y{rows}" if rows > 1 else "y", **time_axis(say))
    return figure


def _add(figure: go.Figure, column: SignalHistory, row: int, rows: int, say: Words) -> None:
    axis = "y" if row == 0 else f"y{row + 1}"
    height = (1 - _GAP * (rows - 1)) / rows
    top = 1 - row * (height + _GAP)
    colour = SIGNALS.get(column.signal, ("", "", "#5c6876"))[2]
    figure.update_layout({f"yaxis{axis[1:]}": _axis(top - height, top)})
    times, values = _with_gaps(column)
    figure.add_trace(
        go.Scatter(
            x=[naive(time, say.timezone) for time in times],
            y=values,
            yaxis=axis,
            mode="lines",
            line={"color": colour, "width": 1.4},
            connectgaps=False,
            hovertemplate=f"%{{y:.2f}} {unit(column.signal)}<extra></extra>",
        )
    )
    for edge in (column.low, column.high):
        if edge is not None:
            figure.add_shape(_limit(axis, edge))
    figure.add_annotation(
        text=f"{label(column.signal, say)} ({unit(column.signal)})" if unit(column.signal) else column.signal,
        xref="paper",
        yref="paper",
        x=0,
        y=top,
        xanchor="left",
        yanchor="bottom",
        showarrow=False,
        font={"size": 12},
    )


def _with_gaps(column: SignalHistory) -> tuple[list[datetime], list[float | None]]:
    """Return a signal with a hole where nothing came for long: a line across it would be made up."""
    steps = [after - before for before, after in pairwise(column.times)]
    longest = max(_SILENCE, 3 * median(steps)) if steps else _SILENCE
    times, values = list(column.times[:1]), list(column.values[:1])
    for step, time, value in zip(steps, column.times[1:], column.values[1:], strict=True):
        if step > longest:
            times.append(time - step / 2)
            values.append(None)
        times.append(time)
        values.append(value)
    return times, values


def _axis(bottom: float, top: float) -> dict[str, Any]:
    return {"domain": [bottom, top], "gridcolor": GRID, "zeroline": False, "nticks": 5, "fixedrange": True}


def _limit(axis: str, value: float) -> dict[str, Any]:
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "yref": axis,
        "y0": value,
        "y1": value,
        "line": {"color": "rgba(217,45,32,0.6)", "width": 1, "dash": "dot"},
    }
