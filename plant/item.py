"""What is made and how: items, bills of material, routings and their operations."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from plant.checks import require, require_not_negative, require_text


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
    """

    id: str
    name: str
    kind: ItemKind
    unit: str = "pc"
    lead_time_s: float = 0.0
    stock: Decimal = Decimal(0)
    bom: tuple[BomLine, ...] = ()
    routing: tuple[Operation, ...] = ()

    def __post_init__(self) -> None:
        require_text("item id", self.id)
        require_text("item name", self.name)
        require_not_negative("lead_time_s", self.lead_time_s)
        require(self.stock.is_finite() and self.stock >= 0, f"stock must be at least 0, not {self.stock}")
        if self.kind is ItemKind.MADE:
            require(bool(self.routing), f"made item {self.id} needs a routing")
            ids = [operation.id for operation in self.routing]
            require(len(set(ids)) == len(ids), f"item {self.id}: operation ids must differ, not {ids}")
        else:
            require(not self.routing and not self.bom, f"purchased item {self.id} has neither routing nor bom")
