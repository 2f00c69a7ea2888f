"""When could we deliver? Dates for an order that nobody has entered yet, with what they hang on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, html, no_update
from dash.development.base_component import Component

from dashboard.guard import guarded, words
from dashboard.moments import moment_picker, plant_time
from dashboard.pages import why_not
from dashboard.shown.promise import PromiseOffer, PromiseQuestion, PromiseView
from dashboard.states import icon
from dashboard.views import Views
from dashboard.words import Words, mark
from plant.errors import InvalidInput
from plant.text import Text

PATH = "/promise"
TITLE = mark("Promise")
ICON = "promise"

_ITEM, _QUANTITY, _DUE = "promise-item", "promise-quantity", "promise-due"
_HIGH, _REPLAN, _ASK = "promise-high", "promise-replan", "promise-ask"
_ANSWER = "promise-answer"


async def content(views: Views, say: Words, query: dict[str, str]) -> Component:
    """Draw the form; the answer comes below it."""
    items, clock = await views.items(), await views.clock()
    form = _form(items, clock.now, say.at(clock.timezone))
    return html.Div(
        [
            html.Section([html.H2(say("When could we deliver?")), form], className="panel ask"),
            html.Div(id=_ANSWER, **{"aria-live": "polite"}),
            *await why_not.content(views, say),
        ],
        className="promise",
    )


def _form(items: dict[str, str], now: datetime, say: Words) -> Component:
    choices = [{"value": item, "label": f"{item} · {name}"} for item, name in items.items()]
    return html.Div(
        [
            dmc.Select(id=_ITEM, data=choices, label=say("Item"), searchable=True),
            dmc.NumberInput(id=_QUANTITY, value=1, min=1, allowDecimal=False, label=say("Pieces")),
            moment_picker(_DUE, say("Wished for (may be left open)"), now, say, clearable=True),
            dmc.Switch(id=_HIGH, label=say("High priority"), checked=False),
            dmc.Switch(id=_REPLAN, label=say("Look also at a plan in which others give way"), checked=False),
            html.Button([icon("promise"), say("Ask")], id=_ASK, className="button"),
        ],
        className="form",
    )


def register(app: Dash, views: Views) -> None:
    """Add the callbacks that ask."""
    why_not.register(app, views)

    @app.callback(
        Output(_ANSWER, "children"),
        Input(_ASK, "n_clicks"),
        State(_ITEM, "value"),
        State(_QUANTITY, "value"),
        State(_DUE, "value"),
        State(_HIGH, "checked"),
        State(_REPLAN, "checked"),
        running=[(Output(_ASK, "disabled"), True, False)],
        prevent_initial_call=True,
    )
    @guarded
    async def ask(
        clicks: int | None, item: str | None, quantity: float | str | None, due: str | None, high: bool, replan: bool
    ) -> Any:
        if not clicks:
            return no_update
        say = words().at((await views.clock()).timezone)
        return answer_parts(await views.promise(question(item, quantity, due, high, replan, say)), say)


def question(
    item: str | None, quantity: float | str | None, due: str | None, high: bool, replan: bool, say: Words
) -> PromiseQuestion:
    """Return what the form asks; the date is one of the plant's clock.

    Raises
    ------
    InvalidInput
        If the item or the number of pieces is missing.
    """
    if not item:
        raise InvalidInput(say("Choose an item."))
    if not isinstance(quantity, int | float) or quantity < 1 or quantity != int(quantity):
        raise InvalidInput(say("Say how many pieces: a whole number above 0."))
    due_at = plant_time(due, say) if due else None
    return PromiseQuestion(item, int(quantity), due_at, high, replan)


def answer_parts(view: PromiseView, say: Words) -> list[Component]:
    """Return an answer: what makes the date impossible, and the dates there could be."""
    parts = [_offer(say("As the plan stands"), view.inserted, say)]
    if view.replanned is not None:
        parts.append(_offer(say("Planned anew"), view.replanned, say))
    if view.impossible:
        why = html.H3([icon("cross"), say("The date wished for cannot be kept: all of this at once is impossible")])
        parts.insert(0, html.Section([why, _list(view.impossible, say)], className="panel gate refused"))
    return parts


def _offer(title: str, offer: PromiseOffer, say: Words) -> Component:
    dates = [
        (say("An even chance (P50)"), say.moment(offer.p50)),
        (say("Four in five (P80)"), say.moment(offer.p80)),
        (say("Nineteen in twenty (P95)"), say.moment(offer.p95)),
    ]
    if offer.on_time is not None:
        dates.append((say("By the date wished for"), say.likelihood(offer.on_time)))
    facts = html.Div([html.Div([html.Span(name), html.B(value)]) for name, value in dates], className="facts")
    return html.Section([html.H2(title), facts, _list(offer.sentences, say)], className="panel offer")


def _list(sentences: Sequence[Text], say: Words) -> Component:
    return html.Ul([html.Li(say.tell(sentence)) for sentence in sentences], className="reasons")
