"""Messages to business systems, as the outbox keeps them."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


def new_message_id() -> str:
    """Return a new UUIDv7 (RFC 9562): sortable by the wall-clock millisecond in which it was made."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    value = (milliseconds & (2**48 - 1)) << 80 | 0x7 << 76 | (random >> 68) << 64 | 0b10 << 62 | random & (2**62 - 1)
    return str(uuid.UUID(int=value))


class MessageKind(StrEnum):
    """What a message asks of the MES."""

    DISPATCH = "dispatch"
    """Store or update a job order; refused if it has begun elsewhere."""


class DeliveryState(StrEnum):
    """What became of a message."""

    PENDING = "pending"
    DELIVERED = "delivered"
    REFUSED = "refused"


@dataclass(frozen=True)
class Receipt:
    """What the other end said: taken, or refused for good with its reason."""

    state: DeliveryState
    detail: str = ""


@dataclass(frozen=True)
class OutboxMessage:
    """A message waiting for delivery, in the order of `id` (UUIDv7) within its subject."""

    id: str
    kind: MessageKind
    subject: str
    payload: Mapping[str, Any]
    attempts: int = 0
    due_at: datetime | None = None
