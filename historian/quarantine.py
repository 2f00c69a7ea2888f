"""What could not be taken in, with its payload and the reason. The same again is counted, not kept again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from historian.database import Transaction
from historian.queries import query
from plant.reading import Rejected

_ADD = query("quarantine", "add")
_COUNTS = query("quarantine", "counts")
_NEWEST = query("quarantine", "newest")
_DROP_OLD = query("quarantine", "drop_old")

_LONGEST = 4_000


@dataclass(frozen=True)
class Quarantined:
    """One refused thing; `repeats` tells how often it came, first and last seen at wall times."""

    source: str
    payload: str
    reason: str
    repeats: int
    first_at: datetime
    last_at: datetime


async def add(tx: Transaction, *rejected: Rejected) -> None:
    """Keep refused things; of a payload of more than 4,000 characters the beginning."""
    await tx.execute_many(_ADD, [_row(thing, tx.at) for thing in sorted(rejected, key=_key)])


async def counts(tx: Transaction) -> dict[str, int]:
    """Return how many things were refused, per source."""
    return {row["source"]: row["count"] for row in await tx.all(_COUNTS)}


async def newest(tx: Transaction, limit: int = 100) -> tuple[Quarantined, ...]:
    """Return what was refused last, newest first."""
    return tuple(Quarantined(**row) for row in await tx.all(_NEWEST, {"limit": limit}))


async def drop_old(tx: Transaction, before: datetime) -> int:
    """Remove what came last before a wall time and return how many things that were; what still comes is kept."""
    return await tx.execute(_DROP_OLD, {"before": before})


def _key(thing: Rejected) -> tuple[str, str]:
    """Rows are locked in one order."""
    return thing.source, _digest(thing)


def _digest(thing: Rejected) -> str:
    return hashlib.sha256(f"{thing.reason}\0{thing.payload}".encode(errors="replace")).hexdigest()


def _row(thing: Rejected, at: datetime) -> dict[str, object]:
    # PostgreSQL texts hold no NUL and no lone surrogates; a refused payload may well.
    payload = thing.payload[:_LONGEST].replace("\0", "\N{SYMBOL FOR NULL}").encode(errors="replace").decode()
    return {"source": thing.source, "digest": _digest(thing), "payload": payload, "reason": thing.reason, "at": at}
