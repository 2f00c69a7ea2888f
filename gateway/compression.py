"""Answers are sent compressed to whoever takes them so; what stays the same is compressed once, and kept by browsers.

Sockets pass untouched. Scripts and styles make up most of a first visit; they are compressed at the highest level, in
a thread, and remembered. All else (pages' data, API answers) is compressed as it is sent, quickly.
"""

from __future__ import annotations

import asyncio
import gzip
from hashlib import sha256

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

STATIC = ("/assets/", "/_dash-component-suites/")
"""Where files stand that only a new version changes."""

_SMALLEST = 1024
_TEXTS = ("text/", "application/javascript", "application/json", "image/svg+xml")
_FOR_EVER = "public, max-age=31536000, immutable"


class Compressed:
    """ASGI middleware around everything that answers over HTTP."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._as_sent = GZipMiddleware(app, minimum_size=_SMALLEST, compresslevel=4)
        self._kept: dict[bytes, bytes] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Compress what `app` answers, if that is worth it and the other side takes it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["method"] == "GET" and scope["path"].startswith(STATIC):
            await self._file(scope, receive, send)
        else:
            await self._as_sent(scope, receive, send)

    async def _file(self, scope: Scope, receive: Receive, send: Send) -> None:
        taken = "gzip" in Headers(scope=scope).get("accept-encoding", "")
        start: Message = {}
        parts: list[bytes] = []

        async def gather(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            parts.append(message.get("body", b""))
            if message.get("more_body", False):
                return
            body = b"".join(parts)
            headers = MutableHeaders(raw=start["headers"])
            if start["status"] == 200:
                if b"m=" in scope["query_string"]:  # Dash puts the time of an own file's change into its address
                    headers["Cache-Control"] = _FOR_EVER
                headers.add_vary_header("Accept-Encoding")
                if taken and _worth_it(headers, body):
                    body = await self._small(body)
                    headers["Content-Encoding"] = "gzip"
                    headers["Content-Length"] = str(len(body))
            await send({**start, "headers": headers.raw})
            await send({"type": "http.response.body", "body": body})

        await self._app(scope, receive, gather)

    async def _small(self, body: bytes) -> bytes:
        key = sha256(body).digest()
        if key not in self._kept:
            self._kept[key] = await asyncio.to_thread(gzip.compress, body, 9, mtime=0)
        return self._kept[key]


def _worth_it(headers: Headers, body: bytes) -> bool:
    return (
        len(body) >= _SMALLEST
        and "content-encoding" not in headers
        and headers.get("content-type", "").startswith(_TEXTS)
    )
