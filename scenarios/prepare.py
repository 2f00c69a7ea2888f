"""A case made ready for the twin: what is the same in every future."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from methods.floor import floor_model
from plant.checks import require
from plant.floor_model import FloorModel
from plant.order import CustomerOrder
from scenarios.case import Case
from scenarios.staffing import staffed
from twin.dispatching import rule_named

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Prepared:
    """A case made ready.

    Attributes
    ----------
    rule
        As in `Case`.
    orders
        Customer orders of which something is still to be made.
    begun
        Which of them have begun.
    until_s
        When to stop, in seconds since the epoch; infinite: when every order is complete.
    """

    model: FloorModel
    rule: str | None
    orders: tuple[CustomerOrder, ...]
    begun: frozenset[str]
    until_s: float

    @cached_property
    def ordered_s(self) -> Values:
        """When each order was placed, in seconds since the epoch (before it: negative), shape (orders,)."""
        return np.array([self.model.seconds(order.ordered_at) for order in self.orders])

    @cached_property
    def due_s(self) -> Values:
        """When each order is due, in seconds since the epoch, shape (orders,)."""
        return np.array([self.model.seconds(order.due_at) for order in self.orders])

    @cached_property
    def row(self) -> NDArray[np.intp]:
        """Per production order of the model, the row of its customer order in `orders`."""
        rows = {order.id: row for row, order in enumerate(self.orders)}
        return np.array([rows[made.customer_order] for made in self.model.orders], dtype=np.intp)

    @cached_property
    def left_s(self) -> Values:
        """Per production order of the model, the planned time left of the operation that runs; 0 where none does."""
        return np.array([0.0 if one.running is None else one.running.remaining_s for one in self.model.orders])

    @cached_property
    def planned_s(self) -> dict[str, tuple[float, float]]:
        """Planned time at speed 1 by stage (item-operation): fixed, and per piece."""
        return {
            f"{item.id}-{operation.id}": (operation.fixed_s, operation.per_piece_s)
            for item in self.model.plant.items
            for operation in item.routing
        }


def prepare(case: Case) -> Prepared:
    """Explode the orders and lay out the calendars.

    Raises
    ------
    NotFound, InvalidInput
        If the case does not hold together, leaves nothing to do, or would never end.
    """
    for rule in case.rules:
        rule_named(rule)
    model = staffed(floor_model(case.plant, case.orders, case.snapshot, progress=case.progress))
    endless = [stream.id for stream in case.plant.arrivals]
    require(bool(model.orders or endless), "there is nothing left to do in this case; give it an order")
    require(
        not endless or case.until is not None,
        f"the arrivals {', '.join(endless)} have no end; ask for the steady state, which says how long to look",
    )
    open_ = {made.customer_order for made in model.orders}
    orders = tuple(order for order in case.orders if order.id in open_)
    until_s = math.inf if case.until is None else model.seconds(case.until)
    return Prepared(model, case.rule, orders, case.begun, until_s)
