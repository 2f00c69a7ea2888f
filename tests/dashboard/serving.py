"""Serves the dashboard on a free port of loopback, behind a gate like the real one: a cookie names the user."""

from __future__ import annotations

import asyncio
import socket
import threading
from http.cookies import SimpleCookie

import uvicorn
from fastapi import FastAPI
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from dashboard import login
from dashboard.app import PUBLIC_PATHS, build
from tests.dashboard.factory import ANNA, MIA, VIC, MemoryLive, MemoryViews, actor_now

USERS = {actor.name: actor for actor in (ANNA, VIC, MIA)}


class CookieGate:
    """Puts the actor the cookie names where the views look; turns away everybody else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or scope["path"].startswith(PUBLIC_PATHS):
            await self._app(scope, receive, send)
            return
        cookie = SimpleCookie(dict(scope["headers"]).get(b"cookie", b"").decode()).get("user")
        actor = USERS.get(cookie.value) if cookie else None
        if actor is None:
            await self._refuse(scope, receive, send)
            return
        token = actor_now.set(actor)
        try:
            await self._app(scope, receive, send)
        finally:
            actor_now.reset(token)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 4401})
        elif scope["path"].startswith("/_dash"):
            await JSONResponse({"detail": "log in"}, 401)(scope, receive, send)
        else:
            await RedirectResponse("/login", 303)(scope, receive, send)


def server_for(views: MemoryViews, live: MemoryLive) -> FastAPI:
    """Return the application with a login page and one API route of its own."""
    server = FastAPI()

    @server.get("/login")
    async def show(language: str = "en") -> HTMLResponse:
        return HTMLResponse(login.page(language, error=login.wrong_credentials(language)))

    @server.get("/api/v1/ping")
    async def ping() -> str:
        return "pong"

    build(server, views, live)
    return server


class _Server(uvicorn.Server):
    """Tells when it can be reached."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.reachable = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.reachable.set()


class Served:
    """A running dashboard: `address`, and the `views` and `live` behind it."""

    def __init__(self) -> None:
        self.live = MemoryLive()
        self.views = MemoryViews(self.live)
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(CookieGate(server_for(self.views, self.live)), log_level="warning")
        self._server = _Server(config)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))

    def __enter__(self) -> Served:
        self._thread.start()
        assert self._server.reachable.wait(20), "the dashboard did not start"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(20)
        assert not self._thread.is_alive(), "the dashboard did not stop"

    def reset(self) -> None:
        """Put the factory back as it was."""
        fresh = MemoryViews(self.live)
        self.views.__dict__.update(fresh.__dict__)
