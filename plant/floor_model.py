"""The floor as its open simulation sees it: what is to be made, in what, by whom, from one moment on, in seconds.

`plant.work.Work` is for engines that follow a plan; here nothing fixes the sequences, and demand may have no end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from plant.calendar import WorkingTime
from plant.checks import require, require_aware
from plant.order import Priority
from plant.plant import Plant
from plant.snapshot import MachineSnapshot
from plant.work import Running


@dataclass(frozen=True)
class FloorOrder:
    """A production order that is still to be made, or to be gone on with.

    Attributes
    ----------
    customer_order
        What it is made for.
    release_s
        Earliest begin, seconds since the epoch.
    components
        Production orders that must be complete before it begins, and the pieces of each that one piece takes.
    first
        Place in the routing of the first operation that is still to be done.
    running
        Set where that operation has begun.
    """

    id: str
    customer_order: str
    item: str
    quantity: int
    release_s: float
    due_s: float
    priority: Priority = Priority.NORMAL
    components: Mapping[str, float] = field(default_factory=dict)
    first: int = 0
    running: Running | None = None


@dataclass(frozen=True, eq=False)
class FloorModel:
    """A plant, what it has to make, and how it stands at `epoch`. Compared by identity: it is large.

    Attributes
    ----------
    orders
        Production orders, components before what consumes them. `plant.arrivals` come on top.
    calendars, people
        Working time by calendar id, and by person (absences taken out). After the horizon the last window goes on.
    machines
        How machines stand; one that is missing stands empty, set up for nothing.
    stock
        Pieces on hand of purchased items; the plant's where one is missing.
    """

    plant: Plant
    epoch: datetime
    orders: tuple[FloorOrder, ...]
    calendars: Mapping[str, WorkingTime]
    people: Mapping[str, WorkingTime]
    machines: Mapping[str, MachineSnapshot] = field(default_factory=dict)
    stock: Mapping[str, Decimal] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_aware("epoch", self.epoch)
        seen: set[str] = set()
        for order in self.orders:
            require(order.id not in seen, f"production order {order.id} appears twice")
            missing = [name for name in order.components if name not in seen]
            require(not missing, f"production order {order.id}: components {missing} are unknown or stand after it")
            seen.add(order.id)

    def seconds(self, moment: datetime) -> float:
        """Return `moment` as seconds since the epoch."""
        return (moment - self.epoch).total_seconds()

    def moment(self, seconds: float) -> datetime:
        """Return the UTC moment `seconds` after the epoch."""
        return self.epoch + timedelta(seconds=seconds)
