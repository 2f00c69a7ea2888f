"""Order books a plant might have had: drawn from those it had, by the bootstrap.

A plan is made for the orders that are open at a moment. Such books are taken from the plant's history, one for each
moment at which an order came in; a drawn book has as many orders as one of them, each with its parts taken from
orders of the plant at random and with replacement (B. Efron, "Bootstrap methods: another look at the jackknife", The
Annals of Statistics 7, 1979): what is wanted and how dearly from one, the pieces from one of the same item, and the
time that is left from a third.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from plant.checks import require, require_aware
from plant.order import CustomerOrder
from plant.text import told


@dataclass(frozen=True)
class PastOrder:
    """An order with when it was complete, None where it is open."""

    order: CustomerOrder
    completed_at: datetime | None = None

    def is_open(self, at: datetime) -> bool:
        """Tell whether it had been placed and was not complete."""
        return self.order.ordered_at <= at and (self.completed_at is None or self.completed_at > at)


@dataclass(frozen=True)
class OrderBook:
    """The orders of one moment."""

    at: datetime
    orders: tuple[CustomerOrder, ...]

    def __post_init__(self) -> None:
        require_aware("at", self.at)
        require(bool(self.orders), told("an order book holds at least one order"))


def books_of(past: Sequence[PastOrder]) -> tuple[OrderBook, ...]:
    """Return what was open whenever an order came in, by time; at most one book a moment."""
    moments = sorted({one.order.ordered_at for one in past})
    found = [(at, tuple(one.order for one in past if one.is_open(at))) for at in moments]
    return tuple(OrderBook(at, orders) for at, orders in found if orders)


def drawn(books: Sequence[OrderBook], seed: int, number: int) -> OrderBook:
    """Return book `number` of a seed: the same wherever and in whatever order books are drawn.

    Raises
    ------
    InvalidInput
        If there is no book to draw from.
    """
    require(bool(books), told("there is no order to draw cases from; enter orders first"))
    dice = np.random.default_rng((seed, number))
    book = books[int(dice.integers(len(books)))]
    orders = {order.id: order for one in books for order in one.orders}
    by_item: dict[str, list[CustomerOrder]] = {}
    for order in orders.values():
        by_item.setdefault(order.item, []).append(order)

    def one_of(of: Sequence[CustomerOrder]) -> CustomerOrder:
        return of[int(dice.integers(len(of)))]

    def another(place: int) -> CustomerOrder:
        wanted, timed = one_of(book.orders), one_of(book.orders)
        return replace(
            wanted,
            id=f"case-{number}-{place}",
            quantity=one_of(by_item[wanted.item]).quantity,
            ordered_at=timed.ordered_at,
            due_at=timed.due_at,
        )

    return OrderBook(book.at, tuple(another(place) for place in range(len(book.orders))))
