"""A reading source without a protocol: keeps the contract of `plant.ports.ReadingSource`, for tests of what reads."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from plant.errors import SourceLost
from plant.reading import Reading, ReadingBatch, Rejected


class FakeSource:
    """Yields what it is fed; what was not acknowledged before a break comes again."""

    def __init__(self, source_id: str = "fake") -> None:
        self._id = source_id
        self._fed: list[ReadingBatch] = []
        self._next = 0
        self._news = asyncio.Event()
        self._open = False
        self._reachable = True
        self.acknowledged: list[Reading] = []
        """Every reading whose batch was acknowledged."""

    @property
    def id(self) -> str:
        """Id of the connection it serves."""
        return self._id

    def feed(self, readings: Sequence[Reading], rejected: Sequence[Rejected] = ()) -> None:
        """Queue one batch."""
        serial = object()
        self._fed.append(ReadingBatch(tuple(readings), partial(self._acknowledge, serial), tuple(rejected)))
        self._news.set()

    def cut(self) -> None:
        """Break the connection; opening fails until `mend`."""
        self._reachable = self._open = False
        self._news.set()

    def mend(self) -> None:
        """Let opening succeed again."""
        self._reachable = True

    async def open(self) -> None:
        """Connect; what is not acknowledged comes first."""
        if not self._reachable:
            raise SourceLost(f"{self._id} cannot be reached")
        self._open, self._next = True, 0
        self._news.set()

    async def read(self) -> ReadingBatch:
        """Return the next batch."""
        while self._open and self._next >= len(self._fed):
            self._news.clear()
            await self._news.wait()
        if not self._open:
            raise SourceLost(f"{self._id} is not open")
        self._next += 1
        return self._fed[self._next - 1]

    async def close(self) -> None:
        """Disconnect."""
        self._open = False
        self._news.set()

    async def _acknowledge(self, serial: object) -> None:
        for index, batch in enumerate(self._fed):
            if isinstance(batch.acknowledge, partial) and batch.acknowledge.args == (serial,):
                del self._fed[index]
                self._next -= index < self._next
                self.acknowledged += batch.readings
                return
