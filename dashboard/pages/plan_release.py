"""Release of a plan: the gate's answer, and going on in spite of it with a written reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, html, no_update, set_props
from dash.development.base_component import Component

from dashboard.changes import part_id
from dashboard.guard import guarded, notify, words
from dashboard.shown.plan import PlanView
from dashboard.states import icon
from dashboard.views import Views
from dashboard.words import Words
from plant.actor import Permission
from plant.errors import GateRefused, InvalidInput
from plant.text import Text
from plant.verdict import Remedy

SHORTEST_REASON = 10
"""Characters a reason for an override must have at least; the page says so before the use case has to."""

_DIALOG = "plan-refusal"
_REASON = "plan-override-reason"
_OVERRIDE = "plan-override"


def gate_panel(view: PlanView, say: Words) -> dict[str, Any]:
    """Return what the gate said of a plan."""
    passed = view.judgement.passed
    released = []
    if view.released_by:
        text = say("Released by {name}", name=view.released_by)
        released = [html.P([html.B(text), *([f": {view.override_reason}"] if view.override_reason else [])])]
    return {
        "className": f"panel gate {'passed' if passed else 'refused'}",
        "children": [
            html.H3([icon("check" if passed else "cross"), _head(view, say)]),
            _list(view.judgement.reasons, "reasons", say),
            *_remedies(view.judgement.remedies, say),
            _list(view.judgement.notes, "notes", say),
            *released,
        ],
    }


def _head(view: PlanView, say: Words) -> str:
    """Return the gate's answer: of a plan that is out already, what it said then."""
    if view.released_by:
        return say("The gate let this plan out") if view.judgement.passed else say("The gate refused this plan")
    return say("The gate would let this plan out") if view.judgement.passed else say("The gate refuses this plan")


def _remedies(remedies: Sequence[Remedy], say: Words) -> list[Component]:
    """Return what would let refused orders pass; those of one order stand together, the cheapest first."""
    if not remedies:
        return []
    lines = [
        say(
            "{order}: {what} – cost {cost}, on time {share}",
            order=one.order,
            what=say.tell(one.what),
            cost=say.number(one.cost),
            share=say.percent(one.on_time),
        )
        for one in remedies
    ]
    return [html.P(html.B(say("What would help, rehearsed"))), _list(lines, "remedies", say)]


def _list(sentences: Sequence[Text], kind: str, say: Words) -> Component:
    return html.Ul([html.Li(say.tell(sentence)) for sentence in sentences], className=kind)


def refusal_dialog(say: Words) -> Component:
    """Return the dialog that opens when the gate refuses."""
    return dmc.Modal(
        [
            html.Div(id="plan-refusal-reasons"),
            html.Div(
                [
                    dmc.Textarea(
                        id=_REASON,
                        label=say("Release in spite of it, because"),
                        description=say(
                            "Kept in the ledger with your name. At least {n} characters.", n=SHORTEST_REASON
                        ),
                        minRows=3,
                        autosize=True,
                    ),
                    html.Button(say("Release anyway"), id=_OVERRIDE, className="button danger", disabled=True),
                ],
                id="plan-override-form",
                className="hidden",
            ),
        ],
        id=_DIALOG,
        title=say("The gate refuses this plan"),
        size="lg",
        centered=True,
        closeButtonProps={"aria-label": say("Close")},
    )


def register(app: Dash, views: Views) -> None:
    """Add the callbacks of the release button and of the dialog."""
    app.clientside_callback(
        ClientsideFunction("forerun", "tooShort"),
        Output(_OVERRIDE, "disabled"),
        Input(_REASON, "value"),
    )

    @app.callback(
        Output(_DIALOG, "opened"),
        Input(part_id("plan-release"), "n_clicks"),
        State(part_id("plan-choice"), "value"),
        prevent_initial_call=True,
    )
    @guarded
    async def release(clicks: int | None, plan_id: str | None) -> Any:
        if not clicks or not plan_id:
            return no_update
        say = words()
        try:
            await views.release(plan_id)
        except GateRefused as refusal:
            await _explain(views, refusal, say)
            return True
        _tell_released(say)
        return False

    @app.callback(
        Output(_DIALOG, "opened", allow_duplicate=True),
        Input(_OVERRIDE, "n_clicks"),
        State(_REASON, "value"),
        State(part_id("plan-choice"), "value"),
        prevent_initial_call=True,
    )
    @guarded
    async def override(clicks: int | None, reason: str | None, plan_id: str | None) -> Any:
        if not clicks or not plan_id:
            return no_update
        say = words()
        written = (reason or "").strip()
        if len(written) < SHORTEST_REASON:
            raise InvalidInput(say("Write at least {n} characters on why it is released.", n=SHORTEST_REASON))
        await views.release(plan_id, written)
        _tell_released(say)
        return False


async def _explain(views: Views, refusal: GateRefused, say: Words) -> None:
    may_override = (await views.me()).may(Permission.OVERRIDE_GATE)
    set_props("plan-refusal-reasons", {"children": _list(refusal.reasons, "reasons", say)})
    set_props("plan-override-form", {"className": "override" if may_override else "hidden"})
    set_props(_REASON, {"value": ""})


def _tell_released(say: Words) -> None:
    notify(say("Released"), say("The job orders of this plan go to the floor now."), "green")
