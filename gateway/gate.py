"""The ASGI gate: nobody gets past it unknown, over HTTP or websocket.

People come with a session cookie, machines with an API key. The gate finds the actor and puts it where use cases
look (`operations.access.current_actor`); what the actor may do is the use cases' business.
"""

from __future__ import annotations

from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Protocol
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.problems import problem
from operations.access import current_actor
from plant.actor import Actor
from plant.errors import NotAuthenticated, Unavailable

SESSION_COOKIE = "forerun_session"
_OPEN_PATHS = frozenset({"/login", "/healthz", "/readyz", "/favicon.ico"})
_FOR_MACHINES = ("/api/", "/_dash", "/metrics")
_OPEN_PREFIXES = ("/assets/login/",)
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_WEBSOCKET_UNAUTHENTICATED = 4401
_LARGEST_BODY = 4 << 20
_TOO_LARGE = f"the body is larger than {_LARGEST_BODY >> 20} MB"

SECURITY_HEADERS: Mapping[str, str] = {
    # The pages bring all they need. Plotly styles its figures inline, and Dash starts itself with inline scripts.
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Authenticator(Protocol):
    """Finds out who is asking."""

    async def by_session(self, token: str) -> Actor:
        """Return the actor of a session token, or raise `NotAuthenticated`."""
        ...

    async def by_api_key(self, key: str) -> Actor:
        """Return the actor of an API key, or raise `NotAuthenticated`."""
        ...


class Gate:
    """ASGI middleware that lets only known actors through, with bodies of up to 4 MB, and says how pages may be used.

    Parameters
    ----------
    allowed_hosts
        Host names the site is reached by; a request for another host is refused (DNS rebinding).
    """

    def __init__(self, app: ASGIApp, authenticator: Authenticator, allowed_hosts: frozenset[str]) -> None:
        self._app = app
        self._authenticator = authenticator
        self._allowed_hosts = allowed_hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] == "http":
            exchange = _Exchange(scope, receive, send)
            receive, send = exchange.receive, exchange.send
        headers = Headers(scope=scope)
        if _host(headers.get("host", "")) not in self._allowed_hosts:
            await _refuse(scope, receive, send, problem(400, "unknown host", "this site is not served under that name"))
            return
        if scope["type"] == "http" and int(_digits(headers.get("content-length"))) > _LARGEST_BODY:
            await problem(413, "too large", _TOO_LARGE)(scope, receive, send)
            return
        if scope["type"] == "http" and _is_open(scope["path"]):
            if _needs_same_origin(scope) and _from_elsewhere(headers):
                # Another site's page must not log its visitors in as somebody it chose.
                await problem(403, "denied", "this request came from another site's page")(scope, receive, send)
            else:
                await self._app(scope, receive, send)
            return
        try:
            actor = await self._identify(scope, headers)
        except NotAuthenticated as error:
            await _refuse(scope, receive, send, _unauthenticated(scope, str(error)))
            return
        except Unavailable as error:
            await _refuse(scope, receive, send, problem(503, "unavailable", str(error)))
            return
        token = current_actor.set(actor)
        try:
            await self._app(scope, receive, send)
        finally:
            current_actor.reset(token)

    async def _identify(self, scope: Scope, headers: Headers) -> Actor:
        scheme, _, credentials = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return await self._authenticator.by_api_key(credentials.strip())
        token = session_token(headers)
        if token is None:
            raise NotAuthenticated("log in, or send an API key as 'Authorization: Bearer KEY'")
        if _needs_same_origin(scope) and not _same_origin(headers):
            # A cookie alone does not prove that the page that sent this is ours.
            raise NotAuthenticated("this request came from another site's page")
        return await self._authenticator.by_session(token)


def session_token(headers: Headers) -> str | None:
    """Return the session token in the request's cookies, if there is one."""
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(SESSION_COOKIE)
    except CookieError:
        return None
    return cookie.value if cookie else None


def _host(header: str) -> str:
    try:
        parts = urlsplit(f"//{header}")
        return parts.hostname or "" if parts.netloc == header and "@" not in header else ""
    except ValueError:
        return ""


def _digits(header: str | None) -> str:
    return header if header is not None and header.isascii() and header.isdigit() and len(header) < 20 else "0"


class _Exchange:
    """One HTTP exchange: no body is read without end, and every answer says how pages may be used."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._read = 0
        self._refused = False

    async def receive(self) -> Message:
        """Return the next part of the request; its length need not have been announced."""
        message = await self._receive()
        self._read += len(message.get("body", b""))
        if self._read > _LARGEST_BODY:
            raise HTTPException(413)
        return message

    async def send(self, message: Message) -> None:
        """Send a part of the answer; when the request was too large, ours in place of the application's."""
        if self._refused:
            return
        if self._read > _LARGEST_BODY and message["type"] == "http.response.start":
            self._refused = True
            await problem(413, "too large", _TOO_LARGE)(self._scope, self._receive, self._send_hardened)
        else:
            await self._send_hardened(message)

    async def _send_hardened(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
        await self._send(message)


def _is_open(path: str) -> bool:
    return path in _OPEN_PATHS or path.startswith(_OPEN_PREFIXES)


def _needs_same_origin(scope: Scope) -> bool:
    return scope["type"] == "websocket" or scope["method"] not in _SAFE_METHODS


def _same_origin(headers: Headers) -> bool:
    origin = headers.get("origin")
    if origin is None:
        return headers.get("sec-fetch-site") in {"same-origin", "none"}
    return _is_ours(origin, headers)


def _from_elsewhere(headers: Headers) -> bool:
    """Tell whether the browser says that another site's page sent this; what is no browser says nothing."""
    origin = headers.get("origin")
    if origin is None:
        return headers.get("sec-fetch-site") in {"cross-site", "same-site"}
    return not _is_ours(origin, headers)


def _is_ours(origin: str, headers: Headers) -> bool:
    try:
        return urlsplit(origin).netloc == headers.get("host")
    except ValueError:
        return False


def _unauthenticated(scope: Scope, detail: str) -> Response:
    path: str = scope["path"]
    wants_page = scope["type"] == "http" and scope["method"] == "GET" and not path.startswith(_FOR_MACHINES)
    if wants_page:
        query = scope["query_string"].decode("latin-1")
        return RedirectResponse(f"/login?next={quote(f'{path}?{query}' if query else path)}", status_code=303)
    return problem(401, "not authenticated", detail)


async def _refuse(scope: Scope, receive: Receive, send: Send, response: Response) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": _WEBSOCKET_UNAUTHENTICATED, "reason": "log in again"})
    else:
        await response(scope, receive, send)
