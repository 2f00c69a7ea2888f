"""Work that takes longer than a request: durable, with progress, cancellable."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class LongJobKind(StrEnum):
    """What long jobs there are."""

    PLAN = "plan"


class LongJobState(StrEnum):
    """How far a long job is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Tell whether nothing more will happen."""
        return self in {LongJobState.DONE, LongJobState.FAILED, LongJobState.CANCELLED}


@dataclass(frozen=True)
class LongJob:
    """Work in the background.

    Attributes
    ----------
    subject
        What it is about, in words: the reason of a plan.
    share
        Part done, 0 to 1.
    doing
        What it is at.
    result
        Id of what it made, once done.
    error
        Why it failed.
    """

    id: str
    kind: LongJobKind
    subject: str
    requested_by: str
    state: LongJobState
    created_at: datetime
    share: float = 0.0
    doing: str = ""
    result: str | None = None
    error: str = ""
