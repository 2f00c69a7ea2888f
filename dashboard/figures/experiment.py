"""What an experiment found, drawn: differences with their intervals, spreads, and how they became known."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.figures.look import GRID
from dashboard.words import Words, mark
from scenarios.experiment import Outcome
from scenarios.intervals import Interval, each_of, paired_interval
from scenarios.measures import COLUMN, MEASURES, Measure, measure_named

BETTER, WORSE, SAME, BASE_COLOUR = "#3f8f5f", "#c8402f", "#7b8791", "#5d8fc9"
_ROW_PX = 24
_COLOURS = (
    "#5d8fc9",
    "#d98f2b",
    "#6a51a3",
    "#2b8c8c",
    "#b5577a",
    "#7a8f2b",
    "#8c6d46",
    "#4b6cb7",
    "#c26e3c",
    "#53868b",
)

NAMES = {
    "lead_time": mark("Lead time"),
    "on_time": mark("Orders on time"),
    "tardiness": mark("Tardiness"),
    "throughput": mark("Throughput"),
    "oee": mark("OEE"),
    "wip": mark("Work in process"),
}
UNITS = {"h": mark("h"), "1": "%", "1/d": mark("orders a day"), "orders": mark("orders")}


def label(measure: Measure, say: Words) -> str:
    """Return a measure's name with its unit."""
    unit = UNITS[measure.unit]
    return f"{say(NAMES[measure.id])} ({unit if unit == '%' else say(unit)})"


def scale(measure: Measure) -> float:
    """Return the factor from a measure's unit to what is shown: shares are percentages."""
    return 100.0 if measure.unit == "1" else 1.0


def colour_of(difference: Interval, measure: Measure) -> str:
    """Return green for an improvement, red for the opposite, grey where it cannot be told from no difference."""
    if not difference.differs:
        return SAME
    return BETTER if (difference.mean > 0) == measure.more_is_better else WORSE


def differences(outcome: Outcome, titles: Mapping[str, str], say: Words) -> go.Figure:
    """Draw per measure how far every scenario lies from the base, with its interval."""
    columns = 2
    rows = -(-len(MEASURES) // columns)
    figure = make_subplots(
        rows=rows,
        cols=columns,
        shared_yaxes=True,
        subplot_titles=[label(measure, say) for measure in MEASURES],
        horizontal_spacing=0.03,
        vertical_spacing=0.12 / rows * 2,
    )
    names = [escape(titles[name]) for name in outcome.scenarios]
    for place, measure in enumerate(MEASURES):
        found = [outcome.difference(name, measure) for name in outcome.scenarios]
        shown = [(one.mean * scale(measure), one.half_width * scale(measure)) for one in found]
        trace = go.Bar(
            orientation="h",
            x=[mean for mean, _ in shown],
            y=names,
            error_x={"type": "data", "array": [half for _, half in shown], "thickness": 1.4, "width": 4},
            marker={"color": [colour_of(one, measure) for one in found], "opacity": 0.75},
            width=0.55,
            hovertext=[f"{mean:+,.3g} ± {half:.2g}" for mean, half in shown],
            hoverinfo="y+text",
            showlegend=False,
        )
        figure.add_trace(trace, row=place // columns + 1, col=place % columns + 1)
    figure.update_layout(
        template="plotly_white",
        height=rows * (_ROW_PX * len(names) + 90),
        margin={"l": 10, "r": 20, "t": 30, "b": 20},
    )
    figure.update_yaxes(autorange="reversed", automargin=True, fixedrange=True)
    figure.update_xaxes(gridcolor=GRID, zerolinecolor="#1d2730", zerolinewidth=1.5, fixedrange=True)
    return figure


def spread(outcome: Outcome, titles: Mapping[str, str], say: Words) -> go.Figure:
    """Draw how the question's measure is spread over the futures, per case."""
    measure = measure_named(outcome.question.measure)
    figure = go.Figure()
    for name in outcome.names:
        figure.add_trace(
            go.Box(
                x=outcome.samples[name][:, COLUMN[measure.id]] * scale(measure),
                name=escape(titles[name]),
                marker={"color": BASE_COLOUR if name == outcome.base else SAME, "size": 3},
                line={"width": 1.3},
                boxmean=True,
                showlegend=False,
            )
        )
    figure.update_layout(
        template="plotly_white",
        height=_ROW_PX * 1.4 * len(outcome.names) + 90,
        margin={"l": 10, "r": 20, "t": 10, "b": 40},
    )
    figure.update_yaxes(autorange="reversed", automargin=True, fixedrange=True)
    figure.update_xaxes(title={"text": label(measure, say)}, gridcolor=GRID, fixedrange=True)
    return figure


def half_widths(outcome: Outcome, titles: Mapping[str, str], say: Words) -> go.Figure:
    """Draw how the half-width of every difference shrank with the replications, and the one asked for."""
    measure = measure_named(outcome.question.measure)
    column = COLUMN[measure.id]
    base = outcome.samples[outcome.base][:, column]
    counts = sorted({int(count) for count in np.geomspace(min(8, len(base)), len(base), 40)})
    figure = go.Figure()
    for number, name in enumerate(outcome.scenarios):
        values = outcome.samples[name][:, column]
        confidence = each_of(outcome.question.confidence, len(outcome.scenarios))
        shown = [paired_interval(values[:n], base[:n], confidence).half_width * scale(measure) for n in counts]
        line = {"width": 1.6, "color": _COLOURS[number % len(_COLOURS)]}
        figure.add_trace(go.Scatter(x=counts, y=shown, mode="lines", name=escape(titles[name]), line=line))
    asked = outcome.asked_half_width()
    if asked is not None:
        figure.add_hline(asked * scale(measure), line={"dash": "dash", "color": "#1d2730", "width": 1.2})
    figure.update_layout(
        template="plotly_white",
        height=360,
        margin={"l": 10, "r": 20, "t": 10, "b": 40},
        legend={"orientation": "v"},
        hovermode="x unified",
    )
    figure.update_xaxes(title={"text": say("Futures")}, type="log", dtick="D1", gridcolor=GRID, fixedrange=True)
    figure.update_yaxes(title={"text": f"± {label(measure, say)}"}, rangemode="tozero", gridcolor=GRID, fixedrange=True)
    return figure
