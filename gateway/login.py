"""Logging in and out: the only two pages that need no actor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from gateway.gate import SESSION_COOKIE, session_token
from gateway.services import WithServices
from operations import access
from plant.errors import NotAuthenticated

LoginPage = Callable[[str, bool], str]
"""Makes the page's HTML from the Accept-Language header and whether the last try failed."""


def router(page: LoginPage) -> APIRouter:
    """Return the routes of `/login` and `/logout`."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/login")
    async def show(request: Request) -> HTMLResponse:
        return HTMLResponse(page(request.headers.get("accept-language", ""), False))

    @routes.post("/login")
    async def log_in(
        request: Request,
        has: WithServices,
        name: Annotated[str, Form(max_length=200)],
        password: Annotated[str, Form(max_length=1000)],
    ) -> Response:
        try:
            token = await access.log_in(has.store, name, password)
        except NotAuthenticated:
            return HTMLResponse(page(request.headers.get("accept-language", ""), True), status_code=401)
        answer = RedirectResponse(_own_path(request.query_params.get("next", "/")), status_code=303)
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


def _own_path(target: str) -> str:
    """Return `target` if it is a path of this site, else the start page: no open redirect."""
    own = target.startswith("/") and not target.startswith(("//", "/\\"))
    return target if own else "/"
