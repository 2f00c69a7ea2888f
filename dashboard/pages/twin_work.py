"""Work that is asked for on the twin's page: a calibration now, with its progress, and a measurement of the error."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, dcc, html, no_update, set_props
from dash.development.base_component import Component

from dashboard.changes import Parts, part_id, stores
from dashboard.guard import guarded, notify, words
from dashboard.long_jobs import follow, going_on, progress
from dashboard.rights import permitted
from dashboard.states import icon
from dashboard.views import Views
from dashboard.words import Words
from plant.actor import Permission
from plant.long_job import LongJob, LongJobKind, LongJobState

_NAME = "twin-jobs"
_DAYS = "twin-days"
_AWAITED = "twin-awaited"
_KNOWN_DAYS = 30


async def toolbar(views: Views, say: Words) -> Component:
    """Return the line above: how much history, the button, and how far a calibration is."""
    parts = await _parts(views, say)
    days = dmc.NumberInput(
        id=_DAYS,
        value=_KNOWN_DAYS,
        min=1,
        max=3650,
        size="sm",
        suffix=say(" days"),
        className="days",
        **{"aria-label": say("Days of history")},
    )
    return html.Div(
        [
            *stores(_NAME, parts),
            dcc.Store(id=_AWAITED),
            _part(parts, "running", dcc.Store),
            html.Span(say("From the history of the last"), className="quiet"),
            days,
            _part(parts, "make", html.Button, children=[icon("new-plan"), say("Calibrate now")], className="button"),
            html.Div(className="spring"),
            _part(parts, "job", className="long-job", **{"aria-live": "polite"}),
            _part(parts, "cancel", html.Button, children=[icon("cross"), say("Cancel")]),
        ],
        className="toolbar",
    )


def measure_button(parts: Parts, say: Words) -> Component:
    """Return the button that measures the twin's error now."""
    return html.Button(
        [icon("watch"), say("Measure now")],
        id=part_id("twin-measure"),
        className="button plain",
        **parts["twin-measure", ""],
    )


def _part(parts: Parts, name: str, kind: Any = html.Div, **props: Any) -> Component:
    drawn: Component = kind(id=part_id(f"twin-{name}"), **{**props, **parts[f"twin-{name}", ""]})
    return drawn


def register(app: Dash, views: Views) -> None:
    """Add the callbacks that ask for work, follow and cancel it."""

    async def parts(say: Words) -> Parts:
        return await _parts(views, say)

    follow(app, views, _NAME, LongJobKind.CALIBRATION, _AWAITED, parts, _tell)

    @app.callback(
        Output(_AWAITED, "data"),
        Input(part_id("twin-make"), "n_clicks"),
        State(_DAYS, "value"),
        prevent_initial_call=True,
    )
    @guarded
    async def make(clicks: int | None, days: float | str | None) -> Any:
        if not clicks:
            return no_update
        job = await views.request_calibration(_number(days))
        set_props(part_id("twin-make"), {"disabled": True})
        return job

    @app.callback(
        Input(part_id("twin-cancel"), "n_clicks"),
        State(part_id("twin-running"), "data"),
        prevent_initial_call=True,
    )
    @guarded
    async def cancel(clicks: int | None, job_id: str | None) -> None:
        if clicks and job_id:
            await views.cancel(job_id)

    @app.callback(Input(part_id("twin-measure"), "n_clicks"), prevent_initial_call=True)
    @guarded
    async def measure(clicks: int | None) -> None:
        if clicks:
            await views.measure_twin()
            say = words()
            notify(say("Measured"), say("The figures are those of now."), "green")


def _number(days: float | str | None) -> float:
    """Return the days that were typed; none at all are refused by the use case with what is allowed."""
    return float(days) if isinstance(days, int | float) else 0.0


async def _tell(job: LongJob, say: Words) -> None:
    """Tell whoever asked for a calibration what became of it."""
    if job.state is LongJobState.DONE:
        told = say("{calibration} is made. It is not used before it is adopted.", calibration=job.result)
        notify(say("Calibrated"), told, "green")
    elif job.state is LongJobState.CANCELLED:
        notify(say("No calibration was made"), say("It was cancelled."), "gray")
    else:
        notify(say("No calibration was made"), say.tell(job.error), "red", stays=True)


async def _parts(views: Views, say: Words) -> Parts:
    job = going_on(await views.long_jobs(LongJobKind.CALIBRATION))
    actor = await views.me()
    return {
        ("twin-running", ""): {"data": job.id if job else None},
        ("twin-job", ""): {"children": progress(job, say) if job else None},
        ("twin-cancel", ""): {"className": "button plain" if job and actor.may(Permission.MAKE_PLANS) else "hidden"},
        ("twin-make", ""): permitted(actor, Permission.CALIBRATE_TWIN, say, shut=job is not None),
    }
