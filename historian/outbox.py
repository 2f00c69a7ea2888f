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
from plant.errors import Conflict, InvalidInput
from plant.message import DeliveryState, MessageKind, OutboxMessage, Receipt, RefusedMessage

_ADD = query("outbox", "add")
_CLAIM = query("outbox", "claim")
_SETTLE = query("outbox", "settle")
_STATE = query("outbox", "state")
_POSTPONE = query("outbox", "postpone")
_PENDING = query("outbox", "pending")
_REFUSED = query("outbox", "refused")
_NEXT_DUE = query("outbox", "next_due")


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


async def claim(tx: Transaction, limit: int, now: datetime, lease: timedelta) -> list[OutboxMessage]:
    """Take up to `limit` due messages for the length of `lease`, the first pending one of each subject.

    Parameters
    ----------
    now
        Wall time.
    """
    rows = await tx.all(_CLAIM, {"limit": limit, "now": now, "until": now + lease})
    messages = [OutboxMessage(**{**row, "kind": MessageKind(row["kind"])}) for row in rows]
    return sorted(messages, key=lambda message: message.id)


async def settle(tx: Transaction, message_id: str, receipt: Receipt, now: datetime) -> None:
    """Note that a message was delivered, or refused for good.

    Raises
    ------
    Conflict
        When it was settled before as something else: two workers had it, and the other end said two things.
    """
    if receipt.state is DeliveryState.PENDING:
        raise InvalidInput(f"outbox message {message_id}: a receipt says delivered or refused, not pending")
    row = {"id": message_id, "state": receipt.state, "detail": receipt.detail, "at": now}
    if await tx.execute(_SETTLE, row) != 1:
        known = await tx.value(_STATE, {"id": message_id})
        if known != receipt.state:
            raise Conflict(f"outbox message {message_id} is {known or 'unknown'}; it cannot become {receipt.state}")
    await tx.notify(Channel.OUTBOX, message_id)


async def postpone(tx: Transaction, message_id: str, due_at: datetime, detail: str) -> None:
    """Put a message that could not be delivered off until `due_at` (wall time), keeping why."""
    await tx.execute(_POSTPONE, {"id": message_id, "due_at": due_at, "detail": detail})


async def pending(tx: Transaction) -> int:
    """Return how many messages wait."""
    return int(await tx.value(_PENDING))


async def refused(tx: Transaction) -> list[RefusedMessage]:
    """Return what was refused for good and is the last word about its subject, refused last first."""
    return [RefusedMessage(**{**row, "kind": MessageKind(row["kind"])}) for row in await tx.all(_REFUSED)]


async def next_due(tx: Transaction) -> datetime | None:
    """Return when the next message is due (wall time), None when none waits."""
    found: datetime | None = await tx.value(_NEXT_DUE)
    return found
