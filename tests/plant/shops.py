"""Small plants that tests build by hand."""

from __future__ import annotations

from datetime import UTC, datetime, time
from decimal import Decimal

from plant.calendar import Break, Calendar, Shift
from plant.distribution import exponential
from plant.item import BomLine, Item, ItemKind, Operation
from plant.plant import Machine, Person, Plant, Reliability, SetupMatrix, SetupTime

MONDAY = datetime(2026, 1, 5, 6, tzinfo=UTC)


def operation(id_: str, capability: str, fixed_s: float = 60.0, per_piece_s: float = 600.0) -> Operation:
    """Return an operation whose setup family is its capability."""
    return Operation(id_, f"{capability} {id_}", capability, capability, capability, fixed_s, per_piece_s, 0.1, 0.01)


def made(id_: str, *operations: Operation, bom: tuple[tuple[str, str], ...] = ()) -> Item:
    """Return a made item; `bom` gives (item, quantity)."""
    lines = tuple(BomLine(item, Decimal(quantity)) for item, quantity in bom)
    return Item(id_, id_.title(), ItemKind.MADE, bom=lines, routing=operations)


def bought(id_: str, lead_time_s: float, stock: int) -> Item:
    """Return a purchased item."""
    return Item(id_, id_.title(), ItemKind.PURCHASED, lead_time_s=lead_time_s, stock=Decimal(stock))


def small_shop(items: tuple[Item, ...] = ()) -> Plant:
    """Return a shop in UTC, open on weekdays 06:00 to 14:00: two lathes (one twice as fast), a mill and an oven."""
    shift = Shift("early", (0, 1, 2, 3, 4), time(6), time(14), (Break(time(10), time(10, 30)),))
    matrix = SetupMatrix("any", 600.0, (SetupTime("turning", "milling", 300.0),))

    def machine(id_: str, capability: str, speed: float = 1.0, batch_capacity: int = 1) -> Machine:
        failing = Reliability(exponential(36000.0), exponential(1800.0))
        return Machine(id_, id_, "hall", "cell", (capability,), "day", "any", speed, batch_capacity, failing)

    return Plant(
        enterprise="Test",
        site="site",
        name="Small shop",
        timezone="UTC",
        starts_at=MONDAY,
        calendars=(Calendar("day", "UTC", (shift,)),),
        setup_matrices=(matrix,),
        machines=(
            machine("L1", "turning"),
            machine("L2", "turning", speed=2.0),
            machine("MILL", "milling"),
            machine("OVEN", "heating", batch_capacity=3),
        ),
        people=(Person("P1", "Ada", ("turning", "milling", "heating"), "day"),),
        items=items,
    )
