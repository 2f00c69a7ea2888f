"""Why not by then? What stands in the way of having entered orders done in time; on the page Promise."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, html, no_update
from dash.development.base_component import Component

from dashboard.guard import guarded, words
from dashboard.moments import moment_picker, plant_time
from dashboard.rights import permitted
from dashboard.states import icon
from dashboard.views import Views
from dashboard.words import Words
from plant.actor import Actor, Permission
from plant.errors import InvalidInput
from plant.order import CustomerOrder
from plant.text import Text

_ORDERS, _BY, _ASK, _ANSWER = "why-orders", "why-by", "why-ask", "why-answer"


async def content(views: Views, say: Words) -> list[Component]:
    """Return the form and the place for the answer."""
    actor, clock = await views.me(), await views.clock()
    open_orders = await views.open_orders() if actor.may(Permission.VIEW_ORDERS) else ()
    form = _form(open_orders, clock.now, actor, say.at(clock.timezone))
    return [
        html.Section([html.H2(say("Why not by then?")), form], className="panel ask"),
        html.Div(id=_ANSWER, **{"aria-live": "polite"}),
    ]


def _form(orders: Sequence[CustomerOrder], now: datetime, actor: Actor, say: Words) -> Component:
    choices = [
        {
            "value": one.id,
            "label": say("{order} · {item} · due {due}", order=one.id, item=one.item, due=say.moment(one.due_at)),
        }
        for one in orders
    ]
    return html.Div(
        [
            dmc.MultiSelect(
                id=_ORDERS,
                data=choices,
                label=say("Entered orders"),
                description=say("Several: to be in time together"),
                searchable=True,
                clearable=True,
            ),
            moment_picker(
                _BY, say("All done by"), now, say, description=say("Left open: each by its due date"), clearable=True
            ),
            html.Button(
                [icon("promise"), say("Ask")],
                id=_ASK,
                className="button",
                **permitted(actor, Permission.MAKE_PLANS, say),
            ),
        ],
        className="form",
    )


def register(app: Dash, views: Views) -> None:
    """Add the callback that asks."""

    @app.callback(
        Output(_ANSWER, "children"),
        Input(_ASK, "n_clicks"),
        State(_ORDERS, "value"),
        State(_BY, "value"),
        running=[(Output(_ASK, "disabled"), True, False)],
        prevent_initial_call=True,
    )
    @guarded
    async def ask(clicks: int | None, orders: list[str] | None, by: str | None) -> Any:
        if not clicks:
            return no_update
        say = words().at((await views.clock()).timezone)
        if not orders:
            raise InvalidInput(say("Choose one order or more."))
        return answer(await views.why_not(orders, plant_time(by, say) if by else None), say)


def answer(conflict: Sequence[Text], say: Words) -> Component:
    """Return the requirements that cannot be met together, or that there are none."""
    if not conflict:
        text = say(
            "Nothing forbids it: a plan may have all of them done in time. If they are late in the plan in force, "
            "others come before them, or something is likely to go wrong; see the page Plan."
        )
        return html.Section(html.P(text), className="panel gate passed")
    head = html.H3(
        [icon("cross"), say("All of this at once is impossible; without any one of it, it would be possible")]
    )
    lines = html.Ul([html.Li(say.tell(one)) for one in conflict], className="reasons")
    return html.Section([head, lines], className="panel gate refused")
