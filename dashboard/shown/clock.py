"""The plant clock, as pages show it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class ClockView:
    """The plant clock as a page carries it on by itself until it hears otherwise.

    Attributes
    ----------
    plant
        The plant's name.
    now
        Plant time when this was read, UTC.
    rate
        Plant seconds per wall second (0: paused).
    runs_until
        Plant time at which it jumps over closed hours (None: it never jumps).
    """

    plant: str
    timezone: str
    now: datetime
    rate: float
    runs_until: datetime | None = None
