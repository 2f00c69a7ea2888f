"""A customer wants an order at another time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from plant.checks import require
from plant.folder_table import Table
from scenarios.case import Case, When


@dataclass(frozen=True)
class DueDate:
    """`order` is due at `due`."""

    KIND: ClassVar[str] = "due_date"

    order: str
    due: When

    @classmethod
    def read(cls, table: Table) -> DueDate | None:
        """See `Change`."""
        order, due = table.text("order"), When.read(table, "due")
        return table.make(lambda: cls(order, due))

    def apply(self, case: Case) -> Case:
        """See `Change`; refused where it is due then already."""
        order, due = case.order(self.order), self.due.moment(case)
        require(order.due_at != due, f"order {order.id} is due at {self.due.text} already")
        return case.with_orders(lambda one: replace(one, due_at=due) if one.id == order.id else one)

    def told(self) -> str:
        """See `Change`."""
        return f"order {self.order} is due {self.due.text}"
