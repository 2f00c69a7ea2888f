"""Listens to the database and tells the pages: one listener a process, any number of subscribers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager

from dashboard.views import Topic
from historian.database import Channel, Historian

_TOPICS = {
    Channel.FLOOR: (Topic.FLOOR, Topic.HEALTH),
    Channel.PLANS: (Topic.PLANS,),
    Channel.ORDERS: (Topic.PLANS, Topic.FLOOR, Topic.MESSAGES, Topic.HEALTH),
    Channel.JOBS: (Topic.JOBS,),
    Channel.CLOCK: (Topic.CLOCK, Topic.FLOOR),
    Channel.TWIN: (Topic.TWIN,),
    Channel.OUTBOX: (Topic.MESSAGES,),
}


class _Subscriber:
    """What one page has yet to hear: a set, so that a slow page is told once, not a hundred times."""

    def __init__(self, topics: frozenset[Topic]) -> None:
        self._topics = topics
        self._pending: set[Topic] = set()
        self._wake = asyncio.Event()

    def tell(self, topic: Topic) -> None:
        if topic in self._topics:
            self._pending.add(topic)
            self._wake.set()

    async def __aiter__(self) -> AsyncIterator[Topic]:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._pending:
                yield self._pending.pop()


class DatabaseLive:
    """The pages' `Live` on the database's notifications. `run` must be running."""

    def __init__(self, historian: Historian) -> None:
        self._historian = historian
        self._subscribers: set[_Subscriber] = set()

    async def run(self) -> None:
        """Listen and tell, for ever."""
        async with aclosing(self._historian.listen(tuple(_TOPICS))) as notices:
            async for notice in notices:
                for topic in _TOPICS[notice.channel]:
                    for subscriber in tuple(self._subscribers):
                        subscriber.tell(topic)

    def subscribe(self, topics: frozenset[Topic]) -> AbstractAsyncContextManager[AsyncIterator[Topic]]:
        """Listen to `topics`; see `dashboard.views.Live`."""
        return self._subscribe(topics)

    @asynccontextmanager
    async def _subscribe(self, topics: frozenset[Topic]) -> AsyncIterator[AsyncIterator[Topic]]:
        subscriber = _Subscriber(topics)
        self._subscribers.add(subscriber)
        try:
            yield subscriber.__aiter__()
        finally:
            self._subscribers.discard(subscriber)
