"""What a floor has beside machines and people, as the TOML files write it: buffers, upkeep, pools, ways, arrivals."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from decimal import Decimal
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from plant.arrival import ArrivalStream, WhenFull
from plant.folder_distribution import read_time
from plant.folder_table import Table, note_repeats
from plant.item import Attendance, Incoming, Replenishment, Rework
from plant.order import Priority
from plant.plant import Absence, FailureTime, Reliability
from plant.resource import NO_POWER, Maintenance, Pool, Power, Transport

_HOUR_S = 3600.0
Known = Collection[str] | None


@dataclass(frozen=True)
class FloorNames:
    """Names that the optional parts of a floor refer to; None where they cannot be judged."""

    tools: Known
    crews: Known
    carriers: Known
    work_centers: Known
    items: Known
    setup_families: Known


def read_pools(root: Table, kind: str) -> tuple[Pool, ...]:
    """Read ``[[tool]]``, ``[[crew]]`` or ``[[carrier]]``."""
    tables = root.tables(kind, kind, required=False)
    note_repeats(tables)
    found = (_pool(table) for table in tables)
    return tuple(pool for pool in found if pool)


def _pool(table: Table) -> Pool | None:
    id_, count = table.text("id"), table.whole("count", 1)
    return table.make(lambda: Pool(id_, count))


def read_transports(root: Table, names: FloorNames) -> tuple[Transport, ...]:
    """Read ``[[transport]]``."""
    found, pairs = [], set()
    for table in root.tables("transport", "transport", required=False):
        before = table.reference("before", "work center", names.work_centers)
        after = table.reference("after", "work center", names.work_centers)
        time_s = table.number("time_s")
        carrier = table.reference("carrier", "carrier", names.carriers) if table.has("carrier") else None
        return_s = table.number("return_s", 0.0)
        if (before, after) in pairs:
            table.problem("", f"the way from {before!r} to {after!r} is listed twice")
        pairs.add((before, after))
        found.append(table.make(partial(Transport, before, after, time_s, carrier, return_s)))
    return tuple(transport for transport in found if transport)


def read_machine_extras(table: Table, names: FloorNames) -> dict[str, Any]:
    """Read the keys of ``[[machine]]`` that may be left out and concern the running floor."""
    extras: dict[str, Any] = {"batch_wait_s": table.number("batch_wait_s", 0.0)}
    for name in ("input_buffer", "output_buffer"):
        extras[name] = table.whole(name, 0, least=0) if table.has(name) else None
    if table.has("batch_families"):
        extras["batch_families"] = table.groups("batch_families", "setup family", names.setup_families)
    if table.has("reliability"):
        extras["reliability"] = _reliability(table.table("reliability"), names)
    if table.has("maintenance"):
        extras["maintenance"] = _maintenance(table.table("maintenance"), names)
    if table.has("power_kw"):
        extras["power_kw"] = _power(table.table("power_kw")) or NO_POWER
    if table.has("rule"):
        extras["rule"] = table.text("rule")
    return extras


def _reliability(table: Table | None, names: FloorNames) -> Reliability | None:
    if table is None:
        return None
    between = read_time(table.table("time_between_failures"), "_h")
    repair = read_time(table.table("time_to_repair"), "_h")
    time = table.choice("failure_time", FailureTime) if table.has("failure_time") else FailureTime.OPERATING
    crew = _crew(table, names)
    found = Reliability(between, repair, time, crew) if between and repair else None
    if found is not None and (wrong := found.wrong()):
        table.problem("", wrong)
    table.close()
    return found


def _crew(table: Table, names: FloorNames) -> str | None:
    return table.reference("crew", "crew", names.crews) if table.has("crew") else None


def _maintenance(table: Table | None, names: FloorNames) -> Maintenance | None:
    if table is None:
        return None
    every_s, duration_s = table.number("every_h", positive=True) * _HOUR_S, table.number("duration_h") * _HOUR_S
    crew = _crew(table, names)
    return table.make(lambda: Maintenance(every_s, duration_s, crew))


def _power(table: Table | None) -> Power | None:
    if table is None:
        return None
    values = {field.name: table.number(field.name, 0.0) for field in fields(Power)}
    return table.make(lambda: Power(**values))


def read_absences(table: Table, zone: ZoneInfo) -> tuple[Absence, ...]:
    """Read `absences` of ``[[person]]``: a list of { from, until }."""
    found = []
    for row in table.tables("absences", "absence", label="", required=False):
        start, end = row.moment("from", zone), row.moment("until", zone)
        found.append(row.make(partial(Absence, start, end)))
    return tuple(absence for absence in found if absence)


def read_operation_extras(table: Table, names: FloorNames) -> dict[str, Any]:
    """Read the keys of an operation that may be left out and concern the running floor, and its waits."""
    extras: dict[str, Any] = {"people": table.whole("people", 1), "interruptible": table.flag("interruptible", True)}
    if table.has("attendance"):
        extras["attendance"] = table.choice("attendance", Attendance)
    if table.has("tools"):
        extras["tools"] = table.references("tools", "tool", names.tools)
    if table.has("rework"):
        extras["rework"] = _rework(table.table("rework"))
    extras["wait_least_s"] = table.number("wait_least_s", 0.0)
    if table.has("wait_most_s"):
        extras["wait_most_s"] = table.number("wait_most_s")
    return extras


def _rework(table: Table | None) -> Rework | None:
    if table is None:
        return None
    ratio, to = table.number("ratio"), table.text("to")
    limit = table.whole("limit", 1) if table.has("limit") else None
    return table.make(lambda: Rework(ratio, to, limit))


def read_replenishment(table: Table | None, zone: ZoneInfo) -> Replenishment | None:
    """Read `replenishment` of a purchased item."""
    if table is None:
        return None
    point, quantity = table.decimal("reorder_point", Decimal(0)), table.decimal("quantity", Decimal(0))
    lead_time = read_time(table.table("lead_time"), "_days") if table.has("lead_time") else None
    deliveries = []
    for row in table.tables("deliveries", "delivery", label="", required=False):
        at, pieces = row.moment("at", zone), row.decimal("quantity", positive=True)
        deliveries.append(row.make(partial(Incoming, at, pieces)))
    arriving = tuple(delivery for delivery in deliveries if delivery)
    return table.make(lambda: Replenishment(point, quantity, lead_time, arriving))


def read_arrivals(root: Table, names: FloorNames) -> tuple[ArrivalStream, ...]:
    """Read ``[[arrivals]]`` of products.toml."""
    tables = root.tables("arrivals", "arrivals", required=False)
    note_repeats(tables)
    found = (_stream(table, names) for table in tables)
    return tuple(stream for stream in found if stream)


def _stream(table: Table, names: FloorNames) -> ArrivalStream | None:
    id_, item = table.text("id"), table.reference("item", "made item", names.items)
    quantity = table.whole("quantity", 1)
    interarrival = read_time(table.table("interarrival")) if table.has("interarrival") else None
    wip = table.whole("wip", 1) if table.has("wip") else None
    when_full = table.choice("when_full", WhenFull) if table.has("when_full") else WhenFull.WAIT
    due_after_s = table.number("due_after_s") if table.has("due_after_s") else None
    priority = table.choice("priority", Priority) if table.has("priority") else Priority.NORMAL
    return table.make(lambda: ArrivalStream(id_, item, quantity, interarrival, wip, when_full, due_after_s, priority))
