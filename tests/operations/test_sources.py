"""Sources are kept read: acknowledged after the commit only, reopened when lost, none stopping another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import pytest
from prometheus_client import REGISTRY

from historian import samples
from historian.database import Historian
from operations import sources
from plant.actor import SYSTEM
from plant.errors import InvalidInput, SourceLost, Unavailable
from plant.ports import ReadingSource
from plant.reading import Reading, ReadingBatch, Rejected, Signal
from tests.operations.test_ingest import SHOP, Standing, reading

DEADLINE_S = 20


@dataclass
class Scripted:
    """A source that does what its queue says: yields a batch, or raises."""

    id: str
    script: asyncio.Queue[list[Reading] | Exception] = field(default_factory=asyncio.Queue)
    opened: int = 0
    closed: int = 0
    acknowledged: list[Reading] = field(default_factory=list)
    open_errors: list[Exception] = field(default_factory=list)
    rejected: tuple[Rejected, ...] = ()
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def open(self) -> None:
        self.opened += 1
        await self.tell()
        if self.open_errors:
            raise self.open_errors.pop(0)

    async def read(self) -> ReadingBatch:
        step = await self.script.get()
        if isinstance(step, Exception):
            raise step
        return ReadingBatch(tuple(step), partial(self.acknowledge, step), self.rejected)

    async def close(self) -> None:
        self.closed += 1

    async def acknowledge(self, readings: list[Reading]) -> None:
        self.acknowledged += readings
        await self.tell()

    async def tell(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with self.changed:
            await asyncio.wait_for(self.changed.wait_for(condition), DEADLINE_S)


def powers(*seconds: float, machine: str = "L1") -> list[Reading]:
    return [reading(machine, Signal.POWER, second, 1.0) for second in seconds]


@asynccontextmanager
async def running(historian: Historian, *read: ReadingSource) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.ensure_future(sources.run(historian, SYSTEM, Standing(), SHOP, read))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def stored(historian: Historian) -> int:
    async with historian.transaction(SYSTEM, "test") as tx:
        return int(await tx.value(b"select count(*) from sample"))


def counted(name: str, source: str) -> float:
    return REGISTRY.get_sample_value(name, {"source": source}) or 0.0


async def test_what_a_source_yields_is_stored_then_acknowledged(historian: Historian) -> None:
    source = Scripted("yields")
    async with running(historian, source):
        for second in range(5):
            source.script.put_nowait(powers(second))
        await source.until(lambda: len(source.acknowledged) == 5)
        assert await stored(historian) == 5
        assert counted("forerun_source_up", "yields") == 1
    assert source.closed == 1
    assert counted("forerun_readings_stored_total", "yields") == 5
    assert counted("forerun_source_up", "yields") == 0


async def test_a_lost_source_is_opened_again_and_what_came_before_is_stored(historian: Historian) -> None:
    source = Scripted("lost", open_errors=[SourceLost("not there yet")])
    source.script.put_nowait(powers(1))
    source.script.put_nowait(SourceLost("cable pulled"))
    source.script.put_nowait(powers(1, 2))
    async with running(historian, source):
        await source.until(lambda: len(source.acknowledged) == 3)
    assert source.opened == 3
    assert await stored(historian) == 2
    assert counted("forerun_source_reopened_total", "lost") == 2
    assert counted("forerun_readings_repeated_total", "lost") == 1


@pytest.mark.parametrize("error", [InvalidInput("no such option"), ZeroDivisionError("a fault of ours")])
async def test_a_source_that_cannot_work_does_not_stop_the_others(historian: Historian, error: Exception) -> None:
    bad, good = Scripted("bad", open_errors=[error]), Scripted("good")
    async with running(historian, bad, good) as task:
        await bad.until(lambda: bad.opened > 0)
        good.script.put_nowait(powers(1))
        await good.until(lambda: bool(good.acknowledged))
        assert not task.done()


async def test_nothing_is_acknowledged_while_the_database_is_away(
    historian: Historian, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, tries = Scripted("waits"), 0
    real = samples.write

    async def write(*arguments: object) -> samples.Written:
        nonlocal tries
        tries += 1
        assert not source.acknowledged
        if tries < 3:
            raise Unavailable("the database is away")
        return await real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(samples, "write", write)
    async with running(historian, source):
        source.script.put_nowait(powers(1))
        await source.until(lambda: bool(source.acknowledged))
    assert tries == 3
    assert await stored(historian) == 1


async def test_readings_the_database_refuses_are_quarantined_and_do_not_block(
    historian: Historian, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, real = Scripted("refused", rejected=(Rejected("refused", "?", "malformed"),)), samples.write

    async def write(tx: object, readings: list[Reading]) -> samples.Written:
        if readings == powers(1):
            raise InvalidInput("the database refuses a value")
        return await real(tx, readings)  # type: ignore[arg-type]

    monkeypatch.setattr(samples, "write", write)
    async with running(historian, source):
        source.script.put_nowait(powers(1))
        await source.until(lambda: len(source.acknowledged) == 1)
        source.script.put_nowait(powers(2))
        await source.until(lambda: len(source.acknowledged) == 2)
    assert await stored(historian) == 1
    assert counted("forerun_readings_quarantined_total", "refused") == 3


async def test_what_comes_close_together_is_gathered_up_to_a_limit() -> None:
    source = Scripted("gathers")
    for second in range(3):
        source.script.put_nowait(powers(second))
    gatherer = sources.Gatherer(source)
    batches, error = await gatherer.gather()
    assert [batch.readings[0] for batch in batches] == powers(0, 1, 2)
    assert error is None
    source.script.put_nowait(powers(*range(6000)))
    source.script.put_nowait(powers(7))
    batches, error = await gatherer.gather()
    assert [len(batch.readings) for batch in batches] == [6000]
    await gatherer.cancel()
