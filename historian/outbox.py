"""Messages on their way to business systems: kept with the change that made them, delivered after it.

A claim is a lease: the worker that took a message sends it outside any transaction and then settles it; when the
worker dies, the lease runs out and the message is sent again under the same id. Messages of one subject go out one
after the other, in the order of their ids.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from historian.database import Channel, Transaction
from historian.documents import jsonb
from historian.queries import query
from plant.errors import Conflict
from plant.message import DeliveryState, MessageKind, OutboxMessage, Receipt

_ADD = query("outbox", "add")
_CLAIM = query("outbox", "claim")
_SETTLE = query("outbox", "settle")
_RETRY = query("outbox", "retry")
_PENDING = query("outbox", "pending")
_NEXT_DUE = query("outbox", "next_due")
_NEXT_REVISION = query("outbox", "next_revision")

_LONGEST_WAIT_S = 60.0


async def add(tx: Transaction, message: OutboxMessage) -> None:
    """Keep a message for delivery, due at once or at its `due_at` (wall time)."""
    row = {
        "id": message.id,
        "kind": message.kind,
        "subject": message.subject,
        "payload": jsonb(dict(message.payload)),
        "at": message.due_at or tx.at,
    }
    await tx.execute(_ADD, row)
    await tx.notify(Channel.OUTBOX)


async def claim(tx: Transaction, limit: int, now: datetime, lease_s: float = 30.0) -> tuple[OutboxMessage, ...]:
    """Take up to `limit` due messages for `lease_s` seconds, the first pending one of each subject.

    Parameters
    ----------
    now
        Wall time.
    """
    until = now + timedelta(seconds=lease_s)
    rows = await tx.all(_CLAIM, {"limit": limit, "now": now, "until": until})
    messages = [OutboxMessage(**{**row, "kind": MessageKind(row["kind"])}) for row in rows]
    return tuple(sorted(messages, key=lambda message: message.id))


async def settle(tx: Transaction, message_id: str, receipt: Receipt) -> None:
    """Note that a message was delivered, or refused for good; only once, or `Conflict`."""
    row = {"id": message_id, "state": receipt.state, "detail": receipt.detail, "at": tx.at}
    if receipt.state is DeliveryState.PENDING or await tx.execute(_SETTLE, row) != 1:
        raise Conflict(f"outbox message {message_id} cannot be settled as {receipt.state}: it is not pending")
    await tx.notify(Channel.OUTBOX, message_id)


async def retry(tx: Transaction, message: OutboxMessage, now: datetime, detail: str) -> datetime:
    """Put a message that could not be delivered off, longer each time, and return until when (wall time)."""
    due_at = now + timedelta(seconds=retry_after_s(message.attempts))
    await tx.execute(_RETRY, {"id": message.id, "due_at": due_at, "detail": detail})
    return due_at


def retry_after_s(attempts: int) -> float:
    """Return how long to wait after `attempts` failed ones: 0.5 s, 1 s, 2 s, ... at most a minute."""
    return float(min(0.5 * 2.0 ** min(attempts - 1, 20), _LONGEST_WAIT_S))


async def pending(tx: Transaction) -> int:
    """Return how many messages wait."""
    return int(await tx.value(_PENDING))


async def next_due(tx: Transaction) -> datetime | None:
    """Return when the next message is due (wall time), None when none waits."""
    found: datetime | None = await tx.value(_NEXT_DUE)
    return found


async def next_revision(tx: Transaction) -> int:
    """Return a number above all it returned before: the receiver keeps the highest it has seen."""
    return int(await tx.value(_NEXT_REVISION))
