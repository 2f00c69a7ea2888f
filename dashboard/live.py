"""The socket over which a page hears that something changed: ``GET /live`` as a websocket, one per page.

It carries nothing but names of topics. The page then asks for the data through an ordinary callback, whose request
goes through the gate and every permission again: a session that has ended ends there, whatever sockets are open.
(Dash's own websocket is one per browser, shared by all tabs: it keeps the identity of whoever opened it first, and
the callbacks of a closed tab go on while another is open.)
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from dashboard.views import Live, Topic, Views
from plant.errors import Denied, Unavailable

PATH = "/live"
BEAT_S = 15.0
"""Wall seconds between signs of life; `assets/live.js` takes a socket for dead after three of them."""

TOPICS = frozenset(Topic)
GONE_AWAY, NOT_ALLOWED, TRY_LATER = 1001, 4401, 1013


def serve(server: FastAPI, views: Views, live: Live) -> None:
    """Add the socket to `server`."""

    @server.websocket(PATH)
    async def socket(websocket: WebSocket) -> None:
        if not _same_origin(websocket) or not await _known(views):
            await websocket.close(NOT_ALLOWED)
            return
        try:
            async with live.subscribe(TOPICS) as announcements:
                await websocket.accept()
                await _tell(websocket, TOPICS)  # whatever happened while nobody listened
                await _first_of(_forward(announcements, websocket), _beat(websocket), _until_closed(websocket))
            await _close(websocket, GONE_AWAY)
        except Unavailable:
            await _close(websocket, TRY_LATER)


def _same_origin(websocket: WebSocket) -> bool:
    """Refuse pages of other sites: browsers send cookies with their sockets, too."""
    origin = websocket.headers.get("origin", "")
    return urlsplit(origin).netloc == websocket.headers.get("host")


async def _known(views: Views) -> bool:
    try:
        await views.me()
    except Denied:
        return False
    return True


async def _tell(websocket: WebSocket, topics: frozenset[Topic]) -> None:
    await websocket.send_text(json.dumps(sorted(topics)))


async def _forward(announcements: AsyncIterator[Topic], websocket: WebSocket) -> None:
    async for topic in announcements:
        await _tell(websocket, frozenset({topic}))


async def _beat(websocket: WebSocket) -> None:
    while True:
        await asyncio.sleep(BEAT_S)
        await _tell(websocket, frozenset())


async def _until_closed(websocket: WebSocket) -> None:
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass


async def _first_of(*coroutines: Coroutine[Any, Any, None]) -> None:
    """Run until the first ends, then stop the others and wait for them; its error, if any, is raised."""
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ended = [task for task in tasks if task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in ended:
        if not isinstance(task.exception(), WebSocketDisconnect | None):
            task.result()


async def _close(websocket: WebSocket, code: int) -> None:
    """Close, unless the other end did already."""
    try:
        await websocket.close(code)
    except (RuntimeError, WebSocketDisconnect):
        return
