"""What a calibration changes: the table of differences, adopting it and going back, each after a second look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from dashboard import estimates
from dashboard.changes import Parts, part_id
from dashboard.guard import guarded, notify, words
from dashboard.rights import permitted
from dashboard.states import icon
from dashboard.views import Views
from dashboard.words import Words
from plant.actor import Actor, Permission
from plant.calibration import CalibrationSummary, Difference

_ADOPT, _ROLL_BACK = part_id("twin-adopt"), part_id("twin-roll-back")
_DIALOG, _ASKED, _QUESTION, _YES, _NO = (f"twin-{name}" for name in ("dialog", "asked", "question", "yes", "no"))


def adopt_button(parts: Parts, say: Words) -> Component:
    """Return the button that adopts the calibration that is looked at."""
    return html.Button([icon("check"), say("Adopt")], id=_ADOPT, **parts["twin-adopt", ""])


def roll_back_button(parts: Parts, say: Words) -> Component:
    """Return the button that goes back to what was in use before."""
    return html.Button([icon("back"), say("Roll back")], id=_ROLL_BACK, **parts["twin-roll-back", ""])


def adopt(one: CalibrationSummary | None, actor: Actor, say: Words) -> dict[str, Any]:
    """Return how the button to adopt a calibration stands; its value names the calibration."""
    return {
        "value": one.id if one else "",
        "className": "button release",
        **permitted(actor, Permission.CALIBRATE_TWIN, say, shut=one is None or one.adopted),
    }


def roll_back(used: str | None, actor: Actor, say: Words) -> dict[str, Any]:
    """Return how the button to go back stands; its value names the calibration in use."""
    return {
        "value": used or "",
        "className": "button plain",
        **permitted(actor, Permission.CALIBRATE_TWIN, say, shut=used is None),
    }


def dialog(say: Words) -> Component:
    """Return the dialog that asks once more."""
    return dmc.Modal(
        [
            dcc.Store(id=_ASKED),
            html.P(id=_QUESTION),
            html.Div(
                [
                    html.Button(say("Cancel"), id=_NO, className="button plain"),
                    html.Button(say("Yes"), id=_YES, className="button"),
                ],
                className="answers",
            ),
        ],
        id=_DIALOG,
        title=say("Change what the twin believes"),
        centered=True,
        closeButtonProps={"aria-label": say("Close")},
    )


def register(app: Dash, views: Views) -> None:
    """Add the callbacks of both buttons and of the dialog."""

    @app.callback(
        Output(_DIALOG, "opened"),
        Output(_ASKED, "data"),
        Output(_QUESTION, "children"),
        Input(_ADOPT, "n_clicks"),
        Input(_ROLL_BACK, "n_clicks"),
        State(_ADOPT, "value"),
        State(_ROLL_BACK, "value"),
        prevent_initial_call=True,
    )
    @guarded
    async def ask(adopting: int | None, going_back: int | None, chosen: str | None, used: str | None) -> Any:
        await views.me()
        say = words()
        if ctx.triggered_id == _ADOPT and adopting and chosen:
            question = say(
                "From the next plan on the twin uses {calibration}; drift is watched from where its history ends.",
                calibration=chosen,
            )
            return [True, chosen, question]
        if ctx.triggered_id == _ROLL_BACK and going_back:
            question = say("From the next plan on the twin uses what it used before {calibration}.", calibration=used)
            return [True, "", question]
        return [no_update, no_update, no_update]

    @app.callback(
        Output(_DIALOG, "opened", allow_duplicate=True),
        Input(_YES, "n_clicks"),
        Input(_NO, "n_clicks"),
        State(_ASKED, "data"),
        prevent_initial_call=True,
    )
    @guarded
    async def answer(yes: int | None, no: int | None, asked: str | None) -> Any:
        await views.me()
        if ctx.triggered_id == _YES and yes:
            await _do(views, asked or "", words())
        return False


async def _do(views: Views, calibration: str, say: Words) -> None:
    """Adopt a calibration, or go back where none is named."""
    if calibration:
        await views.adopt(calibration)
    else:
        calibration = await views.roll_back() or ""
    if calibration:
        notify(say("Changed"), say("The twin uses {calibration} now.", calibration=calibration), "green")
    else:
        notify(say("Changed"), say("The twin believes the plan as it stands again."), "green")


def rows(found: Sequence[Difference], say: Words) -> list[dict[str, Any]]:
    """Return a row per difference, in the order in which they matter."""
    return [
        {
            "key": f"{one.parameter} {one.machine} {one.subject}",
            "machine": one.machine or say("all"),
            "subject": estimates.subject(one, say),
            "what": say(estimates.NAMES[one.parameter]),
            "before": estimates.value(one.parameter, one.before, say),
            "after": estimates.value(one.parameter, one.after, say),
            "interval": estimates.interval(one, say),
            "planned": estimates.value(one.parameter, one.planned, say),
            "data": estimates.data(one, say),
            "apart": one.apart,
        }
        for one in found
    ]


def grid(*, id: Any, say: Words, rowData: list[dict[str, Any]]) -> Component:
    """Return the table of differences."""

    def column(field: str, title: str, width: int, **more: Any) -> dict[str, Any]:
        return {"field": field, "headerName": title, "width": width, "tooltipField": field, **more}

    right: dict[str, Any] = {"type": "rightAligned", "sortable": False}
    sure = say("Red where the intervals of both lie apart")
    return dag.AgGrid(
        id=id,
        rowData=rowData,
        columnDefs=[
            column("machine", say("Machine"), 84, cellClass="strong"),
            column("subject", say("For"), 110, flex=3, minWidth=90),
            column("what", say("What"), 130, flex=4, minWidth=120),
            column("before", say("Before"), 90, **right),
            column(
                "after",
                say("Calibrated"),
                96,
                headerTooltip=sure,
                cellClassRules={"late": "params.data.apart"},
                **right,
            ),
            column("interval", say("90% interval"), 148, **right),
            column("planned", say("Planned"), 86, **right),
            column("data", say("Observations"), 116, **right),
        ],
        defaultColDef={"sortable": True, "resizable": True, "suppressHeaderMenuButton": True, "suppressMovable": True},
        dashGridOptions={
            "rowHeight": 30,
            "headerHeight": 34,
            "animateRows": False,
            "suppressCellFocus": True,
            "enableCellTextSelection": True,
            "localeText": {"noRowsToShow": say("Nothing differs.")},
        },
        getRowId="params.data.key",
        className="verdicts",
        style={"height": 400, "width": "100%"},
    )
