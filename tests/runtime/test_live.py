"""Notifications of the database reach every subscriber; a slow one is told once of what happened many times."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from dashboard.views import Topic
from historian.database import Channel, Historian
from plant.actor import SYSTEM
from runtime.live import DatabaseLive

DEADLINE_S = 20


@pytest.fixture
async def live(historian: Historian) -> AsyncIterator[DatabaseLive]:
    """A listener that is connected: it has told everybody to look at everything."""
    listening = DatabaseLive(historian)
    async with listening.subscribe(frozenset({Topic.CLOCK})) as topics:
        task = asyncio.create_task(listening.run())
        assert await _next(topics) is Topic.CLOCK
    yield listening
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def _next(topics: AsyncIterator[Topic]) -> Topic:
    return await asyncio.wait_for(anext(topics), DEADLINE_S)


async def _notify(historian: Historian, *channels: Channel) -> None:
    for channel in channels:
        async with historian.transaction(SYSTEM, "test") as tx:
            await tx.notify(channel, "x")


@pytest.mark.parametrize(
    ("channel", "topics"),
    [
        (Channel.FLOOR, {Topic.FLOOR, Topic.HEALTH}),
        (Channel.PLANS, {Topic.PLANS}),
        (Channel.ORDERS, {Topic.PLANS, Topic.FLOOR, Topic.MESSAGES, Topic.HEALTH}),
        (Channel.JOBS, {Topic.JOBS}),
        (Channel.CLOCK, {Topic.CLOCK, Topic.FLOOR}),
        (Channel.TWIN, {Topic.TWIN}),
        (Channel.OUTBOX, {Topic.MESSAGES}),
    ],
)
async def test_what_changed_reaches_those_it_matters_to(
    historian: Historian, live: DatabaseLive, channel: Channel, topics: set[Topic]
) -> None:
    async with live.subscribe(frozenset(Topic)) as one, live.subscribe(frozenset(topics)) as other:
        await _notify(historian, channel)
        assert {await _next(one) for _ in topics} == topics
        assert {await _next(other) for _ in topics} == topics


async def test_others_hear_nothing_of_it(historian: Historian, live: DatabaseLive) -> None:
    async with live.subscribe(frozenset({Topic.JOBS})) as topics:
        await _notify(historian, Channel.FLOOR, Channel.PLANS, Channel.JOBS)
        assert await _next(topics) is Topic.JOBS


async def test_a_slow_page_hears_once_of_what_happened_many_times(historian: Historian, live: DatabaseLive) -> None:
    async with (
        live.subscribe(frozenset({Topic.PLANS, Topic.JOBS})) as slow,
        live.subscribe(frozenset({Topic.JOBS})) as quick,
    ):
        await _notify(historian, *[Channel.PLANS] * 20, Channel.JOBS)
        await _next(quick)  # all of it was heard
        assert {await _next(slow), await _next(slow)} == {Topic.PLANS, Topic.JOBS}
        await _notify(historian, Channel.JOBS)
        assert await _next(slow) is Topic.JOBS


async def test_a_page_that_left_is_forgotten(historian: Historian, live: DatabaseLive) -> None:
    async with live.subscribe(frozenset(Topic)):
        assert len(live._subscribers) == 1
    assert not live._subscribers
    await _notify(historian, Channel.FLOOR)


async def test_after_a_broken_connection_everybody_looks_at_everything(
    historian: Historian, live: DatabaseLive
) -> None:
    async with live.subscribe(frozenset({Topic.PLANS})) as topics:
        async with historian.transaction(SYSTEM, "test") as tx:
            await tx.execute(
                b"select pg_terminate_backend(pid) from pg_stat_activity"
                b" where datname = current_database() and query like 'LISTEN%'"
            )
            await tx.execute(
                b"select pg_terminate_backend(pid) from pg_stat_activity"
                b" where datname = current_database() and query like 'listen%'"
            )
        assert await _next(topics) is Topic.PLANS
