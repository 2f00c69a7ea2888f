"""The machine shop as the base of scenarios."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from plant.folder import load, load_orders
from plant.snapshot import Snapshot
from scenarios.case import Case

SHOP = Path(__file__).parents[2] / "plants" / "machine_shop"


@cache
def machine_shop() -> Case:
    """Return the machine shop with its orders at its start."""
    plant = load(SHOP)
    return Case(plant, load_orders(SHOP, plant), Snapshot(plant.starts_at))
