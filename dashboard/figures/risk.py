"""How sure an order is to be on time, and which machine it hangs on."""

from __future__ import annotations

from collections.abc import Mapping

import plotly.graph_objects as go

from dashboard.figures.look import GRID, escape, local, time_axis
from dashboard.words import Words
from plant.plant import Plant
from plant.verdict import OrderVerdict, Verdict

SAFE, TIGHT, LATE = "#3f8f5f", "#d99a1c", "#c8402f"
_ROW_PX = 22
_BOTTLENECK, _OTHER, _QUIET = "#c8402f", "#5d8fc9", "#c3ccd4"


def by_risk(verdict: Verdict) -> list[OrderVerdict]:
    """Return the orders, those least likely to be on time first; among equals those with the least slack."""
    return sorted(verdict.orders, key=lambda one: (one.on_time, one.due_at - one.p95, one.order))


def colour_of(one: OrderVerdict, threshold: float) -> str:
    """Return green when the lower bound reaches the threshold, red when an even chance is missed, amber between."""
    if one.on_time_low >= threshold:
        return SAFE
    return LATE if one.on_time < 0.5 else TIGHT


def order_risk(verdict: Verdict, thresholds: Mapping[str, float], say: Words) -> go.Figure:
    """Draw per order when it will be done (P50 to P95) against when it is due, the riskiest on top.

    Parameters
    ----------
    thresholds
        Per order the probability of being on time that the gate asks for.
    """
    timezone, orders = say.timezone, by_risk(verdict)
    rows = list(range(len(orders)))
    colours = [colour_of(one, thresholds.get(one.order, 1.0)) for one in orders]
    figure = go.Figure()
    figure.add_trace(
        go.Bar(
            orientation="h",
            name=say("done between P50 and P95"),
            base=[local(one.p50, timezone) for one in orders],
            x=[max((one.p95 - one.p50).total_seconds() * 1000, 1.0) for one in orders],
            y=rows,
            width=0.5,
            marker={"color": colours, "line": {"width": 0}},
            hovertext=[_hover(one, say) for one in orders],
            hoverinfo="text",
        )
    )
    for name, times, symbol, size in (
        ("P50", [one.p50 for one in orders], "circle", 8),
        (say("due"), [one.due_at for one in orders], "line-ns", 15),
    ):
        marker = {"symbol": symbol, "size": size, "color": colours if symbol == "circle" else "#1d2730"}
        line = {"line": {"width": 2.5, "color": "#1d2730"}} if symbol == "line-ns" else {}
        figure.add_trace(
            go.Scatter(
                x=[local(moment, timezone) for moment in times],
                y=rows,
                mode="markers",
                name=name,
                marker={**marker, **line},
                hovertext=[_hover(one, say) for one in orders],
                hoverinfo="text",
            )
        )
    _dress_risk(figure, orders, say)
    return figure


def _hover(one: OrderVerdict, say: Words) -> str:
    told = say(
        "on time with {chance} (at least {least})",
        chance=escape(say.likelihood(one.on_time)),
        least=escape(say.likelihood(one.on_time_low)),
    )
    due = say("due {at}", at=say.moment(one.due_at))
    shares = (f"{name} {say.moment(at)}" for name, at in (("P50", one.p50), ("P80", one.p80), ("P95", one.p95)))
    return f"<b>{escape(one.order)}</b> {told}<br>{due}<br>{' · '.join(shares)}"


def percent(share: float) -> str:
    """Return a share as a whole percentage; nothing is told as certain or impossible that is not."""
    whole = round(share * 100)
    if whole == 100 and share < 1:
        return "> 99 %"
    return "< 1 %" if whole == 0 and share > 0 else f"{whole} %"


def _dress_risk(figure: go.Figure, orders: list[OrderVerdict], say: Words) -> None:
    figure.update_layout(
        template="plotly_white",
        height=_ROW_PX * len(orders) + 110,
        margin={"l": 10, "r": 10, "t": 30, "b": 40},
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"},
        barmode="overlay",
        hovermode="closest",
        dragmode="pan",
    )
    figure.update_yaxes(
        tickvals=list(range(len(orders))),
        ticktext=[f"{escape(one.order)} <b>{escape(say.likelihood(one.on_time))}</b>" for one in orders],
        range=[len(orders) - 0.5, -0.5],
        fixedrange=True,
        zeroline=False,
        gridcolor="rgba(120,130,140,0.12)",
        automargin=True,
    )
    figure.update_xaxes(type="date", **time_axis(say), title={"text": say("local time, {zone}", zone=say.timezone)})


def machine_load(verdict: Verdict, plant: Plant, say: Words) -> go.Figure:
    """Draw per machine how busy it is until its last operation, and how often an order hung on it."""
    machines = sorted(verdict.machines, key=lambda one: (-one.critical, -one.load, one.machine))
    names = [f"<b>{escape(one.machine)}</b> {escape(plant.machine(one.machine).name)}" for one in machines]
    busy = [_BOTTLENECK if one.machine == verdict.bottleneck else _OTHER for one in machines]
    figure = go.Figure()
    for name, values, colour in (
        (say("orders hang on it"), [one.critical for one in machines], busy),
        (say("busy until its last operation"), [one.load for one in machines], _QUIET),
    ):
        figure.add_trace(
            go.Bar(
                orientation="h",
                name=name,
                x=values,
                y=names,
                marker={"color": colour},
                text=[f"{value:.0%}" for value in values],
                textposition="outside",
                cliponaxis=False,
                hovertemplate="%{y}<br>" + name + ": %{x:.1%}<extra></extra>",
            )
        )
    figure.update_layout(
        template="plotly_white",
        height=_ROW_PX * 2 * max(len(machines), 1) + 90,
        margin={"l": 10, "r": 40, "t": 30, "b": 30},
        barmode="group",
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "traceorder": "normal"},
    )
    figure.update_yaxes(autorange="reversed", automargin=True, fixedrange=True)
    figure.update_xaxes(tickformat=".0%", range=[0, 1.08], fixedrange=True, gridcolor=GRID)
    return figure
