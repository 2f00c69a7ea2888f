"""A job order that somebody fixed to a machine and a moment; every plan keeps to it until it is taken off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from plant.checks import require_aware, require_text


@dataclass(frozen=True)
class JobLock:
    """Where a job order is made, when its machine is to begin with it (changeover included), and who wants it so.

    Attributes
    ----------
    start_at
        Plant time.
    """

    job_order: str
    machine: str
    start_at: datetime
    locked_by: str

    def __post_init__(self) -> None:
        for name in ("job_order", "machine", "locked_by"):
            require_text(name, getattr(self, name))
        require_aware("start_at", self.start_at)
