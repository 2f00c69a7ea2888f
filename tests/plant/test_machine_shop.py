"""The plant that ships is free of problems and worth planning."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from plant.connection import Protocol
from plant.folder import check, load, load_orders
from plant.item import ItemKind
from plant.order import Priority
from plant.plant import Plant

FOLDER = Path(__file__).parents[2] / "plants" / "machine_shop"
SHOP = load(FOLDER)
ORDERS = load_orders(FOLDER, SHOP)
TWO_WEEKS = timedelta(days=14)


def lots(plant: Plant, item: str, pieces: float) -> list[tuple[str, float]]:
    """Return (made item, pieces) for everything an order makes, itself included."""
    below = [
        lot
        for line in plant.item(item).bom
        if plant.item(line.item).kind is ItemKind.MADE
        for lot in lots(plant, line.item, pieces * float(line.quantity))
    ]
    return [(item, pieces), *below]


def depth(item: str) -> int:
    """Return how many levels lie below an item, purchased ones included."""
    return max((1 + depth(line.item) for line in SHOP.item(item).bom), default=0)


def test_nothing_is_wrong_with_it() -> None:
    assert check(FOLDER) == []


def test_it_has_machines_people_and_protocols_enough() -> None:
    assert len(SHOP.machines) >= 12
    assert len({capability for machine in SHOP.machines for capability in machine.capabilities}) >= 7
    assert [machine.batch_capacity for machine in SHOP.machines if machine.batch_capacity > 1] == [4]
    assert len(SHOP.people) >= 8
    reached = {connection.protocol: len(connection.machines) for connection in SHOP.connections}
    assert reached[Protocol.OPCUA] >= 5
    assert reached[Protocol.MQTT] >= 4
    assert reached[Protocol.MODBUS] >= 3
    assert all(machine.reliability for machine in SHOP.machines)


def test_it_starts_on_a_monday_at_six_when_every_machine_is_open() -> None:
    start = SHOP.starts_at.astimezone(ZoneInfo(SHOP.timezone))
    assert (start.weekday(), start.hour, start.minute) == (0, 6, 0)
    assert all(SHOP.calendar_of(machine.id).is_open(SHOP.starts_at) for machine in SHOP.machines)
    saturday = SHOP.starts_at + timedelta(days=5)
    assert SHOP.open_windows(saturday, saturday + timedelta(days=1)) == []


def test_its_items_have_trees_of_two_to_three_levels_and_routings_of_three_to_eight() -> None:
    made = SHOP.made_items()
    assert len(made) >= 15
    assert all(3 <= len(item.routing) <= 8 for item in made)
    assert max(depth(item.id) for item in made) == 3
    assert sum(depth(item.id) >= 2 for item in made) >= 5
    used = {line.item for item in made for line in item.bom}
    assert {item.id for item in SHOP.items} - used - {order.item for order in ORDERS} == set(), "every item is used"
    bought = [item for item in SHOP.items if item.kind is ItemKind.PURCHASED]
    assert all(item.lead_time_s > 0 for item in bought)
    assert any(item.stock == 0 for item in bought)


def test_every_machine_can_be_attended_in_each_of_its_shifts() -> None:
    """Every skill is held not just by somebody, but by somebody who is there."""
    shifts = {calendar.id: {shift.id for shift in calendar.shifts} for calendar in SHOP.calendars}
    needed = {(step.capability, step.skill) for item in SHOP.made_items() for step in item.routing}
    for machine in SHOP.machines:
        for shift in shifts[machine.calendar]:
            there = [person for person in SHOP.people if shift in shifts[person.calendar]]
            for skill in (skill for capability, skill in needed if capability in machine.capabilities):
                assert any(skill in person.skills for person in there), (machine.id, shift, skill)


def test_its_orders_are_in_hand_and_due_within_two_weeks() -> None:
    assert len(ORDERS) >= 40
    assert all(order.ordered_at <= SHOP.starts_at for order in ORDERS)
    days = Counter((order.due_at - SHOP.starts_at).days for order in ORDERS)
    assert min(days) >= 2
    assert max(days) <= 11
    assert len(days) >= 6, "spread over the days"
    assert 3 <= sum(order.priority is Priority.HIGH for order in ORDERS) <= len(ORDERS) / 3


def test_the_work_fits_and_the_grinder_is_the_bottleneck() -> None:
    """Processing at planned times over the working time of two weeks, shared evenly by the machines that can."""
    busy_s: Counter[str] = Counter()
    jobs = 0
    for order in ORDERS:
        for item, pieces in lots(SHOP, order.item, order.quantity):
            for step in SHOP.item(item).routing:
                machines = SHOP.machines_with(step.capability)
                jobs += 1
                for machine in machines:
                    busy_s[machine.id] += step.duration_s(round(pieces), machine.speed) / len(machines)
    loads = {}
    for machine in SHOP.machines:
        windows = SHOP.calendar_of(machine.id).windows(SHOP.starts_at, SHOP.starts_at + TWO_WEEKS)
        loads[machine.id] = busy_s[machine.id] / sum((end - start).total_seconds() for start, end in windows)
    assert 350 <= jobs <= 450
    assert max(loads, key=loads.__getitem__) == "M08"
    assert 0.6 <= loads["M08"] <= 0.8
    assert all(0.08 <= load <= 0.7 for machine, load in loads.items() if machine != "M08"), loads
