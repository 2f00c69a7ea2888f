"""Messages to business systems, as the outbox keeps them."""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

_last_tick = 0
_one_at_a_time = threading.Lock()


def new_message_id() -> str:
    """Return a new UUIDv7 (RFC 9562): those of one process sort in the order in which they were made.

    Its first 60 bits are the wall clock in 4096ths of a millisecond (the RFC's method 3), each id at least one later
    than the one before; 62 bits are random.
    """
    global _last_tick
    with _one_at_a_time:
        tick = _last_tick = max(time.time_ns() * 4096 // 1_000_000, _last_tick + 1)
    random = int.from_bytes(os.urandom(8), "big") & (2**62 - 1)
    value = (tick >> 12 & (2**48 - 1)) << 80 | 0x7 << 76 | (tick & 0xFFF) << 64 | 0b10 << 62 | random
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


@dataclass(frozen=True)
class RefusedMessage:
    """A message that the other end refused for good: it is parked until it is sent again or a later one replaces it.

    Attributes
    ----------
    reason
        What the other end said.
    attempts
        How often it was sent.
    created_at, refused_at
        Wall times.
    """

    id: str
    kind: MessageKind
    subject: str
    payload: Mapping[str, Any]
    reason: str
    attempts: int
    created_at: datetime
    refused_at: datetime
