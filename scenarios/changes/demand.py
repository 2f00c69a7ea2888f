"""Customers want more, or less."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from plant.checks import require, require_positive
from plant.folder_table import Table
from plant.order import CustomerOrder
from scenarios.case import Case
from scenarios.changes.change import all_or_known, listed, optional_texts


@dataclass(frozen=True)
class Demand:
    """The pieces of every order (of some items, where they are named) times `factor`, rounded, at least one.

    Orders that have begun keep their pieces.
    """

    KIND: ClassVar[str] = "demand"

    factor: float
    items: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require_positive("factor", self.factor)
        require(self.factor != 1, "a factor of 1 changes nothing; give another")

    @classmethod
    def read(cls, table: Table) -> Demand | None:
        """See `Change`."""
        factor, items = table.number("factor", positive=True), optional_texts(table, "items")
        return table.make(lambda: cls(factor, items))

    def apply(self, case: Case) -> Case:
        """See `Change`; refused where no order gets another quantity."""
        items = all_or_known("item", self.items, (item.id for item in case.plant.items))
        changed = case.with_orders(lambda order: self._scaled(order, items, case.begun))
        require(
            changed.orders != case.orders,
            f"a demand of {self.factor:g} times changes no order of {listed(self.items, 'any item')}: they have begun, "
            "or round to what they are",
        )
        return changed

    def _scaled(self, order: CustomerOrder, items: tuple[str, ...], begun: frozenset[str]) -> CustomerOrder:
        if order.item not in items or order.id in begun:
            return order
        return replace(order, quantity=max(int(order.quantity * self.factor + 0.5), 1))

    def told(self) -> str:
        """See `Change`."""
        return f"demand times {self.factor:g} ({listed(self.items, 'all items')})"
