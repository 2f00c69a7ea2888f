"""Which order ids reach every machine: as long as a controller's text holds, with what is put behind them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from methods.explosion import explode, job_orders
from plant.connection import Connection, Protocol
from plant.naming import JOB_ORDER_BYTES, LONGEST_ORDER_ID, order_id_room, wrong_order_id
from plant.order import CustomerOrder
from plant.plant import Plant
from tests.plant.shops import MONDAY, bought, made, operation, small_shop
from tests.plant.test_machine_shop import SHOP

ITEMS = (
    made("shaft", operation("10", "turning"), operation("20", "milling"), bom=(("bar", "0.5"),)),
    made("pump", operation("1000", "milling"), bom=(("shaft", "2"),)),
    made("block", operation("a very long name of an op", "heating"), operation("10", "turning")),
    bought("bar", 3600.0, 0),
)


def _shop(protocol: Protocol, *machines: str) -> Plant:
    return replace(small_shop(ITEMS), connections=(Connection("line", protocol, "tcp://plc", machines),))


def _longest(plant: Plant, order_id: str, item: str) -> int:
    """Return the length of the longest id of a job order that a machine of the plant's connection may take."""
    order = CustomerOrder(order_id, "Ada", item, 1, MONDAY, MONDAY.replace(year=2027))
    reached = set(plant.connections[0].machines)
    return max(
        len(job.id)
        for job in job_orders(plant, explode(plant, order))
        if reached & {one.id for one in plant.machines_with(plant.operation(job.item, job.operation).capability)}
    )


@pytest.mark.parametrize(
    ("machines", "item", "room"),
    [
        (("L1",), "shaft", 24 - len("/1-10")),
        (("MILL",), "shaft", 24 - len("/1-20")),
        (("MILL",), "pump", 24 - len("/2-1000")),
        (("L1",), "pump", 24 - len("/1-10")),  # the pump's own operation goes to the mill
        (("L1",), "block", 24 - len("/1-10")),
    ],
)
def test_an_id_has_the_room_that_the_job_orders_of_narrow_machines_leave(
    machines: tuple[str, ...], item: str, room: int
) -> None:
    plant = _shop(Protocol.MODBUS, *machines)
    thing = plant.item(item)
    assert order_id_room(plant, thing) == room
    assert _longest(plant, "x" * room, item) == JOB_ORDER_BYTES[Protocol.MODBUS]
    assert wrong_order_id("x" * room, thing, plant) == ""
    wrong = wrong_order_id("x" * (room + 1), thing, plant)
    assert "hold 24 ASCII characters" in wrong
    assert f"use an id of at most {room} ASCII characters for {item}" in wrong


def test_what_is_not_ascii_does_not_go_to_narrow_machines() -> None:
    plant = _shop(Protocol.MODBUS, "L1")
    assert "ASCII" in wrong_order_id("订单-1", plant.item("shaft"), plant)
    assert "ASCII" in wrong_order_id("Größe", plant.item("shaft"), plant)


@pytest.mark.parametrize(
    "plant", [_shop(Protocol.OPCUA, "L1"), _shop(Protocol.MQTT, "L1"), _shop(Protocol.MODBUS, "OVEN")]
)
def test_where_no_narrow_machine_takes_part_any_text_will_do(plant: Plant) -> None:
    shaft = plant.item("shaft")
    assert order_id_room(plant, shaft) == LONGEST_ORDER_ID
    assert wrong_order_id("订" * LONGEST_ORDER_ID, shaft, plant) == ""
    assert "use at most 100" in wrong_order_id("x" * (LONGEST_ORDER_ID + 1), shaft, plant)


def test_an_operation_that_fills_the_text_alone_is_to_be_shortened() -> None:
    plant = _shop(Protocol.MODBUS, "OVEN")
    block = plant.item("block")
    assert order_id_room(plant, block) == 0
    assert "shorten the operation's id" in wrong_order_id("A", block, plant)


@pytest.mark.parametrize("order_id", ["CO\x001", "CO\n1", "CO\u202e1"])
def test_what_cannot_be_printed_is_wrong_everywhere(order_id: str) -> None:
    assert "cannot be printed" in wrong_order_id(order_id, None, None)


def test_a_circular_bill_of_material_is_not_followed_for_ever() -> None:
    loop = (
        made("a", operation("10", "turning"), bom=(("b", "1"),)),
        made("b", operation("10", "turning"), bom=(("a", "1"),)),
    )
    plant = replace(_shop(Protocol.MODBUS, "L1"), items=loop)
    assert order_id_room(plant, plant.item("a")) == 24 - len("/2-10")


def test_the_shipped_shop_leaves_room_for_the_ids_people_use() -> None:
    assert min(order_id_room(SHOP, item) for item in SHOP.made_items()) >= len("4500012345-00010")
