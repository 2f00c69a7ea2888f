"""A small floor whose times can be computed by hand, in which everything goes as planned."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

from emulator.events import (
    DispatchedJob,
    Event,
    StateChanged,
)
from emulator.floor import EmulatedFloor
from emulator.truth import TrueMachine, TrueOperation, Truth
from plant.calendar import Break, Calendar, Shift
from plant.distribution import constant
from plant.item import Item, ItemKind, Operation
from plant.machine_state import MachineState
from plant.plant import Machine, Plant, SetupMatrix

START = datetime(2026, 1, 5, 6, tzinfo=UTC)
"""A Monday."""
SHOP = Path(__file__).parents[2] / "plants" / "machine_shop"

IDLE, STARVED, SETUP = MachineState.IDLE, MachineState.STARVED, MachineState.SETUP
EXECUTING, BREAKDOWN, PLANNED_STOP = MachineState.EXECUTING, MachineState.BREAKDOWN, MachineState.PLANNED_STOP


def operation(name: str, capability: str, fixed_s: float, per_piece_s: float, scrap_ratio: float = 0.0) -> Operation:
    return Operation(name, name, capability, "any", f"{capability} family", fixed_s, per_piece_s, 0.0, scrap_ratio)


SMALL = Plant(
    enterprise="E",
    site="s",
    name="Small",
    timezone="UTC",
    starts_at=START,
    calendars=(
        Calendar("always", "UTC"),
        Calendar("day", "UTC", (Shift("d", (0, 1, 2, 3, 4), time(6), time(14), (Break(time(9), time(9, 30)),)),)),
    ),
    setup_matrices=(SetupMatrix("std", 600.0),),
    machines=(
        Machine("M1", "Saw", "a", "w", ("saw",), "always", "std"),
        Machine("M2", "Mill", "a", "w", ("mill",), "day", "std"),
        Machine("OVEN", "Oven", "a", "w", ("heat",), "always", "std", batch_capacity=2),
    ),
    people=(),
    items=(
        Item(
            "P",
            "Part",
            ItemKind.MADE,
            stock=Decimal(0),
            routing=(
                operation("10", "saw", 100, 50),
                operation("20", "mill", 0, 3600),
                operation("30", "heat", 7200, 0),
            ),
        ),
    ),
)


def truth_of(plant: Plant, failures_s: dict[str, float] | None = None, scrap_ratio: float = 0.0) -> Truth:
    """The truth of a plant in which everything goes as planned, except for what is given."""
    between = {name: constant(value) for name, value in (failures_s or {}).items()}
    machines = {
        machine.id: TrueMachine(machine.speed, 1.0, between.get(machine.id), constant(1800.0))
        for machine in plant.machines
    }
    operations = {
        (item.id, op.id): TrueOperation(1.0, 0.0, scrap_ratio) for item in plant.made_items() for op in item.routing
    }
    return Truth(1, machines, operations)


_MACHINES = {"10": "M1", "20": "M2", "30": "OVEN"}


def job(name: str, operation_id: str = "10", quantity: int = 4, sequence: int = 0, **more) -> DispatchedJob:
    values = {
        "id": name,
        "revision": 1,
        "machine": _MACHINES[operation_id],
        "item": "P",
        "operation": operation_id,
        "quantity": quantity,
        "setup_family": SMALL.operation("P", operation_id).setup_family,
        "planned_start": START,
        "planned_end": START + timedelta(hours=1),
        "sequence": sequence,
        "production_order": "CO-1/1",
        "customer_order": "CO-1",
        "release_at": START,
    }
    return DispatchedJob(**{**values, **more})


def after(**span: float) -> datetime:
    return START + timedelta(**span)


def small(**truth) -> EmulatedFloor:
    return EmulatedFloor(SMALL, truth_of(SMALL, **truth), START)


def states(events: list[Event], machine: str) -> list[tuple[float, MachineState, str | None]]:
    """State changes as (seconds since the start, state, job order)."""
    return [
        ((event.at - START).total_seconds(), event.state, event.job_order)
        for event in events
        if isinstance(event, StateChanged) and event.machine == machine
    ]


def of_kind(events: list[Event], kind: type) -> list:
    return [event for event in events if isinstance(event, kind)]
