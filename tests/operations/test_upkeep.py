"""Upkeep takes away what is over, and nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from historian import accounts
from historian.database import Historian
from operations.upkeep import keep_up
from plant.actor import SYSTEM, Actor, Role
from plant.clock import WallPlantClock, wall_now
from plant.errors import Denied


async def test_only_sessions_whose_time_is_over_are_forgotten(historian: Historian) -> None:
    now = wall_now()
    async with historian.transaction(SYSTEM, "test") as tx:
        await accounts.save(tx, "ada", "hash", {Role.VIEWER})
        for digest, minutes in ((b"over", -1), (b"open", 60)):
            await accounts.open_session(tx, digest, "ada", now + timedelta(minutes=minutes))
    await keep_up(historian, SYSTEM, WallPlantClock())
    async with historian.transaction(SYSTEM, "test") as tx:
        assert [row["digest"] for row in await tx.all(b"select digest from session")] == [b"open"]


async def test_only_who_may_does(historian: Historian) -> None:
    with pytest.raises(Denied):
        await keep_up(historian, Actor("eve", frozenset({Role.VIEWER})), WallPlantClock())
