"""Where in its predicted distribution each completion fell: level bars where predictions are right."""

from __future__ import annotations

import plotly.graph_objects as go

from dashboard.figures.look import GRID, escape, layout
from dashboard.words import Words
from twin.fidelity import TENTHS, Pit

ORDERS, JOB_ORDERS = "#7048c6", "#1c7ed6"


def pit(orders: Pit, job_orders: Pit, say: Words) -> go.Figure:
    """Draw both histograms; the dotted line is where each tenth would be if predictions were right."""
    figure = go.Figure(layout=layout(key="pit", height=250))
    for found, name, colour in ((job_orders, say("Job orders"), JOB_ORDERS), (orders, say("Orders"), ORDERS)):
        figure.add_trace(_bars(found, escape(name), colour, say))
    figure.add_shape(
        type="line",
        xref="paper",
        x0=0,
        x1=1,
        y0=1 / TENTHS,
        y1=1 / TENTHS,
        line={"dash": "dot", "width": 1.5, "color": "#8a95a1"},
    )
    figure.update_layout(
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"},
        margin={"l": 44, "r": 12, "t": 28, "b": 40},
        bargap=0.25,
        hovermode="closest",
    )
    figure.update_xaxes(
        title={"text": say("tenth of the predicted distribution"), "font": {"size": 12}}, dtick=1, fixedrange=True
    )
    figure.update_yaxes(tickformat=".0%", rangemode="tozero", gridcolor=GRID, zeroline=False, fixedrange=True)
    return figure


def _bars(found: Pit, name: str, colour: str, say: Words) -> go.Bar:
    def hover(tenth: int) -> str:
        share = say.percent(found.mass[tenth], 1)
        counted = say("{seen} of {n} fell here", seen=say.number(found.seen[tenth]), n=say.number(found.at_risk[tenth]))
        return f"<b>{name}</b> {share}<br>{escape(counted)}"

    return go.Bar(
        name=name,
        x=list(range(1, TENTHS + 1)),
        y=list(found.mass),
        marker={"color": colour, "line": {"width": 0}},
        hovertext=[hover(tenth) for tenth in range(TENTHS)],
        hoverinfo="text",
    )
