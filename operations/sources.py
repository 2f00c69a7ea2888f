"""Keeps every source read: opened, gathered from, stored, acknowledged, opened again when it is lost."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterable, Sequence

import structlog
from prometheus_client import Counter, Gauge

from historian.database import Historian
from operations.ingest import Known, Taken, refuse_all, store
from plant.actor import Actor, Permission
from plant.errors import Conflict, InvalidInput, SourceLost, Unavailable
from plant.plant import Plant
from plant.ports import PlantClock, ReadingSource
from plant.reading import ReadingBatch

_BATCH = 5_000
_GATHER_S = 0.05
_BACK_OFF_S = (0.2, 0.5, 1.0, 2.0, 5.0)

STORED = Counter("forerun_readings_stored", "Readings stored", ["source"])
REPEATED = Counter("forerun_readings_repeated", "Readings that were stored already", ["source"])
QUARANTINED = Counter("forerun_readings_quarantined", "What a source sent that was refused", ["source"])
REOPENED = Counter("forerun_source_reopened", "Times a source was lost and is opened again", ["source"])
UP = Gauge("forerun_source_up", "1 while a source is open", ["source"])
NEWEST = Gauge("forerun_source_newest_seconds", "Wall time at which a source yielded something last", ["source"])

log = structlog.get_logger()


async def run(
    historian: Historian, actor: Actor, clock: PlantClock, plant: Plant, sources: Iterable[ReadingSource]
) -> None:
    """Take in what all sources yield, side by side, until cancelled. One that fails never stops the others."""
    actor.require(Permission.INGEST_READINGS)
    known = Known.of(plant)
    async with asyncio.TaskGroup() as group:
        for source in sources:
            group.create_task(_Runner(historian, actor, clock, known, source).run())


class Gatherer:
    """Joins what a source yields within a short while, so that one commit serves many readings."""

    def __init__(self, source: ReadingSource) -> None:
        self._source = source
        self._reading: asyncio.Task[ReadingBatch] | None = None

    async def gather(self) -> tuple[list[ReadingBatch], Exception | None]:
        """Wait for a batch and return it with what follows within 50 ms, up to 5,000 readings.

        An error ends the gathering and is returned beside what came before it.
        """
        batches: list[ReadingBatch] = []
        loop = asyncio.get_running_loop()
        deadline = math.inf
        while loop.time() < deadline and sum(len(batch.readings) for batch in batches) < _BATCH:
            # A read that is not ready in time goes on, and is the first of the next round.
            self._reading = self._reading or asyncio.ensure_future(self._source.read())
            await asyncio.wait({self._reading}, timeout=None if not batches else deadline - loop.time())
            if not self._reading.done():
                break
            finished, self._reading = self._reading, None
            try:
                batches.append(finished.result())
            except Exception as error:
                return batches, error
            deadline = min(deadline, loop.time() + _GATHER_S)
        return batches, None

    async def cancel(self) -> None:
        """Give up the read that goes on, if any."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)


class _Runner:
    """Reads one source for ever."""

    def __init__(
        self, historian: Historian, actor: Actor, clock: PlantClock, known: Known, source: ReadingSource
    ) -> None:
        self._historian = historian
        self._actor = actor
        self._clock = clock
        self._known = known
        self._source = source
        self._failures = 0
        self._log = log.bind(source=source.id)

    async def run(self) -> None:
        """Read until cancelled, or until the configuration turns out wrong."""
        while True:
            try:
                await self._source.open()
            except InvalidInput as error:
                self._log.error("source given up: its configuration is wrong", reason=str(error))
                return
            except Exception as error:
                self._tell(error)
            else:
                await self._read_on()
            REOPENED.labels(self._source.id).inc()
            await self._wait()

    async def _read_on(self) -> None:
        """Store and acknowledge what the open source yields until it is lost, then close it."""
        gatherer = Gatherer(self._source)
        UP.labels(self._source.id).set(1)
        self._log.info("source opened")
        try:
            while True:
                batches, error = await gatherer.gather()
                await self._take_in(batches)
                if error is not None:
                    raise error
        except Exception as error:
            self._tell(error)
        finally:
            UP.labels(self._source.id).set(0)
            await gatherer.cancel()
            await self._close()

    async def _take_in(self, batches: Sequence[ReadingBatch]) -> None:
        if not batches:
            return
        taken = await self._stored(batches)
        for batch in batches:
            await batch.acknowledge()
        STORED.labels(self._source.id).inc(taken.stored)
        REPEATED.labels(self._source.id).inc(taken.repeated)
        QUARANTINED.labels(self._source.id).inc(taken.quarantined)
        NEWEST.labels(self._source.id).set(time.time())
        self._failures = 0

    async def _stored(self, batches: Sequence[ReadingBatch]) -> Taken:
        """Store until it succeeds: while the database is away, the source has to wait."""
        readings = [reading for batch in batches for reading in batch.readings]
        rejected = [thing for batch in batches for thing in batch.rejected]
        where = (self._historian, self._actor, self._clock, self._known, self._source.id)
        while True:
            try:
                return await store(*where, readings, rejected)
            except Unavailable as error:
                self._log.warning("readings wait for the database", readings=len(readings), reason=str(error))
                await self._wait()
            except (InvalidInput, Conflict) as error:
                # No single reading explains it, and sent again they would block the source for ever.
                self._log.error("readings refused by the database", readings=len(readings), reason=str(error))
                return await refuse_all(self._historian, self._actor, self._source.id, readings, rejected, str(error))

    def _tell(self, error: Exception) -> None:
        if isinstance(error, SourceLost):
            self._log.warning("source lost", reason=str(error))
        else:
            # A fault in one connector must not stop the others; it is told in full, and tried again.
            self._log.error("source failed", exc_info=error)

    async def _close(self) -> None:
        try:
            await self._source.close()
        except Exception as error:
            self._tell(error)

    async def _wait(self) -> None:
        await asyncio.sleep(_BACK_OFF_S[min(self._failures, len(_BACK_OFF_S) - 1)])
        self._failures += 1
