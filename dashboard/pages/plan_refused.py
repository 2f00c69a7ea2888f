"""What the MES refused for good: which job order, why, to send it again; and how many, beside the page's name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import ALL, Dash, Input, Output, ctx, html
from dash.development.base_component import Component

from dashboard.changes import Parts, Seen, output, part_id, seen, stores, take_updates, update
from dashboard.guard import guarded, notify, words
from dashboard.rights import permitted
from dashboard.states import icon
from dashboard.views import Topic, Views
from dashboard.words import Words
from plant.actor import Actor, Permission
from plant.message import RefusedMessage

_NAME = "plan-refused"
_BADGE = part_id("badge", "plan")
_SEND = "plan-send-again"


async def section(views: Views, say: Words) -> Component:
    """Return the section, hidden while nothing is refused."""
    parts = await _parts(views, say)
    shown = html.Section(id=part_id(_NAME), **parts[_NAME, ""])
    return html.Div([*stores(_NAME, parts), shown], className="refused-place")


def register(app: Dash, views: Views) -> None:
    """Add the callbacks that follow what is refused, count it and send it again."""

    @app.callback(output(_NAME), Input(f"live-{Topic.MESSAGES}", "data"), seen(_NAME), prevent_initial_call=True)
    @guarded
    async def follow(_told: Any, seen: Seen | None) -> Any:
        return update(await _parts(views, words()), seen)

    @app.callback(Output(_BADGE, "children"), Input(f"live-{Topic.MESSAGES}", "data"))
    @guarded
    async def count(_told: Any) -> Any:
        refused = await _refused(views, await views.me())
        return words().number(len(refused)) if refused else ""

    @app.callback(Input({"part": _SEND, "of": ALL}, "n_clicks"), prevent_initial_call=True)
    @guarded
    async def send(clicks: list[int | None]) -> None:
        button = ctx.triggered_id
        if any(clicks) and isinstance(button, dict):
            await views.send_again(button["of"])
            say = words()
            notify(say("Sent again"), say("If the MES refuses it once more, it comes back here."), "green")

    take_updates(app, _NAME, Topic.MESSAGES)


async def _refused(views: Views, actor: Actor) -> Sequence[RefusedMessage]:
    """Return what is refused; nothing to who may see plans, but no orders."""
    return await views.refused_messages() if actor.may(Permission.VIEW_ORDERS) else ()


async def _parts(views: Views, say: Words) -> Parts:
    actor = await views.me()
    refused = await _refused(views, actor)
    if not refused:
        return {(_NAME, ""): {"className": "hidden", "children": None}}
    title = say.plural("The MES refused {n} job order", "The MES refused {n} job orders", len(refused))
    rows = [_row(message, actor, say) for message in refused]
    return {(_NAME, ""): {"className": "panel refused-messages", "children": [html.H2([icon("cross"), title]), *rows]}}


def _row(message: RefusedMessage, actor: Actor, say: Words) -> Component:
    job = message.subject.partition("/")[2]
    return html.Div(
        [
            html.B(job),
            html.Span(str(message.payload.get("machine", "")), className="quiet"),
            html.Span(message.reason, className="reason"),
            html.Button(
                [icon("send"), say("Send again")],
                id=part_id(_SEND, message.id),
                className="button plain",
                **permitted(actor, Permission.RELEASE_PLANS, say),
            ),
        ],
        className="row",
    )
