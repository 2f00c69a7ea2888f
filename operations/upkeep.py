"""What has to be done now and then, and nobody asks for."""

from __future__ import annotations

from historian import accounts
from historian.database import Historian
from plant.actor import Actor, Permission
from plant.ports import PlantClock


async def keep_up(historian: Historian, actor: Actor, clock: PlantClock) -> None:
    """Keep the tables in shape and forget sessions whose time is over; once an hour is enough."""
    actor.require(Permission.INGEST_READINGS)
    await historian.keep_in_shape(clock.now())
    async with historian.transaction(actor, "drop expired sessions") as tx:
        await accounts.drop_expired_sessions(tx, tx.at)
