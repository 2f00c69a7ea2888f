"""The plant clock's anchor: every process that knows it tells the same plant time."""

from __future__ import annotations

from historian.database import Channel, Transaction
from historian.queries import query
from plant.clock import Anchor

_ANCHOR = query("clock", "anchor")
_SET_ANCHOR = query("clock", "set_anchor")


async def anchor(tx: Transaction) -> Anchor | None:
    """Return the anchor in force, None before the first."""
    row = await tx.first(_ANCHOR)
    return None if row is None else Anchor(**row)


async def set_anchor(tx: Transaction, anchor: Anchor) -> None:
    """Put another anchor in force and tell the listeners of `Channel.CLOCK`."""
    await tx.execute(_SET_ANCHOR, {"plant": anchor.plant, "wall": anchor.wall, "rate": anchor.rate})
    await tx.notify(Channel.CLOCK)
