"""What is made and how: items, bills of material, routings and their operations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from plant.checks import require, require_aware, require_not_negative, require_text
from plant.distribution import Distribution


class ItemKind(StrEnum):
    """Where an item comes from."""

    MADE = "made"
    PURCHASED = "purchased"


@dataclass(frozen=True)
class BomLine:
    """`quantity` pieces of `item` go into one piece of the parent."""

    item: str
    quantity: Decimal

    def __post_init__(self) -> None:
        require_text("BOM item", self.item)
        require(
            self.quantity.is_finite() and self.quantity > 0,
            f"BOM quantity of {self.item} must be above 0, not {self.quantity}",
        )


class Attendance(StrEnum):
    """What of a task somebody must be there for."""

    NONE = "none"
    SETUP = "setup"
    ALL = "all"


@dataclass(frozen=True)
class Rework:
    """What an inspection sends back.

    Attributes
    ----------
    ratio
        Share of the pieces it lets pass that must be done again.
    to
        Operation of the same routing from which on they are done again; it stands at or before the inspection.
    limit
        How often one piece may go back; after that it is scrap. None: as often as it takes.
    """

    ratio: float
    to: str
    limit: int | None = None

    def __post_init__(self) -> None:
        require_text("rework: to", self.to)
        require(0 <= self.ratio <= 1, f"rework: ratio must be at least 0 and at most 1, not {self.ratio!r}")
        ends = self.ratio < 1 or self.limit is not None
        require(ends, "rework: a ratio of 1 needs a limit, or no piece would ever leave")
        require(self.limit is None or self.limit >= 1, f"rework: limit must be at least 1, not {self.limit!r}")


@dataclass(frozen=True)
class Incoming:
    """Pieces of a purchased item that are on the way."""

    at: datetime
    quantity: Decimal

    def __post_init__(self) -> None:
        require_aware("at", self.at)
        require(self.quantity.is_finite() and self.quantity > 0, f"a delivery is above 0, not {self.quantity}")


@dataclass(frozen=True)
class Replenishment:
    """How the stock of a purchased item is kept: at `reorder_point` or below, `quantity` more are ordered.

    What is compared is the stock on hand and on order without what released orders will still take.

    Attributes
    ----------
    lead_time
        Clock seconds from ordering to arrival; None: the item's `lead_time_s`.
    deliveries
        What is on order at the start.
    """

    reorder_point: Decimal = Decimal(0)
    quantity: Decimal = Decimal(0)
    lead_time: Distribution | None = None
    deliveries: tuple[Incoming, ...] = ()

    def __post_init__(self) -> None:
        for name, value in (("reorder_point", self.reorder_point), ("quantity", self.quantity)):
            require(value.is_finite() and value >= 0, f"{name} must be at least 0, not {value}")


@dataclass(frozen=True)
class Operation:
    """One step of a routing.

    Attributes
    ----------
    id
        Number of the step within its routing, such as ``"10"``; routings run in the order they are written.
    capability
        What a machine must be able to do to take this operation.
    skill
        What a person must be able to do to attend it.
    setup_family
        What the changeover before it depends on.
    fixed_s, per_piece_s
        Planned processing time of a lot of q pieces on a machine of speed 1: ``fixed_s + q * per_piece_s``.
    variation
        Coefficient of variation of the processing time.
    scrap_ratio
        Planned share of pieces that come out bad.
    time_factor
        What the planned time is multiplied with, a quantity of mean 1; None: lognormal with `variation`.
    attendance, people
        For what of it somebody with the skill must be there, and how many of them.
    tools
        Pools of tools one of each of which it needs from changeover to end.
    interruptible
        Whether a break or the end of a shift may interrupt it. If not, it begins only where it fits.
    rework
        Makes it an inspection: what it sends back.
    wait_least_s, wait_most_s
        Clock seconds it waits after the operation before it in its routing, from the end of that to its changeover:
        at least for drying or cooling, at most (None: as long as you like) for what spoils.
    """

    id: str
    name: str
    capability: str
    skill: str
    setup_family: str
    fixed_s: float
    per_piece_s: float
    variation: float = 0.0
    scrap_ratio: float = 0.0
    time_factor: Distribution | None = None
    attendance: Attendance = Attendance.NONE
    people: int = 1
    tools: tuple[str, ...] = ()
    interruptible: bool = True
    rework: Rework | None = None
    wait_least_s: float = 0.0
    wait_most_s: float | None = None

    def __post_init__(self) -> None:
        for name in ("id", "name", "capability", "skill", "setup_family"):
            require_text(f"operation {name}", getattr(self, name))
        require_not_negative("fixed_s", self.fixed_s)
        require_not_negative("per_piece_s", self.per_piece_s)
        require(
            self.fixed_s + self.per_piece_s > 0,
            f"operation {self.id}: fixed_s and per_piece_s must not both be 0",
        )
        require_not_negative("variation", self.variation)
        require(0 <= self.scrap_ratio < 1, f"scrap_ratio must be at least 0 and below 1, not {self.scrap_ratio!r}")
        require_not_negative("wait_least_s", self.wait_least_s)
        if self.wait_most_s is not None:
            require_not_negative("wait_most_s", self.wait_most_s)
            require(
                self.wait_most_s >= self.wait_least_s,
                f"operation {self.id}: wait_most_s must be at least wait_least_s, {self.wait_least_s!r}, not "
                f"{self.wait_most_s!r}",
            )
        require(self.people >= 1, f"operation {self.id}: people must be at least 1, not {self.people!r}")
        if self.time_factor is not None:
            mean = self.time_factor.mean
            require(abs(mean - 1) < 1e-9, f"operation {self.id}: time_factor must have mean 1, not {mean!r}")

    @property
    def waits(self) -> bool:
        """Whether there is more to wait for than the end of the operation before it."""
        return self.wait_least_s > 0 or self.wait_most_s is not None

    def duration_s(self, quantity: int, speed: float) -> float:
        """Return the planned processing time of `quantity` pieces on a machine of this speed, in seconds."""
        return (self.fixed_s + quantity * self.per_piece_s) / speed


@dataclass(frozen=True)
class Item:
    """Something made, bought or sold.

    Attributes
    ----------
    lead_time_s
        For purchased items: clock seconds from ordering to arrival.
    stock
        Pieces on hand when the plant is imported.
    bom, routing
        For made items: what goes in, and the operations in their order.
    replenishment
        For purchased items: keeps a stock that operations draw on. None: each order's pieces are there when its
        production order is released.
    transfer_batch
        For made items: pieces that move on together; an order is split into lots of so many. None: not split.
    """

    id: str
    name: str
    kind: ItemKind
    unit: str = "pc"
    lead_time_s: float = 0.0
    stock: Decimal = Decimal(0)
    bom: tuple[BomLine, ...] = ()
    routing: tuple[Operation, ...] = ()
    replenishment: Replenishment | None = None
    transfer_batch: int | None = None

    def __post_init__(self) -> None:
        require_text("item id", self.id)
        require_text("item name", self.name)
        require_not_negative("lead_time_s", self.lead_time_s)
        require(self.stock.is_finite() and self.stock >= 0, f"stock must be at least 0, not {self.stock}")
        if self.kind is ItemKind.MADE:
            require(bool(self.routing), f"made item {self.id} needs a routing")
            ids = [operation.id for operation in self.routing]
            require(len(set(ids)) == len(ids), f"item {self.id}: operation ids must differ, not {ids}")
            first = self.routing[0]
            require(
                not first.waits,
                f"item {self.id}: operation {first.id} is the first of its routing, so it has nothing to wait after; "
                "take wait_least_s and wait_most_s out of it",
            )
            self._check_rework(ids)
            size = self.transfer_batch
            require(size is None or size >= 1, f"item {self.id}: transfer_batch must be at least 1, not {size!r}")
            require(self.replenishment is None, f"made item {self.id} has no replenishment; orders make it")
        else:
            require(not self.routing and not self.bom, f"purchased item {self.id} has neither routing nor bom")

    def _check_rework(self, ids: list[str]) -> None:
        for place, operation in enumerate(self.routing):
            if operation.rework is not None:
                require(
                    operation.rework.to in ids[: place + 1],
                    f"item {self.id}: operation {operation.id} sends rework to {operation.rework.to!r}; it must be one "
                    f"of {', '.join(ids[: place + 1])}",
                )
