"""One more order, in a hurry."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from plant.checks import require, require_text
from plant.folder_table import Table
from plant.item import ItemKind
from plant.order import CustomerOrder, Priority
from scenarios.case import Case, When


@dataclass(frozen=True)
class RushOrder:
    """An order that comes at `ordered` and is due at `due`, of high priority unless `priority` says otherwise."""

    KIND: ClassVar[str] = "rush_order"

    id: str
    item: str
    quantity: int
    due: When
    ordered: When
    customer: str = "rush"
    priority: Priority = Priority.HIGH

    def __post_init__(self) -> None:
        require_text("id", self.id)
        require_text("item", self.item)
        require(self.quantity >= 1, f"quantity must be at least 1, not {self.quantity}")

    @classmethod
    def read(cls, table: Table) -> RushOrder | None:
        """See `Change`."""
        id_, item, quantity = table.text("id"), table.text("item"), table.whole("quantity", 1)
        due, ordered = When.read(table, "due"), When.read(table, "ordered", "+0 h")
        customer = table.text("customer", "rush")
        priority = table.choice("priority", Priority) if table.has("priority") else Priority.HIGH
        return table.make(lambda: cls(id_, item, quantity, due, ordered, customer, priority))

    def apply(self, case: Case) -> Case:
        """See `Change`; refused where the id is taken or the item is bought."""
        require(
            self.id not in {order.id for order in case.orders}, f"there is an order {self.id} already; name another"
        )
        item = case.plant.item(self.item)
        require(item.kind is ItemKind.MADE, f"{item.id} is purchased; only made items can be ordered")
        order = CustomerOrder(
            self.id,
            self.customer,
            item.id,
            self.quantity,
            self.ordered.moment(case),
            self.due.moment(case),
            self.priority,
        )
        return replace(case, orders=(*case.orders, order))

    def told(self) -> str:
        """See `Change`."""
        return f"order {self.id}: {self.quantity} of {self.item}, due {self.due.text}, {self.priority} priority"
