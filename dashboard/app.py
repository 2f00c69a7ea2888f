"""Builds the dashboard onto a FastAPI server: the pages under ``/``, the socket under ``/live``, own 404s."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import structlog
from dash import Dash
from dash.exceptions import PreventUpdate
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from dashboard import live as live_socket
from dashboard import login, shell
from dashboard.pages import floor, health, plan, promise, twin
from dashboard.views import Live, Views
from dashboard.words import COOKIE, choose_language

log = structlog.get_logger()

ASSETS = Path(__file__).parent / "assets"
PAGES: tuple[shell.Page, ...] = (floor, plan, promise, health, twin)
PUBLIC_PATHS = ("/login", "/assets/login/")
"""What the gate must hand out to anyone: the login page and its styles."""

_DASH = "/_dash-"
_LOADED_BY_HAND = "first.js|login.css"

_INDEX = """<!DOCTYPE html>
<html lang="{language}">
<head>
{{%metas%}}
<meta name="color-scheme" content="light dark">
<title>{{%title%}}</title>
<link rel="icon" href="/assets/login/logo.svg">
{{%css%}}
<script src="/assets/login/first.js"></script>
</head>
<body>
{{%app_entry%}}
<footer>{{%config%}}{{%scripts%}}{{%renderer%}}</footer>
</body>
</html>"""


class _Pages(Dash):
    """Dash whose first HTML already says in which language it is."""

    def interpolate_index(self, **parts: Any) -> str:
        html = super().interpolate_index(**parts)
        return html.replace("{language}", shell.language_of_request(self))


def build(server: FastAPI, views: Views, live: Live) -> Dash:
    """Put the dashboard on `server`, after every other route: it answers whatever is left with 404.

    The gate must stand outside of `server` (wrap it, or add it as middleware after this call), let `PUBLIC_PATHS`
    through, and answer 401 to a request under ``/_dash-`` without a session: the page then goes to ``/login``.
    """
    app = _Pages(
        __name__,
        backend="fastapi",
        server=False,
        assets_folder=str(ASSETS),
        assets_ignore=_LOADED_BY_HAND,
        title="Forerun",
        update_title="",
        suppress_callback_exceptions=True,
        serve_locally=True,
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
    )
    app.index_string = _INDEX.format(language="{language}")
    app.backend.websocket_capability = False  # see dashboard.live: one socket for all tabs is no use here
    server.add_middleware(_Faults)  # before Dash's own, so that it stands inside of it
    app.init_app(server)
    app.layout = lambda: shell.layout(PAGES, shell.language_of_request(app))
    shell.register(app, views, PAGES)
    for page in PAGES:
        page.register(app, views)
    live_socket.serve(server, views, live)
    server.add_middleware(_PagePaths, paths=frozenset(page.PATH for page in PAGES))
    _answer_the_rest(server)
    return app


class _Faults:
    """Logs what goes wrong in a page: Dash answers 500 to it and keeps it to itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except PreventUpdate:  # how a callback says that nothing changes
            raise
        except Exception:
            if scope["type"] == "http" and scope["path"].startswith(_DASH):
                log.exception("page failed", path=scope["path"])
            raise


class _PagePaths:
    """Every page is the same document: the browser reads from its address which one it shows."""

    def __init__(self, app: ASGIApp, paths: frozenset[str]) -> None:
        self._app = app
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET" and scope["path"] in self._paths:
            scope = {**scope, "path": "/", "raw_path": b"/"}
        await self._app(scope, receive, send)


def _answer_the_rest(server: FastAPI) -> None:
    """Answer 404 where Dash would answer any address with its document."""

    @server.get("/{path:path}", include_in_schema=False)
    async def not_found(request: Request, path: str) -> Response:
        if path.startswith("api/"):
            return JSONResponse({"detail": f"there is no /{path}"}, status_code=404)
        language = choose_language(request.cookies.get(COOKIE), request.headers.get("accept-language"))
        return HTMLResponse(login.not_found(language), status_code=404)
