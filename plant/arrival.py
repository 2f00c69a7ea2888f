"""Demand without end: streams of arrivals, and closed loops that keep the work in process constant."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from plant.checks import require, require_not_negative, require_text
from plant.distribution import Distribution
from plant.order import Priority


class WhenFull(StrEnum):
    """What becomes of an arrival for which the first machine's input buffer has no place."""

    WAIT = "wait"
    LOST = "lost"


@dataclass(frozen=True)
class ArrivalStream:
    """Production orders that arrive one after another, or a fixed number of them that are always in process.

    Attributes
    ----------
    item, quantity
        What each of them makes, and how many pieces.
    interarrival
        Clock seconds from one arrival to the next (the first one counts from the beginning); None in a closed loop.
    wip
        Closed loop: so many orders are released at the beginning, and one more for each that is completed.
    due_after_s
        Clock seconds from arrival to due date, None: no due date.
    """

    id: str
    item: str
    quantity: int = 1
    interarrival: Distribution | None = None
    wip: int | None = None
    when_full: WhenFull = WhenFull.WAIT
    due_after_s: float | None = None
    priority: Priority = Priority.NORMAL

    def __post_init__(self) -> None:
        require_text("arrivals id", self.id)
        require(self.quantity >= 1, f"arrivals {self.id}: quantity must be at least 1, not {self.quantity!r}")
        both = (self.interarrival is None) == (self.wip is None)
        require(not both, f"arrivals {self.id}: give either interarrival or wip")
        if self.interarrival is not None:
            require(self.interarrival.mean > 0, f"arrivals {self.id}: the mean interarrival time must be above 0")
        require(self.wip is None or self.wip >= 1, f"arrivals {self.id}: wip must be at least 1, not {self.wip!r}")
        if self.due_after_s is not None:
            require_not_negative("due_after_s", self.due_after_s)
