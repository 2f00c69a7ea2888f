"""Items, bills of material and routings refuse to be built wrong."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from plant.errors import InvalidInput
from plant.item import BomLine, Item, ItemKind, Operation
from tests.plant.shops import operation


def test_a_lot_takes_its_fixed_time_and_a_time_per_piece_over_the_machines_speed() -> None:
    step = Operation("10", "Turn", "turning", "turning", "bar", fixed_s=300.0, per_piece_s=60.0)
    assert step.duration_s(10, 1.0) == 900.0
    assert step.duration_s(10, 1.5) == 600.0
    assert step.duration_s(0, 1.0) == 300.0


@pytest.mark.parametrize(
    ("build", "reason"),
    [
        (lambda: operation("", "turning"), "operation id must be a non-empty text"),
        (lambda: operation("10", "turning", 0.0, 0.0), "operation 10: fixed_s and per_piece_s must not both be 0"),
        (lambda: operation("10", "turning", -1.0), "fixed_s must be a number of at least 0, not -1.0"),
        (lambda: Operation("10", "T", "t", "t", "f", 1.0, 1.0, scrap_ratio=1.0), "scrap_ratio must be at least 0 and"),
        (lambda: BomLine("BAR", Decimal(0)), "BOM quantity of BAR must be above 0, not 0"),
        (lambda: BomLine("BAR", Decimal("NaN")), "BOM quantity of BAR must be above 0, not NaN"),
        (lambda: Item("A", "A", ItemKind.MADE), "made item A needs a routing"),
        (
            lambda: Item("A", "A", ItemKind.MADE, routing=(operation("10", "t"), operation("10", "m"))),
            r"item A: operation ids must differ, not \['10', '10'\]",
        ),
        (
            lambda: Item("A", "A", ItemKind.PURCHASED, bom=(BomLine("B", Decimal(1)),)),
            "purchased item A has neither routing nor bom",
        ),
        (lambda: Item("A", "A", ItemKind.PURCHASED, stock=Decimal(-1)), "stock must be at least 0, not -1"),
        (lambda: Item("A", "A", ItemKind.PURCHASED, lead_time_s=-5.0), "lead_time_s must be a number of at least 0"),
    ],
)
def test_what_cannot_be_is_refused(build: Callable[[], object], reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        build()
