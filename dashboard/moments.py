"""Moments in forms: on the plant's clock, as whoever fills them in reads it."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from dashboard.words import Words
from plant.errors import InvalidInput


def form_time(moment: datetime, say: Words) -> str:
    """Return a moment as the form has it: on the plant's clock, to the second."""
    return f"{say.local(moment):%Y-%m-%d %H:%M:%S}"


def plant_time(text: str, say: Words) -> datetime:
    """Return the moment of a time on the plant's clock, or raise `InvalidInput`."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(say.timezone)).astimezone(UTC)
    except ValueError:
        raise InvalidInput(say("Choose a day and a time.")) from None
