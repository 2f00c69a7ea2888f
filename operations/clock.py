"""The plant clock's anchor, shared by all processes through the database."""

from __future__ import annotations

from historian import clock
from operations.store import Store
from plant.actor import Actor, Permission
from plant.clock import Anchor


async def set_anchor(store: Store, actor: Actor, anchor: Anchor) -> None:
    """Store the anchor and wake whoever tells time; the same anchor again changes nothing."""
    actor.require(Permission.KEEP_CLOCK)
    async with store.transaction(actor, "set clock") as tx:
        if await clock.anchor(tx, store.site) != anchor:
            await clock.set_anchor(tx, store.site, anchor)


async def anchor(store: Store, actor: Actor) -> Anchor | None:
    """Return the anchor in force, None before the first."""
    actor.require(Permission.VIEW_FLOOR)
    async with store.transaction(actor, "read clock") as tx:
        return await clock.anchor(tx, store.site)
