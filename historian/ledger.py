"""Who changed what, when and how: written with each change, each entry bearing its own hash."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from psycopg.types.json import Json

from historian.database import Transaction
from historian.queries import query
from plant.version import canonical, hash_of

_APPEND = query("ledger", "append")
_ENTRIES = query("ledger", "entries")


@dataclass(frozen=True)
class Entry:
    """One change: `subject` (such as ``plan/p-1``) was changed by `kind` from `before` to `after` (JSON documents)."""

    at: datetime
    actor: str
    use_case: str
    subject: str
    kind: str
    before: Any
    after: Any
    hash: str

    @property
    def intact(self) -> bool:
        """Tell whether the hash is that of the content."""
        return self.hash == _hash(self.at, self.actor, self.use_case, self.subject, self.kind, self.before, self.after)


async def append(tx: Transaction, subject: str, kind: str, before: Any = None, after: Any = None) -> str:
    """Write an entry for a change made in this transaction and return its hash.

    Parameters
    ----------
    before, after
        Value objects or JSON documents, None where there is nothing.
    """
    before, after = _plain(before), _plain(after)
    digest = _hash(tx.at, tx.actor.name, tx.use_case, subject, kind, before, after)
    row = {
        "at": tx.at,
        "actor": tx.actor.name,
        "use_case": tx.use_case,
        "subject": subject,
        "kind": kind,
        "before": _json(before),
        "after": _json(after),
        "hash": digest,
    }
    await tx.execute(_APPEND, row)
    return digest


async def entries(tx: Transaction, subject: str | None = None, limit: int = 100) -> tuple[Entry, ...]:
    """Return the newest entries, of one subject or of all, newest first."""
    return tuple(Entry(**row) for row in await tx.all(_ENTRIES, {"subject": subject, "limit": limit}))


def _plain(thing: Any) -> Any:
    return None if thing is None else json.loads(canonical(thing))


def _json(thing: Any) -> Json | None:
    return None if thing is None else Json(thing)


def _hash(at: datetime, *rest: Any) -> str:
    return hash_of([at.astimezone(UTC).isoformat(timespec="microseconds"), *rest])
