"""Equipment health: every machine's index, worst first, and the signals of the one that is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, quote

import dash_mantine_components as dmc
from dash import Dash, Input, dcc, html
from dash.development.base_component import Component

from dashboard.changes import Parts, Seen, output, part_id, seen, stores, take_updates, update
from dashboard.figures import look
from dashboard.figures.signals import label, signals, unit
from dashboard.guard import guarded, words
from dashboard.pages import health_stops
from dashboard.shown.health import HealthView, MachineHealth, SignalsView
from dashboard.states import icon
from dashboard.views import Topic, Views
from dashboard.words import Words, mark
from operations.health import Contribution
from twin.health import HealthState

PATH = "/health"
TITLE = mark("Health")
ICON = "health"

_NAME = "health"
_HOURS = "health-hours"
_SPANS = (8, 24, 168)

STATES = {
    HealthState.ACT: (mark("Act"), "state-breakdown"),
    HealthState.WATCH: (mark("Watch"), "watch"),
    HealthState.GOOD: (mark("Good"), "check"),
    HealthState.UNKNOWN: (mark("Unknown"), "state-unknown"),
}
_ORDER = list(STATES)


async def content(views: Views, say: Words, query: dict[str, str]) -> Component:
    """Draw the page, with the machine the address names or else the worst one."""
    parts = await _parts(views, say, query.get("machine"), _SPANS[0])
    view = await views.health()
    return html.Div(
        [
            *stores(_NAME, parts),
            _part(parts, "none", children=_nothing_yet(say)),
            _part(parts, "shown", children=_shown(parts, say)),
            health_stops.section(view, parts, await views.me(), say.at(view.clock.timezone)),
        ],
    )


def _nothing_yet(say: Words) -> list[Component]:
    """Return what stands in the place of machines before any has given condition signals."""
    return [
        icon("health"),
        html.H2(say("No machine has given condition signals yet")),
        html.P(
            say(
                "As soon as machines send temperature, vibration or power, their health is told here, and what takes "
                "points off it."
            )
        ),
    ]


def _shown(parts: Parts, say: Words) -> list[Component]:
    """Return the list of machines and the one that is looked at."""
    return [
        html.Section(
            [html.H2(say("Machines, worst first")), _part(parts, "list", className="machines")], className="panel"
        ),
        html.Section(
            [
                html.Div([_part(parts, "title"), _spans(say)], className="bar-top"),
                _part(parts, "why", className="why"),
                _part(parts, "graph", dcc.Graph, config=look.config(say), className="signals"),
            ],
            className="panel detail",
        ),
    ]


def register(app: Dash, views: Views) -> None:
    """Add the callback that follows health, the chosen machine and the chosen span."""

    @app.callback(
        output(_NAME),
        Input(f"live-{Topic.HEALTH}", "data"),
        Input("url", "search"),
        Input(_HOURS, "value"),
        seen(_NAME),
        prevent_initial_call=True,
    )
    @guarded
    async def follow(_told: Any, search: str | None, hours: str | None, seen: Seen | None) -> Any:
        query = dict(parse_qsl((search or "").lstrip("?")))
        span = next((span for span in _SPANS if str(span) == hours), _SPANS[0])
        parts = await _parts(views, words(), query.get("machine"), span)
        return update(parts, seen)

    take_updates(app, _NAME, Topic.HEALTH)
    health_stops.register(app, views)


async def _parts(views: Views, say: Words, machine: str | None, hours: float) -> Parts:
    view = await views.health()
    say = say.at(view.clock.timezone)
    ranked = worst_first(view.machines)
    chosen = next((one for one in ranked if one.machine == machine), ranked[0] if ranked else None)
    stops = health_stops.parts_of(view.stops, await views.me(), say)
    if chosen is None:
        return {**_nothing(), **stops}
    return {
        **stops,
        ("health-none", ""): {"className": "hidden"},
        ("health-shown", ""): {"className": "health"},
        ("health-list", ""): {"children": [_row(one, one is chosen, say) for one in ranked]},
        ("health-title", ""): {"children": _title(chosen, view, say)},
        ("health-why", ""): {"children": _why(chosen.contributions, say)},
        ("health-graph", ""): {"figure": _figure(await views.signals(chosen.machine, hours), say, hours)},
    }


def _nothing() -> Parts:
    return {
        ("health-none", ""): {"className": "panel empty"},
        ("health-shown", ""): {"className": "hidden"},
        ("health-list", ""): {"children": None},
        ("health-title", ""): {"children": None},
        ("health-why", ""): {"children": None},
        ("health-graph", ""): {"figure": {"layout": look.layout(key="none", height=200)}},
    }


def _figure(view: SignalsView, say: Words, hours: float) -> dict[str, Any]:
    drawn: dict[str, Any] = signals(view, say, hours=hours).to_plotly_json()
    return drawn


def worst_first(machines: Sequence[MachineHealth]) -> list[MachineHealth]:
    """Sort by what has to be done, then by index as it is shown, then by id: equals do not change places."""
    return sorted(
        machines,
        key=lambda one: (_ORDER.index(one.state), round(100 if one.index is None else one.index * 100), one.machine),
    )


def _part(parts: Parts, name: str, kind: Any = html.Div, **props: Any) -> Component:
    return kind(id=part_id(f"health-{name}"), **{**props, **parts[f"health-{name}", ""]})


def _badge(state: HealthState, say: Words) -> Component:
    text, shape = STATES[state]
    return html.Span([icon(shape), say(text)], className=f"health-badge {state}")


def _row(one: MachineHealth, chosen: bool, say: Words) -> Component:
    width = "0%" if one.index is None else f"{one.index:.0%}"
    return dcc.Link(
        [
            html.Span([html.B(one.machine), html.Span(one.name)], className="name"),
            html.Span(html.Span(style={"width": width}), className=f"index {one.state}"),
            html.B("–" if one.index is None else say.number(one.index * 100), className="value"),
            _badge(one.state, say),
        ],
        href=f"{PATH}?machine={quote(one.machine)}",
        className="row chosen" if chosen else "row",
    )


def _title(one: MachineHealth, view: HealthView, say: Words) -> list[Component]:
    index = "–" if one.index is None else say.number(one.index * 100)
    at = html.Span(say("as of {time}", time=say.moment(one.at)), className="quiet") if one.at else None
    return [
        html.H2([one.machine, html.Span(one.name)]),
        html.Span([say("Health index"), html.B(index)], className="figure"),
        _badge(one.state, say),
        *([at] if at else []),
    ]


def _why(contributions: Sequence[Contribution], say: Words) -> list[Component]:
    """Bars of what each signal takes off the index."""
    ranked = sorted(contributions, key=lambda one: -one.share)
    return [
        html.Div(
            [
                html.Span(label(one.signal, say)),
                html.Span(html.Span(style={"width": f"{min(one.share, 1.0):.0%}"}), className="index taken"),
                html.Span("–" if one.value is None else f"{say.number(one.value, 1)} {unit(one.signal)}"),
            ],
            title=say("takes {points} points off the index", points=say.number(one.share * 100)),
        )
        for one in ranked
    ]


def _spans(say: Words) -> Component:
    def shown(hours: int) -> str:
        return say("{d} days", d=hours // 24) if hours > 24 else say("{h} h", h=hours)

    data = [{"value": str(hours), "label": shown(hours)} for hours in _SPANS]
    return dmc.SegmentedControl(id=_HOURS, data=data, value=str(_SPANS[0]), size="xs")
