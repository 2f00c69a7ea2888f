"""The plant clock's anchor, shared by all processes through the database."""

from __future__ import annotations

from historian import clock
from historian.database import Historian
from plant.actor import Actor, Permission
from plant.clock import Anchor


async def set_anchor(historian: Historian, actor: Actor, anchor: Anchor) -> None:
    """Store the anchor and wake whoever tells time; the same anchor again changes nothing."""
    actor.require(Permission.KEEP_CLOCK)
    async with historian.transaction(actor, "set clock") as tx:
        if await clock.anchor(tx) != anchor:
            await clock.set_anchor(tx, anchor)


async def anchor(historian: Historian, actor: Actor) -> Anchor | None:
    """Return the anchor in force, None before the first."""
    actor.require(Permission.VIEW_FLOOR)
    async with historian.transaction(actor, "read clock") as tx:
        return await clock.anchor(tx)
