"""Drawn order books are made of what the plant had, and nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from methods.order_books import OrderBook, PastOrder, books_of, drawn
from plant.errors import InvalidInput
from plant.order import CustomerOrder, Priority
from tests.plant.shops import MONDAY


def order(number: int, item: str, quantity: int, day: int, high: bool = False) -> CustomerOrder:
    at = MONDAY + timedelta(days=day)
    priority = Priority.HIGH if high else Priority.NORMAL
    return CustomerOrder(f"CO-{number}", "ACME", item, quantity, at, at + timedelta(days=7 + number), priority)


ORDERS = (
    order(1, "shaft", 4, 0),
    order(2, "shaft", 9, 0, high=True),
    order(3, "pump", 1, 2),
    order(4, "pump", 2, 5, high=True),
)
PAST = tuple(
    PastOrder(one, MONDAY + timedelta(days=done) if done else None)
    for one, done in zip(ORDERS, (1, 4, 0, 0), strict=True)
)


def test_a_book_holds_what_was_open_when_an_order_came_in() -> None:
    assert [(book.at, [one.id for one in book.orders]) for book in books_of(PAST)] == [
        (MONDAY, ["CO-1", "CO-2"]),
        (MONDAY + timedelta(days=2), ["CO-2", "CO-3"]),
        (MONDAY + timedelta(days=5), ["CO-3", "CO-4"]),
    ]


@given(st.integers(0, 2**31), st.integers(0, 2**21))
def test_a_drawn_book_is_made_of_the_plants_own_orders(seed: int, number: int) -> None:
    note(f"seed {seed}, number {number}")
    books = books_of(PAST)
    book = drawn(books, seed, number)
    origin = next(one for one in books if one.at == book.at)
    assert len(book.orders) == len(origin.orders)
    assert len({one.id for one in book.orders}) == len(book.orders)
    for one in book.orders:
        assert (one.item, one.priority) in {(other.item, other.priority) for other in origin.orders}
        assert (one.item, one.quantity) in {(other.item, other.quantity) for other in ORDERS}
        assert (one.ordered_at, one.due_at) in {(other.ordered_at, other.due_at) for other in origin.orders}
    assert drawn(books, seed, number) == book


def test_books_of_a_seed_differ() -> None:
    books = (OrderBook(MONDAY, ORDERS),)
    assert len({drawn(books, 1, number).orders for number in range(20)}) > 15
    assert drawn(books, 1, 0) != drawn(books, 2, 0)


def test_without_orders_there_is_nothing_to_draw() -> None:
    assert books_of(()) == ()
    with pytest.raises(InvalidInput, match="no order"):
        drawn((), 1, 0)
