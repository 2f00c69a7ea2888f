"""A customer takes an order back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from plant.checks import require
from plant.folder_table import Table
from scenarios.case import Case


@dataclass(frozen=True)
class CancelOrder:
    """The order is gone, and with it everything that would be made for it."""

    KIND: ClassVar[str] = "cancel_order"

    order: str

    @classmethod
    def read(cls, table: Table) -> CancelOrder | None:
        """See `Change`."""
        order = table.text("order")
        return table.make(lambda: cls(order))

    def apply(self, case: Case) -> Case:
        """See `Change`; refused where it has begun, or is the only one."""
        order = case.order(self.order)
        require(order.id not in case.begun, f"order {order.id} has begun; what is on the floor cannot be wished away")
        require(len(case.orders) > 1, f"order {order.id} is the only one: nothing would be left to look at")
        return replace(
            case,
            orders=tuple(one for one in case.orders if one.id != order.id),
            progress=tuple(one for one in case.progress if one.job.customer_order != order.id),
        )

    def told(self) -> str:
        """See `Change`."""
        return f"order {self.order} is cancelled"
