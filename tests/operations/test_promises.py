"""`operations.promises`: the order that is asked about."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from operations.promises import Question, order_of
from plant.errors import InvalidInput
from plant.folder import load

MACHINE_SHOP = Path(__file__).parents[2] / "plants" / "machine_shop"


def test_a_date_that_has_passed_is_told_on_the_plants_clock() -> None:
    plant = load(MACHINE_SHOP)
    due_at = plant.starts_at - timedelta(days=1)
    local = due_at.astimezone(ZoneInfo(plant.timezone))
    assert local.utcoffset(), "a plant whose clock is not UTC"
    with pytest.raises(InvalidInput, match=f"{local:%H:%M} has passed; ask for a later date"):
        order_of(plant, Question("SH-20", 1, due_at), plant.starts_at)
