"""The twin: its calibrations, compared and put in use, what was learned with it, and how right it was."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, quote

import dash_mantine_components as dmc
from dash import Dash, Input, dcc, html
from dash.development.base_component import Component

from dashboard.changes import Parts, Seen, output, part_id, seen, stores, take_updates, update
from dashboard.guard import guarded, words
from dashboard.pages import twin_changes, twin_error, twin_learned, twin_work
from dashboard.shown.twin import TwinView
from dashboard.states import icon
from dashboard.views import Topic, Views
from dashboard.words import Words, mark
from plant.actor import Actor
from plant.calibration import CalibrationSummary

PATH = "/twin"
TITLE = mark("Twin")
ICON = "twin"

_NAME = "twin"
_PLAN = "plan"
"""Stands among calibrations for the plan as it stands."""


async def content(views: Views, say: Words, query: dict[str, str]) -> Component:
    """Draw the page, with the calibration the address names or else the newest."""
    parts = await _parts(views, say, query.get("calibration"), None)
    return html.Div(
        [
            *stores(_NAME, parts),
            await twin_work.toolbar(views, say),
            _part(parts, "none", children=_nothing_yet(say)),
            _part(parts, "shown", children=_shown(parts, say)),
            await twin_learned.section(views, say),
            _part(parts, "error-none", children=twin_error.nothing_yet(say)),
            _part(parts, "error", children=_error(parts, say)),
            twin_changes.dialog(say),
        ],
        className="twin",
    )


def _nothing_yet(say: Words) -> list[Component]:
    return [
        icon("twin"),
        html.H2(say("Nothing has been calibrated yet")),
        html.P(
            say(
                "The twin believes the plan as it stands. A calibration says what history shows: how long operations "
                "and changeovers really take, how often machines fail, and how sure that is. One is made every night."
            )
        ),
    ]


def _shown(parts: Parts, say: Words) -> list[Component]:
    base = _part(
        parts, "base", dmc.Select, allowDeselect=False, size="xs", className="base", label=say("Compared with")
    )
    versions = html.Div([html.H2(say("Calibrations")), twin_changes.roll_back_button(parts, say)], className="bar-top")
    return [
        html.Section([versions, _part(parts, "versions", className="versions")], className="panel"),
        html.Section(
            [
                html.Div([_part(parts, "title"), twin_changes.adopt_button(parts, say), base], className="bar-top"),
                _part(parts, "facts", className="facts"),
                _part(parts, "differences", twin_changes.grid, say=say),
            ],
            className="panel detail",
        ),
    ]


def _error(parts: Parts, say: Words) -> list[Component]:
    return [
        html.Section(
            [
                html.Div([_part(parts, "measured"), twin_work.measure_button(parts, say)], className="bar-top"),
                _part(parts, "figures", className="figures-table"),
            ],
            className="panel",
        ),
        html.Section(
            [
                html.H2(say("Where in their predicted distribution completions fell")),
                twin_error.graph(parts, say),
                html.P(
                    say(
                        "Level bars: the twin is right. High at both ends: it is too sure. High on the right: things "
                        "take longer than it says."
                    ),
                    className="hint",
                ),
            ],
            className="panel",
        ),
        html.Section(
            [html.H2(say("Cycle times that have drifted")), _part(parts, "drift", className="drift")],
            className="panel wide",
        ),
    ]


def _part(parts: Parts, name: str, kind: Any = html.Div, **props: Any) -> Component:
    drawn: Component = kind(id=part_id(f"twin-{name}"), **{**props, **parts[f"twin-{name}", ""]})
    return drawn


def register(app: Dash, views: Views) -> None:
    """Add the callback that follows the twin and what is chosen, and those of its buttons."""

    @app.callback(
        output(_NAME),
        Input(f"live-{Topic.TWIN}", "data"),
        Input("url", "search"),
        Input(part_id("twin-base"), "value"),
        seen(_NAME),
        prevent_initial_call=True,
    )
    @guarded
    async def follow(_told: Any, search: str | None, base: str | None, seen: Seen | None) -> Any:
        query = dict(parse_qsl((search or "").lstrip("?")))
        return update(await _parts(views, words(), query.get("calibration"), base), seen)

    take_updates(app, _NAME, Topic.TWIN)
    twin_work.register(app, views)
    twin_changes.register(app, views)
    twin_learned.register(app, views)


async def _parts(views: Views, say: Words, wanted: str | None, base: str | None) -> Parts:
    """Return all that is shown.

    Parameters
    ----------
    wanted, base
        The calibration that is looked at and what it is compared with; None: the newest, with what is in use.
    """
    view, actor = await views.twin(), await views.me()
    say = say.at(view.clock.timezone)
    made = view.calibrations
    chosen = next((one for one in made if one.id == wanted), made[0] if made else None)
    return {
        **await _version_parts(views, view, chosen, base, actor, say),
        **twin_error.parts(view.fidelity, actor, say),
        **twin_learned.parts(view.learned, actor, say),
    }


async def _version_parts(
    views: Views, view: TwinView, chosen: CalibrationSummary | None, base: str | None, actor: Actor, say: Words
) -> Parts:
    made = view.calibrations
    used = next((one.id for one in made if one.adopted), None)
    others = [one for one in made if one is not chosen]
    if base not in {_PLAN, *(one.id for one in others)}:
        base = next((one.id for one in others if one.adopted), _PLAN)
    before = None if base == _PLAN else base
    found = await views.differences(before, chosen.id) if chosen else ()
    return {
        ("twin-none", ""): {"className": "hidden" if made else "panel empty"},
        ("twin-shown", ""): {"className": "calibrations" if made else "hidden"},
        ("twin-versions", ""): {"children": _versions(made, chosen, used, say)},
        ("twin-roll-back", ""): twin_changes.roll_back(used, actor, say),
        ("twin-title", ""): {"children": _title(chosen, say) if chosen else None},
        ("twin-adopt", ""): twin_changes.adopt(chosen, actor, say),
        ("twin-base", ""): {"data": _bases(others, say), "value": base},
        ("twin-facts", ""): {"children": _facts(chosen, len(found), sum(one.apart for one in found), say)},
        ("twin-differences", ""): {"rowData": twin_changes.rows(found, say)},
    }


def _versions(
    made: Sequence[CalibrationSummary], chosen: CalibrationSummary | None, used: str | None, say: Words
) -> list[Component]:
    """Return a row per calibration, and before the first was adopted one that says so."""
    plain = [html.P(say("None is in use: the twin believes the plan as it stands."), className="hint")]
    return [*([] if used else plain), *(_version(one, one is chosen, say) for one in made)]


def _version(one: CalibrationSummary, chosen: bool, say: Words) -> Component:
    badge = html.Span([icon("check"), say("in use")], className="health-badge good") if one.adopted else None
    days = say.plural("{n} day", "{n} days", max(round((one.until - one.since) / timedelta(days=1)), 1))
    return dcc.Link(
        [
            html.Span([html.B(one.id), html.Span(days)], className="name"),
            html.Span(say("history up to {time}", time=say.moment(one.until)), className="quiet"),
            *([badge] if badge else []),
        ],
        href=f"{PATH}?calibration={quote(one.id)}",
        className="row chosen" if chosen else "row",
    )


def _title(one: CalibrationSummary, say: Words) -> list[Component]:
    return [html.H2(one.id), *([html.Span(say("in use"), className="health-badge good")] if one.adopted else [])]


def _bases(others: Sequence[CalibrationSummary], say: Words) -> list[dict[str, str]]:
    used = say("in use")
    calibrations = [{"value": one.id, "label": f"{one.id} · {used}" if one.adopted else one.id} for one in others]
    return [{"value": _PLAN, "label": say("the plan as it stands")}, *calibrations]


def _facts(one: CalibrationSummary | None, changed: int, apart: int, say: Words) -> list[Component] | None:
    if one is None:
        return None
    shown = [
        (say("History"), f"{say.moment(one.since)} – {say.moment(one.until)}"),
        (say("Estimates"), say.number(one.estimates)),
        (say("Differ"), say.number(changed)),
        (say("Differ for certain"), say.number(apart)),
    ]
    return [html.Div([html.Span(name), html.B(text, title=text)]) for name, text in shown]
