"""What surrounds every page: header with navigation, plant clock, language, light and dark, user; and the router."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol
from urllib.parse import parse_qsl

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from dashboard.changes import part_id
from dashboard.guard import NOTICES, guarded, message_of, report_fault, title_of, words
from dashboard.states import icon
from dashboard.views import Topic, Views
from dashboard.words import COOKIE, LANGUAGES, Words, choose_language, epoch_ms, mark
from plant.actor import Actor, Role
from plant.errors import NotAuthenticated

ROLES = {
    Role.VIEWER: mark("viewer"),
    Role.OPERATOR: mark("operator"),
    Role.QUALITY: mark("quality"),
    Role.MAINTENANCE: mark("maintenance"),
    Role.PLANNER: mark("planner"),
    Role.SALES: mark("sales"),
    Role.BUYER: mark("buyer"),
    Role.WAREHOUSE: mark("warehouse"),
    Role.FINANCE: mark("finance"),
    Role.APPROVER: mark("approver"),
    Role.SUPPLIER: mark("supplier"),
    Role.CUSTOMER: mark("customer"),
    Role.INTEGRATION: mark("integration"),
    Role.ADMIN: mark("administrator"),
    Role.SYSTEM: mark("system"),
}


class Page(Protocol):
    """A module in `dashboard.pages`."""

    PATH: str
    TITLE: str
    ICON: str

    async def content(self, views: Views, say: Words, query: dict[str, str]) -> Component:
        """Draw the page for the user of the current request; `query` is its address's."""
        ...

    def register(self, app: Dash, views: Views) -> None:
        """Add the page's callbacks."""
        ...


def language_of_request(app: Dash) -> str:
    """Return the language of the request being answered; English where there is none."""
    if not app.backend.has_request_context():
        return "en"
    request = app.backend.request_adapter()
    return choose_language(request.cookies.get(COOKIE), request.headers.get("accept-language"))


def layout(pages: Sequence[Page], language: str) -> Component:
    """Return the frame. It is the same for everybody and tells nothing of the plant."""
    say = Words(language)
    return dmc.MantineProvider(
        [
            dcc.Location(id="url", refresh="callback-nav"),
            *(dcc.Store(id=f"live-{topic}") for topic in Topic),
            dcc.Store(id="title"),
            dmc.NotificationContainer(id=NOTICES, position="top-right", limit=4),
            html.Div([_header(pages, say), html.Main(id="page")], id="shell"),
        ],
        defaultColorScheme="auto",
        theme={"primaryColor": "blue", "defaultRadius": "sm", "fontFamily": "var(--font)"},
    )


def _header(pages: Sequence[Page], say: Words) -> Component:
    return html.Header(
        [
            html.Div([html.Span(className="logo", **{"aria-hidden": "true"}), html.B("Forerun")], className="brand"),
            html.Nav(
                [
                    dcc.Link(
                        [
                            icon(page.ICON),
                            html.Span(say(page.TITLE)),
                            html.Span(id=part_id("badge", page.ICON), className="badge"),  # its page fills it
                        ],
                        href=page.PATH,
                        id=_nav_id(page),
                    )
                    for page in pages
                ],
                **{"aria-label": say("Pages")},
            ),
            html.Div(className="spring"),
            _clock(say),
            html.Div(_switches(say), className="switches"),
            html.Div(id="user", className="user"),
        ],
        className="top",
    )


def _nav_id(page: Page) -> str:
    return f"nav-{page.ICON}"


def _clock(say: Words) -> Component:
    """The header's clock; `assets/clock.js` carries it on from its data attributes."""
    parts = [
        html.Span(className="plant-name", id="plant-name"),
        html.Span(className="day"),
        html.Span(className="time"),
        html.Span(className="rate", id="rate"),
        html.Span(className="link", title=say("Pushed live; red when the connection is lost")),
    ]
    units = {
        "data-locale": say.browser_locale,
        "data-minutes": say("{m} min"),
        "data-hours": say("{h} h {m} min"),
        "data-days": say("{d} d {h} h"),
    }
    return html.Div(parts, id="clock", className="clock", title=say("Plant time"), **units)


def _switches(say: Words) -> list[Component]:
    languages = [
        html.Button(
            name,
            className="chosen" if code == say.language else None,
            lang=code,
            **{"data-language": code, "aria-pressed": str(code == say.language).lower()},
        )
        for code, name in LANGUAGES.items()
    ]
    return [
        html.Div(languages, className="languages", role="group", **{"aria-label": say("Language")}),
        dmc.ColorSchemeToggle(
            lightIcon=icon("sun"),
            darkIcon=icon("moon"),
            variant="subtle",
            color="gray",
            size="lg",
            **{"aria-label": say("Light or dark")},
        ),
    ]


def _user(actor: Actor, say: Words) -> list[Component]:
    roles = say.listed([say(ROLES[role]) for role in sorted(actor.roles)])
    return [
        html.Span([html.B(actor.name), html.Span(roles)], className="who"),
        html.Form(
            html.Button(icon("logout"), type="submit", title=say("Log out"), **{"aria-label": say("Log out")}),
            action="/logout",
            method="POST",
        ),
    ]


def register(app: Dash, views: Views, pages: Sequence[Page]) -> None:
    """Add the router and the clock."""
    by_path = {page.PATH: page for page in pages}

    @app.callback(
        Output("page", "children"),
        Output("title", "data"),
        *(Output(_nav_id(page), "className") for page in pages),
        Input("url", "pathname"),
        State("url", "search"),
    )
    async def show(path: str, search: str) -> Any:
        page = by_path.get(path, pages[0])
        say = words()
        query = dict(parse_qsl((search or "").lstrip("?")))
        marks = ["current" if other is page else "" for other in pages]
        try:
            drawn = await page.content(views, say, query)
        except Exception as error:
            report_fault(error)
            drawn = refusal(error, say)
        return [drawn, f"{say(page.TITLE)} – Forerun", *marks]

    @app.callback(Output("user", "children"), Input("user", "id"))
    @guarded
    async def who(_id: str) -> Any:
        return _user(await views.me(), words())

    @app.callback(
        *(Output("clock", f"data-{name}") for name in ("now", "rate", "until", "zone")),
        Output("plant-name", "children"),
        Output("rate", "children"),
        Input(f"live-{Topic.CLOCK}", "data"),
    )
    @guarded
    async def clock(_told: Any) -> Any:
        view = await views.clock()
        until = epoch_ms(view.runs_until) if view.runs_until else ""
        return [epoch_ms(view.now), view.rate, until, view.timezone, view.plant, _rate(view.rate, words())]

    app.clientside_callback(ClientsideFunction("forerun", "title"), Input("title", "data"))


def _rate(rate: float, say: Words) -> str:
    if rate == 0:
        return say("paused")
    return "" if rate == 1 else f"× {say.number(rate)}"


def refusal(error: Exception, say: Words) -> Component:
    """Return what stands in a page's place when it may not be seen or cannot be had now."""
    ended = isinstance(error, NotAuthenticated)
    link = [html.A(say("Log in"), href="/login", className="button")] if ended else []
    return html.Div(
        [html.H1(title_of(error, say)), html.P(message_of(error, say)), *link],
        className="refusal",
        role="alert",
    )
