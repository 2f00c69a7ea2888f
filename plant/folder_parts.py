"""What stands in the TOML files of a plant folder, turned into the plant's parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from plant.calendar import Break, Calendar, Shift
from plant.connection import Connection, Protocol
from plant.folder_distribution import read_factor
from plant.folder_floor import (
    FloorNames,
    read_absences,
    read_machine_extras,
    read_operation_extras,
    read_replenishment,
)
from plant.folder_table import Table, note_repeats, parse_date, parse_time, unknown
from plant.folder_tariff import read_overtime
from plant.item import Attendance, BomLine, Item, ItemKind, Operation
from plant.plant import NO_CHANGEOVERS, Machine, Person, SetupMatrix, SetupTime

_DAY_S = 86400.0
_CALENDAR_HORIZON = timedelta(days=400)

_FIRST_YEAR, _LAST_YEAR = 1970, 2999
"""A plant begins in one of these; plans reach centuries on, and dates end with the year 9999."""

_MOST_IN_A_BATCH = 1_000_000
"""Jobs; compiled code counts them in numbers of fixed size."""

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Names:
    """What the files define, to judge references by; None where a file cannot be read, so nothing can be said."""

    shifts: set[str] | None
    calendars: set[str] | None
    setup_matrices: set[str] | None
    machines: set[str] | None
    capabilities: set[str] | None
    skills: Mapping[str, int] | None
    items: set[str] | None
    setup_families: set[str] | None
    floor: FloorNames

    @staticmethod
    def of(plant: Document | None, products: Document | None) -> Names:
        """Collect the names from the documents, whatever else is wrong with them."""
        families = None
        if products is not None:
            families = {
                name
                for item in _rows(products, "item")
                for row in _rows(item, "routing")
                for name in _texts(row, "setup_family")
            }
        made = None
        if products is not None:
            rows = (item for item in _rows(products, "item") if item.get("kind") != "purchased")
            made = {name for item in rows for name in _texts(item, "id")}
        return Names(
            shifts=_named(plant, "shift", "id"),
            calendars=_named(plant, "calendar", "id"),
            setup_matrices=_named(plant, "setup_matrix", "id"),
            machines=_named(plant, "machine", "id"),
            capabilities=_named(plant, "machine", "capabilities"),
            skills=_counted(plant, "person", "skills"),
            items=_named(products, "item", "id"),
            setup_families=families,
            floor=FloorNames(
                tools=_named(plant, "tool", "id"),
                crews=_named(plant, "crew", "id"),
                carriers=_named(plant, "carrier", "id"),
                work_centers=_named(plant, "machine", "work_center"),
                items=made,
                setup_families=families,
            ),
        )


def _rows(document: Document, name: str) -> Iterator[Document]:
    rows = document.get(name)
    return (row for row in rows if isinstance(row, Mapping)) if isinstance(rows, list) else iter(())


def _texts(row: Document, name: str) -> list[str]:
    value = row.get(name)
    values = value if isinstance(value, list) else [value]
    return [part for part in values if isinstance(part, str)]


def _named(document: Document | None, kind: str, name: str) -> set[str] | None:
    if document is None:
        return None
    return {text for row in _rows(document, kind) for text in _texts(row, name)}


def _counted(document: Document | None, kind: str, name: str) -> Mapping[str, int] | None:
    """Return in how many rows each text stands."""
    if document is None:
        return None
    return Counter(text for row in _rows(document, kind) for text in set(_texts(row, name)))


@dataclass(frozen=True)
class Head:
    """The ``[plant]`` table; harmless values where it is wrong."""

    enterprise: str = ""
    site: str = ""
    name: str = ""
    timezone: str = "UTC"
    starts_at: datetime = datetime(2000, 1, 1, tzinfo=UTC)
    rule: str = "FIFO"

    @property
    def zone(self) -> ZoneInfo:
        """The time zone the files' times are in."""
        return ZoneInfo(self.timezone)


def read_head(root: Table) -> Head:
    """Read ``[plant]``."""
    table = root.table("plant")
    if table is None:
        return Head()
    enterprise, site, name = table.text("enterprise"), path_text(table, "site"), table.text("name")
    zone = zone_named(table.text("timezone"))
    if zone is None:
        if table.raw("timezone"):
            reason = f"unknown time zone {table.raw('timezone')!r}; use an IANA name such as Asia/Shanghai"
            table.problem("timezone", reason)
        zone = ZoneInfo("UTC")
    starts_at = table.moment("starts_at", zone)
    if not _FIRST_YEAR <= starts_at.year <= _LAST_YEAR:
        table.problem("starts_at", f"must be in a year from {_FIRST_YEAR} to {_LAST_YEAR}, not {starts_at.year}")
        starts_at = datetime(2000, 1, 1, tzinfo=UTC)  # calendars are looked at from here on
    rule = table.text("rule", "FIFO")
    table.close()
    return Head(enterprise, site, name, zone.key, starts_at, rule)


def zone_named(name: object) -> ZoneInfo | None:
    """Return the time zone of this IANA name, None if there is none."""
    try:
        return ZoneInfo(name) if isinstance(name, str) and name else None
    except (KeyError, ValueError, OSError):
        return None


def read_calendars(root: Table, head: Head, names: Names) -> tuple[Calendar, ...]:
    """Read ``[[shift]]`` and ``[[calendar]]``."""
    tables = root.tables("shift", "shift", required=False)
    note_repeats(tables)
    shifts = {shift.id: shift for shift in (_shift(table) for table in tables) if shift}
    tables = root.tables("calendar", "calendar")
    note_repeats(tables)
    found = (_calendar(table, shifts, head, names) for table in tables)
    return tuple(calendar for calendar in found if calendar)


def _shift(table: Table) -> Shift | None:
    id_, days = table.text("id"), table.days("days")
    start, end = table.time("start"), table.time("end")
    breaks = table.each("breaks", _break)
    return table.make(lambda: Shift(id_, days, start, end, breaks))


def _break(text: str) -> Break:
    start, dash, end = text.partition("-")
    if not dash:
        raise ValueError(f"must be a span such as 09:00-09:15, not {text!r}")
    return Break(parse_time(start.strip()), parse_time(end.strip()))


def _calendar(table: Table, shifts: Mapping[str, Shift], head: Head, names: Names) -> Calendar | None:
    id_ = table.text("id")
    if table.flag("always_open"):
        return table.make(lambda: Calendar(id_, head.timezone))
    if not table.has("shifts"):
        table.raw("shifts", None)
        table.problem("shifts", "the calendar has no working time; name its shifts, or say always_open = true")
    used = table.references("shifts", "shift", names.shifts) if table.has("shifts") else ()
    closed = table.each("closed_days", parse_date)
    overtime = read_overtime(table, head.zone)
    if any(name not in shifts for name in used):  # a shift that is itself wrong has been noted already
        table.close()
        return None
    calendar = table.make(lambda: Calendar(id_, head.timezone, tuple(shifts[name] for name in used), closed, overtime))
    if calendar and not calendar.windows(head.starts_at, head.starts_at + _CALENDAR_HORIZON):
        table.problem("shifts", f"no working time is left within {_CALENDAR_HORIZON.days} days of the plant's start")
    return calendar


def read_setup_matrices(root: Table, names: Names) -> tuple[SetupMatrix, ...]:
    """Read ``[[setup_matrix]]``; a plant without changeovers has none."""
    tables = root.tables("setup_matrix", "setup_matrix", required=False)
    note_repeats(tables)
    return tuple(matrix for matrix in (_setup_matrix(table, names) for table in tables) if matrix)


def _setup_matrix(table: Table, names: Names) -> SetupMatrix | None:
    id_, default_s = table.text("id"), table.number("default_s")
    if id_ == NO_CHANGEOVERS.id:
        table.problem("id", f"{id_!r} stands for machines that name no matrix; choose another name")
    times: list[SetupTime] = []
    pairs: set[tuple[str, str]] = set()
    for row in table.tables("times", "times", label="", required=False):
        before = row.reference("before", "setup family", names.setup_families)
        after = row.reference("after", "setup family", names.setup_families)
        times.append(SetupTime(before, after, row.number("duration_s")))
        row.close()
        if (before, after) in pairs:
            row.problem("", f"the change from {before!r} to {after!r} is listed twice")
        pairs.add((before, after))
    return table.make(lambda: SetupMatrix(id_, default_s, tuple(times)))


def read_machines(root: Table, names: Names) -> tuple[Machine, ...]:
    """Read ``[[machine]]``."""
    tables = root.tables("machine", "machine")
    note_repeats(tables)
    if root.has("machine") and not tables and root.ok:
        root.problem("machine", "a plant needs at least one machine")
    return tuple(machine for machine in (_machine(table, names) for table in tables) if machine)


def _machine(table: Table, names: Names) -> Machine | None:
    id_, name = path_text(table, "id"), table.text("name")
    area, work_center = path_text(table, "area"), path_text(table, "work_center")
    capabilities = table.texts("capabilities")
    calendar = table.reference("calendar", "calendar", names.calendars)
    matrix = NO_CHANGEOVERS.id
    if table.has("setup_matrix"):
        matrix = table.reference("setup_matrix", "setup matrix", names.setup_matrices)
    speed = table.number("speed", 1.0, positive=True)
    capacity = table.whole("batch_capacity", 1)
    if capacity > _MOST_IN_A_BATCH:
        table.problem("batch_capacity", f"must be at most {_MOST_IN_A_BATCH:,}, not {capacity}")
    extras = read_machine_extras(table, names.floor)
    return table.make(
        lambda: Machine(id_, name, area, work_center, capabilities, calendar, matrix, speed, capacity, **extras)
    )


def path_text(table: Table, name: str) -> str:
    """Return a text that becomes a part of ``site/area/work_center/machine`` and of an MQTT topic."""
    value = table.text(name)
    if set(value) & set("/+#"):
        table.problem(name, f"must not contain '/', '+' or '#', for it is a part of the machine's path: {value!r}")
    return value


def read_people(root: Table, head: Head, names: Names) -> tuple[Person, ...]:
    """Read ``[[person]]``; a plant in which nobody attends anything has none."""
    tables = root.tables("person", "person", required=False)
    note_repeats(tables)
    return tuple(person for person in (_person(table, head, names) for table in tables) if person)


def _person(table: Table, head: Head, names: Names) -> Person | None:
    id_, name, skills = table.text("id"), table.text("name"), table.texts("skills")
    calendar = table.reference("calendar", "calendar", names.calendars)
    absences = read_absences(table, head.zone)
    return table.make(lambda: Person(id_, name, skills, calendar, absences))


def read_items(root: Table, names: Names, zone: ZoneInfo) -> tuple[Item, ...]:
    """Read ``[[item]]`` of products.toml."""
    tables = root.tables("item", "item")
    note_repeats(tables)
    _note_circles(tables)
    return tuple(item for item in (_item(table, names, zone) for table in tables) if item)


def _item(table: Table, names: Names, zone: ZoneInfo) -> Item | None:
    id_, name, kind = table.text("id"), table.text("name"), table.choice("kind", ItemKind)
    unit, stock = table.text("unit", "pc"), table.decimal("stock", Decimal(0))
    bom_tables = table.tables("bom", "bom", label="item", required=False)
    note_repeats(bom_tables, "item")
    bom = tuple(line for line in (_bom_line(row, names) for row in bom_tables) if line)
    operation_tables = table.tables("routing", "operation", required=False)
    note_repeats(operation_tables)
    routing = tuple(step for step in (_operation(row, names) for row in operation_tables) if step)
    lead_time_s, replenishment = 0.0, None
    if kind is ItemKind.PURCHASED:
        lead_time_s = table.number("lead_time_days") * _DAY_S
    if table.has("replenishment"):
        replenishment = read_replenishment(table.table("replenishment"), zone)
    transfer_batch = table.whole("transfer_batch", 1) if table.has("transfer_batch") else None
    return table.make(
        lambda: Item(id_, name, kind, unit, lead_time_s, stock, bom, routing, replenishment, transfer_batch)
    )


def _bom_line(table: Table, names: Names) -> BomLine | None:
    item = table.reference("item", "item", names.items)
    quantity = table.decimal("quantity", positive=True)
    return table.make(lambda: BomLine(item, quantity))


def _operation(table: Table, names: Names) -> Operation | None:
    id_, name = table.text("id"), table.text("name")
    capability = table.text("capability")
    machine_missing = capability and names.capabilities is not None and capability not in names.capabilities
    if machine_missing:
        table.problem("capability", f"no machine has it: {unknown('capability', capability, names.capabilities or ())}")
    family = table.text("setup_family")
    fixed_s, per_piece_s = table.number("fixed_s"), table.number("per_piece_s")
    variation, scrap_ratio = table.number("variation", 0.0), table.number("scrap_ratio", 0.0)
    factor = read_factor(table.table("time_factor")) if table.has("time_factor") else None
    extras = read_operation_extras(table, names.floor)
    is_attended = extras.get("attendance", Attendance.NONE) is not Attendance.NONE
    skill = _skill(table, capability, names, is_attended and not machine_missing)
    able = 0 if names.skills is None else names.skills.get(skill, 0)
    if is_attended and 0 < able < extras["people"]:
        table.problem("people", f"{extras['people']} must have the skill {skill!r}, which only {able} have")
    return table.make(
        lambda: Operation(
            id_, name, capability, skill, family, fixed_s, per_piece_s, variation, scrap_ratio, factor, **extras
        )
    )


def _skill(table: Table, capability: str, names: Names, needed: bool) -> str:
    """Return an operation's skill; called like the capability where none is named, which somebody has if `needed`."""
    named = table.raw("skill", None) is not None
    skill = table.text("skill") if named else capability
    if skill and (named or needed) and names.skills is not None and skill not in names.skills:
        table.problem("skill", f"nobody has it: {unknown('skill', skill, names.skills)}")
    return skill


def _note_circles(tables: list[Table]) -> None:
    """Note each circle in the bills of material once, at the item where it closes."""
    by_id = {id_: table for table in tables if isinstance(id_ := table.raw("id", None), str)}
    parts = {id_: _component_ids(table) for id_, table in by_id.items()}
    done: set[str] = set()

    def follow(id_: str, path: list[str]) -> None:
        if id_ in path:
            circle = " -> ".join([*path[path.index(id_) :], id_])
            by_id[id_].problem("bom", f"the item would be made of itself: {circle}; take one of these lines out")
        elif id_ in parts and id_ not in done:
            for part in parts[id_]:
                follow(part, [*path, id_])
            done.add(id_)

    for id_ in parts:
        follow(id_, [])


def _component_ids(table: Table) -> list[str]:
    bom = table.raw("bom", [])
    rows = [row for row in bom if isinstance(row, Mapping)] if isinstance(bom, list) else []
    return [row["item"] for row in rows if isinstance(row.get("item"), str)]


def read_connections(root: Table, names: Names) -> tuple[Connection, ...]:
    """Read ``[[connection]]`` of connections.toml; every machine must be in exactly one."""
    tables = root.tables("connection", "connection")
    note_repeats(tables)
    homes: dict[str, list[str]] = {}
    found = []
    for table in tables:
        connection = _connection(table, names, homes)
        if connection:
            found.append(connection)
    for machine in sorted(names.machines or ()):
        used = homes.get(machine, [])
        if len(used) != 1:
            where = f"is in connections {', '.join(used)}" if used else "is in no connection"
            root.problem(f"machine {machine}", f"{where}; list it in exactly one")
    return tuple(found)


def _connection(table: Table, names: Names, homes: dict[str, list[str]]) -> Connection | None:
    id_, protocol, endpoint = table.text("id"), table.choice("protocol", Protocol), table.text("endpoint")
    machines = table.references("machines", "machine", names.machines)
    for machine in dict.fromkeys(machines):
        homes.setdefault(machine, []).append(id_)
    options = table.raw("options", {})
    if not isinstance(options, Mapping):
        table.problem("options", "must be a table")
        options = {}
    return table.make(lambda: Connection(id_, protocol, endpoint, machines, dict(options)))
