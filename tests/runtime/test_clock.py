"""The shared plant clock: follows the anchor in the database, outlives a plant or database that is away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from historian.database import Historian
from operations import clock as clock_operations
from plant.actor import SYSTEM
from plant.clock import Anchor
from plant.errors import Unavailable
from runtime import clock as clocks
from runtime.clock import SharedPlantClock, fetch_anchor
from tests.operations.shop import PLANT, at

WALL = datetime(2026, 11, 23, 12, tzinfo=UTC)
TOLD = {"plant": "2026-01-05T07:00:00+00:00", "wall": "2026-11-23T12:00:00+00:00", "rate": 60.0}
DEADLINE_S = 20


def _client(answer: Callable[[], httpx.Response]) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.MockTransport(lambda _: answer()))


async def test_a_plants_anchor_is_read() -> None:
    async with _client(lambda: httpx.Response(200, json=TOLD)) as client:
        assert await fetch_anchor(client, "http://plant/clock") == Anchor(at(3600), WALL, 60.0)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500, text="down"),
        httpx.Response(404),
        httpx.Response(200, text="no json"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={**TOLD, "rate": "fast"}),
        httpx.Response(200, json={**TOLD, "rate": -1}),
        httpx.Response(200, json={**TOLD, "rate": None}),
        httpx.Response(200, json={**TOLD, "plant": "soon"}),
        httpx.Response(200, json={**TOLD, "plant": "2026-01-05T07:00:00"}),
        httpx.Response(200, json={"plant": TOLD["plant"]}),
    ],
)
async def test_what_is_no_anchor_is_a_clock_that_does_not_answer(answer: httpx.Response) -> None:
    async with _client(lambda: answer) as client:
        with pytest.raises(Unavailable, match="clock at http://plant/clock"):
            await fetch_anchor(client, "http://plant/clock")


def test_before_the_plant_told_its_time_the_clock_stands_at_the_beginning() -> None:
    clock = SharedPlantClock(PLANT, None)
    assert clock.now() == PLANT.starts_at
    assert clock.anchor.rate == 0


async def test_it_follows_the_anchor_and_never_goes_back(historian: Historian) -> None:
    clock = SharedPlantClock(PLANT, None)
    following = asyncio.create_task(clock.follow(historian))
    await clock_operations.set_anchor(historian, SYSTEM, Anchor(at(7200), WALL, 0.0))
    await _until(lambda: clock.now() == at(7200))
    await clock_operations.set_anchor(historian, SYSTEM, Anchor(at(3600), WALL, 0.0))
    await _until(lambda: clock.anchor.plant == at(3600))
    assert clock.now() == at(7200)
    await _stop(following)


async def test_it_waits_for_a_database_that_is_away_and_misses_nothing(
    historian: Historian, monkeypatch: pytest.MonkeyPatch
) -> None:
    await clock_operations.set_anchor(historian, SYSTEM, Anchor(at(7200), WALL, 0.0))
    monkeypatch.setattr(clocks, "_POLL_S", 0.0)
    failures = iter([Unavailable("restarting")] * 3)
    read = clock_operations.anchor

    async def shaky(*args: Any) -> Anchor | None:
        for error in failures:
            raise error
        return await read(*args)

    monkeypatch.setattr(clock_operations, "anchor", shaky)
    clock = SharedPlantClock(PLANT, None)
    following = asyncio.create_task(clock.follow(historian))
    await _until(lambda: clock.now() == at(7200))
    await _stop(following)


async def test_what_passed_while_everything_was_stopped_is_no_plant_time(
    historian: Historian, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Anchor(at(3600), datetime.now(UTC) - timedelta(days=1), 60.0)
    await clock_operations.set_anchor(historian, SYSTEM, before)

    async def nothing(client: httpx.AsyncClient, url: str) -> Anchor:
        raise Unavailable("not started yet")

    monkeypatch.setattr(clocks, "fetch_anchor", nothing)
    clock = SharedPlantClock(PLANT, await clocks.anchor_at_start(historian, "http://plant/clock"))
    assert (clock.now(), clock.anchor.rate) == (at(3600), 0.0)
    standing = await clock_operations.anchor(historian, SYSTEM)
    assert standing == clock.anchor
    assert await clocks.anchor_at_start(historian, "http://plant/clock") == standing

    async def there(client: httpx.AsyncClient, url: str) -> Anchor:
        return Anchor(at(5400), WALL, 0.0)

    monkeypatch.setattr(clocks, "fetch_anchor", there)
    assert await clocks.anchor_at_start(historian, "http://plant/clock") == Anchor(at(5400), WALL, 0.0)
    following = asyncio.create_task(clock.follow(historian))
    await _until(lambda: clock.now() == at(5400))
    await _stop(following)


async def test_before_the_first_anchor_there_is_none(historian: Historian) -> None:
    assert await clocks.anchor_at_start(historian, "http://127.0.0.1:9/clock") is None


async def test_a_plant_that_is_gone_stands_still_until_it_is_back(
    historian: Historian, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clocks, "_POLL_S", 0.0)
    running = Anchor(at(3600), datetime.now(UTC), 60.0)
    there = True

    async def fetch(client: httpx.AsyncClient, url: str) -> Anchor:
        if not there:
            raise Unavailable("no answer")
        return running

    monkeypatch.setattr(clocks, "fetch_anchor", fetch)
    clock = SharedPlantClock(PLANT, None)
    tasks = [
        asyncio.create_task(clock.follow(historian)),
        asyncio.create_task(clocks.keep_clock(historian, clock, "http://plant/clock")),
    ]
    await _until(lambda: clock.anchor == running)
    there = False
    await _until(lambda: clock.anchor.rate == 0)
    stood = clock.now()
    assert stood >= at(3600)
    assert clock.anchor.plant <= stood <= clock.anchor.plant + timedelta(hours=1)
    there = True
    await _until(lambda: clock.anchor == running)
    for task in tasks:
        await _stop(task)


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not holds():  # noqa: ASYNC110 - what is waited for comes through the database
            await asyncio.sleep(0.01)


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
