"""How right the twin was: coverage, errors, the histogram of what it predicted, and cycle times that have drifted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.changes import Parts, part_id
from dashboard.figures import look
from dashboard.figures.pit import pit
from dashboard.rights import permitted
from dashboard.states import icon
from dashboard.words import Words, mark
from plant.actor import Actor, Permission
from twin.drift import Direction
from twin.fidelity import Coverage, Fidelity
from twin.fidelity_report import FidelityReport, MachineDrift, OeeError

DIRECTIONS = {Direction.LONGER: mark("longer"), Direction.SHORTER: mark("shorter")}


def nothing_yet(say: Words) -> list[Component]:
    """Return what stands in the place of figures before the first measurement."""
    return [
        icon("health"),
        html.H2(say("How right the twin is has not been measured yet")),
        html.P(say("It is measured before each plan, from what the plans in force predicted and what happened then.")),
    ]


def graph(parts: Parts, say: Words) -> Component:
    """Return the histogram."""
    drawn = dcc.Graph(id=part_id("twin-pit"), config=look.config(say), **parts["twin-pit", ""])
    return html.Div(drawn, className="pit")


def parts(found: FidelityReport | None, actor: Actor, say: Words) -> Parts:
    """Return all that is shown of a measurement."""
    hidden, measured = {"className": "hidden"}, found is not None
    return {
        ("twin-error-none", ""): hidden if measured else {"className": "panel empty"},
        ("twin-error", ""): {"className": "fidelity"} if measured else hidden,
        ("twin-measure", ""): permitted(actor, Permission.MAKE_PLANS, say),
        ("twin-measured", ""): {"children": _measured(found, say) if found else None},
        ("twin-figures", ""): {"children": _table(found, say) if found else None},
        ("twin-pit", ""): {"figure": _figure(found, say)},
        ("twin-drift", ""): {"children": _drift(found, say) if found else None},
    }


def _figure(found: FidelityReport | None, say: Words) -> dict[str, Any]:
    if found is None:
        return {"data": [], "layout": look.layout(key="none", height=120)}
    drawn: dict[str, Any] = pit(found.orders.pit, found.job_orders.pit, say).to_plotly_json()
    return drawn


def _measured(found: FidelityReport, say: Words) -> list[Component]:
    told = say.plural("{n} plan", "{n} plans", found.job_orders.plans)
    at = say("measured {time}", time=say.moment(found.measured_at))
    return [html.H2(say("How right the twin was")), html.Span(f"{at} · {told}", className="quiet")]


def _table(found: FidelityReport, say: Words) -> Component:
    heads = ["", say("Job orders"), say("Orders")]
    both = found.job_orders, found.orders
    body = [html.Tr([html.Th(name), *cells]) for name, *cells in _rows(both, say)]
    body.append(html.Tr([html.Th(say("OEE, measured less expected")), html.Td(_oee(found.oee, say), colSpan=2)]))
    return html.Table([html.Thead(html.Tr([html.Th(head) for head in heads])), html.Tbody(body)])


def _rows(both: Sequence[Fidelity], say: Words) -> Iterator[tuple[Any, ...]]:
    yield (
        say("Predictions, and complete"),
        *(html.Td(f"{say.number(one.cases)} · {say.number(one.completed)}") for one in both),
    )
    for place, level in enumerate(one.level for one in both[0].coverage):
        name = say("Inside their {share} interval", share=say.percent(level))
        yield (name, *(_covered(one.coverage[place], say) for one in both))
    yield (say("Mean error of the lead time"), *(html.Td(_bias(one, say)) for one in both))
    yield (say("Mean absolute error"), *(html.Td(_span(one.error.mae_s, say)) for one in both))
    yield (
        html.Span("CRPS", title=say("Continuous ranked probability score: as the absolute error, of a distribution")),
        *(html.Td(_span(one.crps_s, say)) for one in both),
    )


def _covered(one: Coverage, say: Words) -> Component:
    """Return the share inside with its interval; marked when that does not hold what was promised."""
    if one.share is None or one.low is None or one.high is None:
        return html.Td("–")
    wrong = not one.low <= one.level <= one.high
    spread = say(
        "{low} to {high}, of {n}", low=say.percent(one.low), high=say.percent(one.high), n=say.number(one.cases)
    )
    return html.Td([html.B(say.percent(one.share)), html.Span(spread)], className="off" if wrong else None)


def _bias(one: Fidelity, say: Words) -> str:
    bias_s = one.error.bias_s
    if bias_s is None:
        return "–"
    late = say.duration(abs(bias_s))
    return (
        say("{late} later than predicted", late=late)
        if bias_s >= 0
        else say("{late} earlier than predicted", late=late)
    )


def _span(seconds: float | None, say: Words) -> str:
    return "–" if seconds is None else say.duration(seconds)


def _oee(one: OeeError, say: Words) -> str:
    if one.bias is None or one.mae is None:
        return "–"
    sign = "+" if one.bias >= 0 else "−"
    return say(
        "{bias} on average, {mae} either way",
        bias=f"{sign}{say.percent(abs(one.bias), 1)}",
        mae=say.percent(one.mae, 1),
    )


def _drift(found: FidelityReport, say: Words) -> list[Component]:
    watched = say.plural("{n} machine and operation watched", "{n} machines and operations watched", found.charts)
    if found.charts_since is not None:
        began = say(
            "since {time}, where the history of the calibration in use ends", time=say.moment(found.charts_since)
        )
        watched = f"{watched} {began}"
    if not found.drift:
        return [html.P([html.B(say("None.")), " ", watched], className="hint")]
    return [html.P(watched, className="hint"), *(_drifted(one, say) for one in found.drift)]


def _drifted(one: MachineDrift, say: Words) -> Component:
    return html.Div(
        [
            html.B(one.machine),
            html.Span(f"{one.item}/{one.operation}"),
            html.Span(
                [icon("watch"), say(DIRECTIONS[one.direction])],
                className=f"health-badge {'watch' if one.direction is Direction.LONGER else 'good'}",
            ),
            html.Span(say("by {n} standard deviations", n=say.number(one.shift, 1))),
            html.Span(
                say("since {since}, seen {seen}", since=say.moment(one.since), seen=say.moment(one.seen_at)),
                className="quiet",
            ),
        ],
        className="row",
    )
