"""What was learned of how to look for plans, and what of it is in use."""

from __future__ import annotations

from historian.database import Channel, Transaction
from historian.documents import document, jsonb, restore
from historian.queries import query
from plant.learned import Learned, LearnedRecord

_INSERT = query("learned", "insert")
_NEWEST = query("learned", "newest")
_IN_USE = query("learned", "in_use")
_ADOPT = query("learned", "adopt")
_LOCK = query("learned", "lock")


async def insert(tx: Transaction, learned: Learned) -> bool:
    """Keep what was learned; False when the same is kept already."""
    row = {
        "id": learned.id,
        "plant_version": learned.plant_version,
        "made_at": tx.at,
        "made_by": tx.actor.name,
        "document": jsonb(document(learned)),
    }
    is_new = await tx.execute(_INSERT, row) == 1
    if is_new:
        await tx.notify(Channel.TWIN, learned.id)
    return is_new


async def newest(tx: Transaction, limit: int = 20) -> list[LearnedRecord]:
    """Return what was learned last, newest first; what is in use is always among it."""
    rows = await tx.all(_NEWEST, {"limit": limit})
    return [
        LearnedRecord(restore(Learned, row["document"]), row["made_at"], row["made_by"], row["used_since"])
        for row in rows
    ]


async def lock(tx: Transaction) -> None:
    """Keep everybody else from adopting until the transaction ends."""
    await tx.execute(_LOCK)


async def in_use(tx: Transaction) -> Learned | None:
    """Return what planning uses, None for the unlearned."""
    found = await tx.value(_IN_USE)
    return None if found is None else restore(Learned, found)


async def adopt(tx: Transaction, learned_id: str | None) -> None:
    """Have planning use what was learned, or (None) the unlearned. `lock` comes first."""
    await tx.execute(_ADOPT, {"learned": learned_id, "at": tx.at, "actor": tx.actor.name})
    await tx.notify(Channel.TWIN, learned_id or "")
