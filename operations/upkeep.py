"""What has to be done now and then, and nobody asks for."""

from __future__ import annotations

from datetime import timedelta

import structlog

from historian import accounts, quarantine
from historian.database import Historian
from plant.actor import Actor, Permission
from plant.ports import PlantClock

log = structlog.get_logger()


async def keep_up(historian: Historian, actor: Actor, clock: PlantClock, quarantine_kept: timedelta) -> None:
    """Keep the tables in shape, forget sessions whose time is over and old refusals; once an hour is enough.

    Parameters
    ----------
    quarantine_kept
        How long (wall time) what was refused is kept after it came last.
    """
    actor.require(Permission.INGEST_READINGS)
    await historian.keep_in_shape(clock.now())
    async with historian.transaction(actor, "drop expired sessions") as tx:
        await accounts.drop_expired_sessions(tx, tx.at)
    async with historian.transaction(actor, "drop old quarantine") as tx:
        dropped = await quarantine.drop_old(tx, tx.at - quarantine_kept)
    if dropped:
        log.info("old quarantine removed", removed=dropped, kept=str(quarantine_kept))
