"""Moments in forms: on the plant's clock, as whoever fills them in reads it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import dash_mantine_components as dmc
from dash.development.base_component import Component

from dashboard.words import Words
from plant.errors import InvalidInput


def moment_picker(id_: str, label: str, now: datetime, say: Words, **more: Any) -> Component:
    """Return the field of a form in which a moment is chosen.

    Parameters
    ----------
    now
        The plant's: the calendar opens at its month, which need not be that of the reader's computer.
    more
        Other properties of the picker.
    """
    return dmc.DateTimePicker(
        id=id_, label=label, defaultDate=form_time(now, say), valueFormat="YYYY-MM-DD HH:mm", **more
    )


def form_time(moment: datetime, say: Words) -> str:
    """Return a moment as the form has it: on the plant's clock, to the second."""
    return f"{say.local(moment):%Y-%m-%d %H:%M:%S}"


def plant_time(text: str, say: Words) -> datetime:
    """Return the moment of a time on the plant's clock, or raise `InvalidInput`."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(say.timezone)).astimezone(UTC)
    except ValueError:
        raise InvalidInput(say("Choose a day and a time.")) from None
