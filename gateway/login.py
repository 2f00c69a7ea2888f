"""Logging in and out: the only pages that need no actor."""

from __future__ import annotations

import time
from typing import Annotated, Protocol

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from gateway.gate import SESSION_COOKIE, session_token
from gateway.services import WithServices
from operations import access
from plant.errors import NotAuthenticated

_FREE_FAILURES = 5
_LONGEST_WAIT_S = 900.0
_REMEMBERED = 10_000


class LoginPages(Protocol):
    """Makes the login page; the dashboard's, in practice."""

    def language_of(self, request: Request) -> str:
        """Return the language to speak to this browser."""
        ...

    def page(self, language: str, *, error: str = "", name: str = "", next_path: str = "/") -> str:
        """Return the page's HTML."""
        ...

    def local_path(self, path: str) -> str:
        """Return `path` if it is one of this site's own, else the start page."""
        ...

    def wrong_credentials(self, language: str) -> str:
        """Say that name and password do not fit."""
        ...

    def too_many_attempts(self, language: str, seconds: float) -> str:
        """Say how long to wait."""
        ...


class Throttle:
    """Makes guessing slow: after a few failures for a name, each further one doubles the wait (wall time)."""

    def __init__(self) -> None:
        self._failures: dict[str, tuple[int, float]] = {}

    def wait_s(self, name: str) -> float:
        """Return how long to wait before the next try, 0 if it may be now."""
        return max(self._failures.get(name, (0, 0.0))[1] - time.monotonic(), 0.0)

    def failed(self, name: str) -> None:
        """Count a failure."""
        count = self._failures.get(name, (0, 0.0))[0] + 1
        wait = min(2.0 ** (count - _FREE_FAILURES), _LONGEST_WAIT_S) if count >= _FREE_FAILURES else 0.0
        if name not in self._failures and len(self._failures) >= _REMEMBERED:
            self._failures.pop(next(iter(self._failures)))
        self._failures[name] = (count, time.monotonic() + wait)

    def succeeded(self, name: str) -> None:
        """Forget the failures."""
        self._failures.pop(name, None)


def router(pages: LoginPages) -> APIRouter:
    """Return the routes of `/login` and `/logout`."""
    routes = APIRouter(include_in_schema=False)
    throttle = Throttle()

    @routes.get("/login")
    async def show(request: Request) -> HTMLResponse:
        return HTMLResponse(pages.page(pages.language_of(request), next_path=request.query_params.get("next", "/")))

    @routes.post("/login")
    async def log_in(
        request: Request,
        has: WithServices,
        name: Annotated[str, Form(max_length=200)],
        password: Annotated[str, Form(max_length=1000)],
    ) -> Response:
        language, target = pages.language_of(request), request.query_params.get("next", "/")
        wait_s = throttle.wait_s(name)
        if wait_s > 0:
            error = pages.too_many_attempts(language, wait_s)
            return HTMLResponse(pages.page(language, error=error, name=name, next_path=target), status_code=429)
        throttle.failed(name)  # until it is known to be right: a hundred tries at once are a hundred tries
        try:
            token = await access.log_in(has.store, name, password)
        except NotAuthenticated:
            error = pages.wrong_credentials(language)
            return HTMLResponse(pages.page(language, error=error, name=name, next_path=target), status_code=401)
        throttle.succeeded(name)
        answer = RedirectResponse(pages.local_path(target), status_code=303)
        secure = request.url.scheme == "https"
        lifetime = int(access.SESSION_LENGTH.total_seconds())
        answer.set_cookie(SESSION_COOKIE, token, max_age=lifetime, httponly=True, samesite="lax", secure=secure)
        return answer

    @routes.post("/logout")
    async def log_out(request: Request, has: WithServices) -> Response:
        token = session_token(request.headers)
        if token is not None:
            await access.log_out(has.store, token)
        answer = RedirectResponse("/login", status_code=303)
        answer.delete_cookie(SESSION_COOKIE)
        return answer

    return routes
