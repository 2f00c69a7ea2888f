"""Upkeep takes away what is over, and nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from historian import accounts, quarantine
from historian.database import Historian
from operations.upkeep import keep_up
from plant.actor import SYSTEM, Actor, Role
from plant.clock import WallPlantClock, wall_now
from plant.errors import Denied
from plant.reading import Rejected

KEPT = timedelta(days=30)


async def test_only_sessions_whose_time_is_over_are_forgotten(historian: Historian) -> None:
    now = wall_now()
    async with historian.transaction(SYSTEM, "test") as tx:
        await accounts.save(tx, "ada", "hash", {Role.VIEWER})
        for digest, minutes in ((b"over", -1), (b"open", 60)):
            await accounts.open_session(tx, digest, "ada", now + timedelta(minutes=minutes))
    await keep_up(historian, SYSTEM, WallPlantClock(), KEPT)
    async with historian.transaction(SYSTEM, "test") as tx:
        assert [row["digest"] for row in await tx.all(b"select digest from session")] == [b"open"]


async def test_what_was_refused_is_removed_when_it_came_last_long_ago(historian: Historian) -> None:
    ages = {"over": 30 * 24 + 1, "kept": 30 * 24 - 1, "still coming": 90 * 24}  # hours since it came first
    async with historian.transaction(SYSTEM, "test") as tx:
        await quarantine.add(tx, *(Rejected("line", name, "unknown tag") for name in ages))
        for name, hours in ages.items():
            at = tx.at - timedelta(hours=hours)
            await tx.execute(b"update quarantine set first_at = %s, last_at = %s where payload = %s", [at, at, name])
        await quarantine.add(tx, Rejected("line", "still coming", "unknown tag"))
    await keep_up(historian, SYSTEM, WallPlantClock(), KEPT)
    async with historian.transaction(SYSTEM, "test") as tx:
        assert {one.payload for one in await quarantine.newest(tx)} == {"kept", "still coming"}
        assert await quarantine.counts(tx) == {"line": 3}


async def test_only_who_may_does(historian: Historian) -> None:
    with pytest.raises(Denied):
        await keep_up(historian, Actor("eve", frozenset({Role.VIEWER})), WallPlantClock(), KEPT)
