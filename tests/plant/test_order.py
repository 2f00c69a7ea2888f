"""Demand and what comes back from the floor refuse to be built wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from plant.errors import InvalidInput
from plant.order import CustomerOrder, JobResponse, Priority, ResponseKind
from tests.plant.shops import MONDAY


def order(quantity: int = 1, days: float = 1.0, **changes: object) -> CustomerOrder:
    values = {"id": "A", "customer": "Ada", "item": "AXLE", "quantity": quantity} | changes
    return CustomerOrder(**values, ordered_at=MONDAY, due_at=MONDAY + timedelta(days=days))  # type: ignore[arg-type]


def test_a_late_second_of_a_high_order_weighs_more() -> None:
    assert order().priority is Priority.NORMAL
    assert Priority.HIGH.weight > Priority.NORMAL.weight > 0


@pytest.mark.parametrize(
    ("build", "reason"),
    [
        (lambda: order(0), "order A: quantity must be a whole number above 0, not 0"),
        (lambda: order(1.5), "quantity must be a whole number above 0, not 1.5"),  # type: ignore[arg-type]
        (lambda: order(days=0), "order A: due_at must be after ordered_at"),
        (lambda: order(item=" AXLE"), "order item must be a non-empty text without outer spaces, not ' AXLE'"),
        (
            lambda: JobResponse("1", "A/1-10", ResponseKind.COMPLETED, MONDAY, "M01", good=-1),
            "good and scrap must be at least 0, not -1 and 0",
        ),
        (
            lambda: JobResponse("1", "A/1-10", ResponseKind.STARTED, MONDAY.replace(tzinfo=None), "M01"),
            "at must be a UTC datetime with its time zone",
        ),
    ],
)
def test_what_cannot_be_is_refused(build: Callable[[], object], reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        build()
