"""Work that takes longer than a request: durable, with progress, cancellable."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class LongJobKind(StrEnum):
    """What long jobs there are."""

    PLAN = "plan"


class LongJobState(StrEnum):
    """Where long work stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Tell whether nothing more will happen."""
        return self not in {LongJobState.QUEUED, LongJobState.RUNNING}


@dataclass(frozen=True)
class LongJob:
    """One piece of long work; its times are wall times, `share` runs from 0 to 1."""

    id: str
    kind: str
    subject: str
    actor: str
    state: LongJobState
    share: float
    doing: str
    result: Any
    error: str
    cancel_requested: bool
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None
