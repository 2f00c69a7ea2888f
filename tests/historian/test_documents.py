"""Value objects become JSON documents and come back equal."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest

from historian.documents import document, jsonb, restore
from plant.calendar import Break, Calendar, Shift
from plant.connection import Connection, Protocol
from plant.distribution import Distribution, Family
from plant.errors import InvalidInput
from plant.item import BomLine
from plant.order import CustomerOrder, Priority
from plant.plant import Plant
from tests.plant.shops import bought, made, operation, small_shop

NIGHT = Shift("night", (0, 4), time(22), time(6), (Break(time(1, 30), time(2)),))
THINGS = [
    small_shop((made("shaft", operation("10", "turning"), bom=(("bar", "0.333"),)), bought("bar", 3.5, 7))),
    Calendar("c", "Asia/Shanghai", (NIGHT,), (date(2026, 2, 17),)),
    Connection("line", Protocol.MODBUS, "tcp://h:1", ("M1",), {"poll_s": 0.2, "devices": {"M1": 10}, "on": True}),
    CustomerOrder(
        "CO-1",
        "Ada",
        "shaft",
        3,
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 2, 3, 4, 5, 6, UTC),
        Priority.HIGH,
    ),
    BomLine("bar", Decimal("0.1")),
    Distribution(Family.LOGNORMAL, 0.1 + 0.2, 1e-9),
]


@pytest.mark.parametrize("thing", THINGS, ids=lambda thing: type(thing).__name__)
def test_there_and_back(thing: object) -> None:
    text = json.dumps(document(thing), allow_nan=False)
    assert restore(type(thing), json.loads(text)) == thing


def test_a_document_that_is_wrong_is_refused_by_the_object_itself() -> None:
    doc = document(THINGS[4])
    with pytest.raises(InvalidInput, match="above 0"):
        restore(BomLine, {**doc, "quantity": "-1"})
    with pytest.raises(InvalidInput, match="not the document of a Plant"):
        restore(Plant, doc)


def test_what_json_does_not_know_is_refused() -> None:
    with pytest.raises(InvalidInput, match="finite"):
        jsonb({"x": math.inf}).dumps({"x": math.inf})  # type: ignore[misc]
