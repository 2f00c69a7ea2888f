"""What is measured of one future: named numbers with a unit and a direction."""

from __future__ import annotations

from dataclasses import dataclass

from plant.errors import NotFound
from plant.folder_table import unknown


@dataclass(frozen=True)
class Measure:
    """One number per future.

    Attributes
    ----------
    unit
        ``"h"``, ``"1"`` for a share, ``"1/d"`` for orders a day, ``"orders"``.
    more_is_better
        Which way an improvement goes.
    means
        What it is, in a sentence.
    """

    id: str
    name: str
    unit: str
    more_is_better: bool
    means: str


MEASURES: tuple[Measure, ...] = (
    Measure(
        "lead_time", "lead time", "h", False, "mean over orders of the clock hours from being ordered to being complete"
    ),
    Measure("on_time", "on time", "1", True, "share of the orders that are complete when they are due"),
    Measure("tardiness", "tardiness", "h", False, "hours late, weighted by priority, summed over orders"),
    Measure("throughput", "throughput", "1/d", True, "orders a day until the last one is complete"),
    Measure("oee", "OEE", "1", True, "over all machines, each until its last operation"),
    Measure(
        "wip", "work in process", "orders", False, "orders begun and not complete, mean until the last is complete"
    ),
)
"""All measures; columns of a sample are in this order."""

COLUMN = {measure.id: column for column, measure in enumerate(MEASURES)}


def measure_named(name: str) -> Measure:
    """Return a measure by its id, or raise `NotFound`."""
    for measure in MEASURES:
        if measure.id == name.replace("-", "_"):
            return measure
    raise NotFound(unknown("measure", name, list(COLUMN)))
