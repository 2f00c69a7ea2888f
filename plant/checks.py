"""Small checks that value objects run when they are built; each error names the field and the value."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from plant.errors import InvalidInput
from plant.text import Text, told

MOST_WORKERS = 64
"""Searches side by side, at most."""


def require(condition: bool, message: Text) -> None:
    """Raise `InvalidInput` with `message` unless `condition` holds."""
    if not condition:
        raise InvalidInput(message)


def require_text(name: str, value: str) -> None:
    """Refuse an empty or padded text."""
    require(
        bool(value) and value == value.strip(),
        f"{name} must be a non-empty text without outer spaces, not {value!r}",
    )


def require_positive(name: str, value: float) -> None:
    """Refuse anything but a finite number above zero."""
    require(math.isfinite(value) and value > 0, f"{name} must be a number above 0, not {value!r}")


def require_finite(name: str, value: float) -> None:
    """Refuse infinity and what is no number."""
    if not math.isfinite(value):  # words only where they are needed: works have thousands of tasks
        raise InvalidInput(f"{name} must be a finite number, not {value!r}")


def require_not_negative(name: str, value: float) -> None:
    """Refuse anything but a finite number of at least zero."""
    require(math.isfinite(value) and value >= 0, f"{name} must be a number of at least 0, not {value!r}")


def require_workers(count: int) -> None:
    """Refuse a number of parallel searches that no machine is meant for; each has its own memory."""
    require(
        1 <= count <= MOST_WORKERS,
        told("workers must be 1 to {most}, not {workers}", most=MOST_WORKERS, workers=count),
    )


def require_aware(name: str, value: datetime) -> None:
    """Refuse a datetime that is not in UTC: a naive time is an error, a local one is converted at the edge."""
    if value.tzinfo is UTC:  # nearly every one, and a hundred thousand readings are looked at
        return
    require(
        value.tzinfo is not None and value.utcoffset() == timedelta(0),
        f"{name} must be a UTC datetime with its time zone, not {value!r}",
    )
