"""Planned stops: when a machine will be maintained, told by whoever does it, so that plans are made around it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, State, ctx, html, no_update
from dash.development.base_component import Component

from dashboard.changes import Parts, part_id
from dashboard.guard import guarded, notify, words
from dashboard.moments import moment_picker, plant_time
from dashboard.rights import permitted
from dashboard.shown.health import HealthView
from dashboard.states import icon
from dashboard.views import Views
from dashboard.words import Words
from plant.actor import Actor, Permission
from plant.plant import PlannedStop

_FORM, _MACHINE, _FROM, _UNTIL = "stop-form", "stop-machine", "stop-from", "stop-until"
_PLAN, _CALL_OFF = "stop-plan", "stop-call-off"


def section(view: HealthView, parts: Parts, actor: Actor, say: Words) -> Component:
    """Return the list of planned stops and, for whoever may plan one, its form; nothing for others without a stop."""
    machines = [{"value": one, "label": f"{one} · {name}"} for one, name in view.names.items()]
    now, here = view.clock.now, say.at(view.clock.timezone)
    form = html.Div(
        [
            dmc.Select(id=_MACHINE, label=say("Machine"), data=machines, searchable=True, size="sm"),
            moment_picker(_FROM, say("Stopped from"), now, here, size="sm"),
            moment_picker(_UNTIL, say("until"), now, here, size="sm"),
            html.Button([icon("state-planned-stop"), say("Plan stop")], id=_PLAN, className="button"),
        ],
        id=_FORM,
        className="form" if actor.may(Permission.PLAN_STOPS) else "hidden",
    )
    return html.Section(
        [
            html.H2(say("Planned stops")),
            html.Div(id=part_id("health-stops"), **parts["health-stops", ""]),
            form,
        ],
        className="panel stops",
    )


def parts_of(stops: Mapping[str, PlannedStop], actor: Actor, say: Words) -> dict[tuple[str, str], dict[str, Any]]:
    """Return what the list shows."""
    rows = [_row(machine, stop, actor, say) for machine, stop in sorted(stops.items(), key=_begin)]
    nothing = html.P(say("No machine is planned to be stopped; plans are made around stops that are told here."))
    return {("health-stops", ""): {"children": rows or [nothing]}}


def _begin(entry: tuple[str, PlannedStop]) -> tuple[datetime, str]:
    return entry[1].start, entry[0]


def _row(machine: str, stop: PlannedStop, actor: Actor, say: Words) -> Component:
    span = say("from {start} until {end}", start=say.moment(stop.start), end=say.moment(stop.end))
    return html.Div(
        [
            html.B(machine),
            html.Span(span),
            html.Button(
                [icon("cross"), say("Call off")],
                id=part_id(_CALL_OFF, machine),
                className="button plain",
                **permitted(actor, Permission.PLAN_STOPS, say),
            ),
        ],
        className="row",
    )


def register(app: Dash, views: Views) -> None:
    """Add the callbacks of the form and of the list."""

    @app.callback(
        Output(_MACHINE, "value"),
        Output(_FROM, "value"),
        Output(_UNTIL, "value"),
        Input(_PLAN, "n_clicks"),
        State(_MACHINE, "value"),
        State(_FROM, "value"),
        State(_UNTIL, "value"),
        running=[(Output(_PLAN, "disabled"), True, False)],
        prevent_initial_call=True,
    )
    @guarded
    async def plan(clicks: int | None, machine: str | None, start: str | None, end: str | None) -> Any:
        say = words().at((await views.clock()).timezone)
        if not clicks:
            return [no_update] * 3
        if not machine or not start or not end:
            notify(say("Not planned"), say("Choose a machine, and from when until when it is stopped."), "red")
            return [no_update] * 3
        await views.plan_stop(machine, plant_time(start, say), plant_time(end, say))
        notify(say("Planned"), say("Plans are made around the stop of {machine}.", machine=machine), "green")
        return [None, None, None]

    @app.callback(Input({"part": _CALL_OFF, "of": ALL}, "n_clicks"), prevent_initial_call=True)
    @guarded
    async def call_off(clicks: list[int | None]) -> None:
        button = ctx.triggered_id
        if any(clicks) and isinstance(button, dict):
            await views.call_off_stop(button["of"])
            say = words()
            notify(say("Called off"), say("Plans reckon with {machine} again.", machine=button["of"]), "green")
