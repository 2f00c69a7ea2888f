"""A supplier is late."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import ClassVar

from methods.explosion import explode
from plant.checks import require, require_positive
from plant.folder_table import Table
from plant.item import ItemKind
from scenarios.case import Case

_DAY_S = 86400.0


@dataclass(frozen=True)
class LateMaterial:
    """Deliveries of a purchased item come `days` days later; with `stock_lost` what is on hand is useless, too."""

    KIND: ClassVar[str] = "late_material"

    item: str
    days: float
    stock_lost: bool = False

    def __post_init__(self) -> None:
        require_positive("days", self.days)

    @classmethod
    def read(cls, table: Table) -> LateMaterial | None:
        """See `Change`."""
        item, days = table.text("item"), table.number("days", positive=True)
        lost = table.flag("stock_lost")
        return table.make(lambda: cls(item, days, lost))

    def apply(self, case: Case) -> Case:
        """See `Change`; refused where no order waits for it."""
        item = case.plant.item(self.item)
        require(item.kind is ItemKind.PURCHASED, f"{item.id} is made here; only purchased items come late")
        stock = Decimal(0) if self.stock_lost else item.stock
        late = replace(item, lead_time_s=item.lead_time_s + self.days * _DAY_S, stock=stock)
        items = tuple(late if one.id == item.id else one for one in case.plant.items)
        changed = replace(case, plant=replace(case.plant, items=items))
        if self.stock_lost:
            on_hand = {**case.snapshot.stock, item.id: stock}
            changed = replace(changed, snapshot=replace(case.snapshot, stock=on_hand))
        require(
            _releases(changed) != _releases(case),
            f"no open order waits for a delivery of {item.id}: {item.stock} are on hand; choose another item, or "
            "stock_lost = true",
        )
        return changed

    def told(self) -> str:
        """See `Change`."""
        lost = ", and what is on hand is lost" if self.stock_lost else ""
        return f"{self.item} comes {self.days:g} days late{lost}"


def _releases(case: Case) -> list[object]:
    """Return when materials are there, for every production order that could still wait for them."""
    return [
        max(production.release_at, case.now)
        for order in case.orders
        if order.id not in case.begun
        for production in explode(case.plant, order)
    ]
