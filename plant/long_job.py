"""Work that takes longer than a request: durable, with progress, cancellable."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from plant.text import Text


class LongJobKind(StrEnum):
    """What long jobs there are."""

    PLAN = "plan"
    CALIBRATION = "calibration"
    LEARNING = "learning"


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
        What it is about, in words: the reason of a plan, the history of a calibration, what is learned.
    share
        Part done, 0 to 1.
    doing
        What it is at.
    result
        Id of what it made, once done.
    error
        Why it failed.
    near
        Of a plan: whether it shall stay near to the one in force.
    """

    id: str
    kind: LongJobKind
    subject: Text
    requested_by: str
    state: LongJobState
    created_at: datetime
    share: float = 0.0
    doing: Text = ""
    result: str | None = None
    error: Text = ""
    near: bool = False

    def in_english(self) -> LongJob:
        """Return the same with plain texts, as other programs are told it."""
        return replace(self, subject=str(self.subject), doing=str(self.doing), error=str(self.error))
