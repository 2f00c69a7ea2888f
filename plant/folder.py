"""A plant as a folder of files: read, with every problem found at once, named by file, key and reason.

::

    plant.toml          the shop: shifts, calendars, setup matrices, machines, people
    products.toml       items with their bills of material and routings
    connections.toml    how the machines are reached
    orders.csv          customer orders in hand

Times in the files are local to the plant's time zone; everything returned is UTC.
"""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from plant.errors import InvalidInput, PlantInvalid, Problem
from plant.folder_parts import (
    Document,
    Names,
    path_text,
    read_calendars,
    read_connections,
    read_items,
    read_machines,
    read_people,
    read_setup_matrices,
)
from plant.folder_table import Table, parse_moment, unknown
from plant.item import ItemKind
from plant.order import CustomerOrder, Priority
from plant.plant import Plant

FORMAT = 1
PLANT_FILE = "plant.toml"
PRODUCTS_FILE = "products.toml"
CONNECTIONS_FILE = "connections.toml"
ORDERS_FILE = "orders.csv"
ORDER_COLUMNS = ("id", "customer", "item", "quantity", "ordered_at", "due_at", "priority")


def load(folder: Path) -> Plant:
    """Read a plant from its folder.

    Raises
    ------
    PlantInvalid
        With every problem found in the three TOML files.
    """
    problems: list[Problem] = []
    plant = _read_plant(_documents(folder, problems), problems)
    if plant is None or problems:
        raise PlantInvalid(problems)
    return plant


def load_orders(folder: Path, plant: Plant) -> tuple[CustomerOrder, ...]:
    """Read the customer orders of a plant's folder, in the order of the file.

    Raises
    ------
    PlantInvalid
        With every problem found in orders.csv.
    """
    problems: list[Problem] = []
    kinds = {item.id: item.kind for item in plant.items}
    orders = _read_orders(folder, kinds, ZoneInfo(plant.timezone), problems)
    if problems:
        raise PlantInvalid(problems)
    return orders


def check(folder: Path) -> list[Problem]:
    """Return everything that is wrong in a plant folder; nothing if it can be used."""
    problems: list[Problem] = []
    documents = _documents(folder, problems)
    _read_plant(documents, problems)
    _read_orders(folder, _item_kinds(documents.products), _zone(documents.plant), problems)
    return problems


@dataclass(frozen=True)
class _Documents:
    """The TOML files as read; None for one that cannot be."""

    plant: Document | None
    products: Document | None
    connections: Document | None


def _documents(folder: Path, problems: list[Problem]) -> _Documents:
    return _Documents(
        _document(folder, PLANT_FILE, problems),
        _document(folder, PRODUCTS_FILE, problems),
        _document(folder, CONNECTIONS_FILE, problems),
    )


def _text(folder: Path, file: str, problems: list[Problem]) -> str | None:
    try:
        return (folder / file).read_text(encoding="utf-8-sig")  # spreadsheets put a byte order mark in front
    except FileNotFoundError:
        problems.append(Problem(file, "file", f"is missing in {folder}"))
    except UnicodeDecodeError as error:
        problems.append(Problem(file, "file", f"must be UTF-8 text; byte {error.start} is not"))
    except OSError as error:
        problems.append(Problem(file, "file", f"cannot be read: {error.strerror}"))
    return None


def _document(folder: Path, file: str, problems: list[Problem]) -> Document | None:
    text = _text(folder, file, problems)
    if text is None:
        return None
    # Quantities stay exactly as written; options are the connectors' own and hold ordinary numbers.
    number = float if file == CONNECTIONS_FILE else Decimal
    try:
        return tomllib.loads(text, parse_float=number)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        problems.append(Problem(file, f"line {line[1]}" if line else "last line", f"is no TOML: {error}"))
        return None


def _read_plant(documents: _Documents, problems: list[Problem]) -> Plant | None:
    names = Names.of(documents.plant, documents.products)
    parts: dict[str, Any] = {}
    if (shop := _root(PLANT_FILE, documents.plant, problems)) is not None:
        parts |= _read_shop(shop, names)
    if (products := _root(PRODUCTS_FILE, documents.products, problems)) is not None:
        parts["items"] = read_items(products, names)
        products.close()
    if (connections := _root(CONNECTIONS_FILE, documents.connections, problems)) is not None:
        parts["connections"] = read_connections(connections, names)
        connections.close()
    if problems:
        return None
    try:
        return Plant(**parts)
    except InvalidInput as error:
        problems.append(Problem(PLANT_FILE, "plant", str(error)))
        return None


def _root(file: str, document: Document | None, problems: list[Problem]) -> Table | None:
    if document is None:
        return None
    root = Table(file, "", document, problems)
    given = root.raw("format", None)
    if isinstance(given, bool) or given != FORMAT:
        said = "is missing" if given is None else f"must be {FORMAT}, not {given!r}"
        root.problem("format", f"{said}; this version of Forerun reads format = {FORMAT}")
    return root


def _read_shop(root: Table, names: Names) -> dict[str, Any]:
    head = root.table("plant")
    zone = ZoneInfo("UTC")
    timezone = head.text("timezone") if head.ok else ""
    if timezone and (known := _zone_named(timezone)) is None:
        head.problem("timezone", f"unknown time zone {timezone!r}; use an IANA name such as Asia/Shanghai")
    elif timezone and known is not None:
        zone = known
    given = root.has("plant")
    parts: dict[str, Any] = {"timezone": timezone}
    parts["enterprise"] = head.text("enterprise") if given else ""
    parts["site"] = path_text(head, "site") if given else ""
    parts["name"] = head.text("name") if given else ""
    starts_at = head.moment("starts_at", zone) if given else datetime.fromisoformat("2000-01-01T00:00Z")
    head.close()
    parts["starts_at"] = starts_at
    parts["calendars"] = read_calendars(root, zone, starts_at, names)
    parts["setup_matrices"] = read_setup_matrices(root, names)
    parts["machines"] = read_machines(root, names)
    parts["people"] = read_people(root, names)
    root.close()
    return parts


def _zone_named(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def _zone(plant: Document | None) -> ZoneInfo:
    head = (plant or {}).get("plant")
    name = head.get("timezone") if isinstance(head, Mapping) else None
    return (_zone_named(name) if isinstance(name, str) else None) or ZoneInfo("UTC")


def _item_kinds(products: Document | None) -> dict[str, ItemKind] | None:
    if products is None or not isinstance(products.get("item"), list):
        return None
    rows = [row for row in products["item"] if isinstance(row, Mapping) and isinstance(row.get("id"), str)]
    return {row["id"]: ItemKind.PURCHASED if row.get("kind") == "purchased" else ItemKind.MADE for row in rows}


def _read_orders(
    folder: Path, kinds: Mapping[str, ItemKind] | None, zone: ZoneInfo, problems: list[Problem]
) -> tuple[CustomerOrder, ...]:
    text = _text(folder, ORDERS_FILE, problems)
    if text is None:
        return ()
    orders: list[CustomerOrder] = []
    lines: dict[str, int] = {}
    for line, row in _rows(text, problems):
        order = _OrderRow(line, row, problems).order(kinds, zone)
        if (id_ := row["id"]) in lines:
            problems.append(
                Problem(ORDERS_FILE, f"line {line}: id", f"{id_!r} is used twice, first in line {lines[id_]}")
            )
        lines.setdefault(id_, line)
        if order is not None:
            orders.append(order)
    return tuple(orders)


def _rows(text: str, problems: list[Problem]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line number, cells by column) of every row that has the header's length."""
    reader = csv.reader(text.splitlines(), strict=True)
    try:
        header = [cell.strip() for cell in next(reader, [])]
        wrong = _header_problem(header)
        if wrong:
            problems.append(Problem(ORDERS_FILE, "line 1", wrong))
            return
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                reason = f"has {len(cells)} cells where the header has {len(header)} columns"
                problems.append(Problem(ORDERS_FILE, f"line {reader.line_num}", reason))
                continue
            row = dict(zip(header, (cell.strip() for cell in cells), strict=True))
            yield reader.line_num, {"priority": ""} | row
    except csv.Error as error:
        problems.append(Problem(ORDERS_FILE, f"line {reader.line_num}", f"is no CSV: {error}"))


def _header_problem(header: list[str]) -> str:
    missing = [name for name in ORDER_COLUMNS if name not in header and name != "priority"]
    extra = [name for name in header if name not in ORDER_COLUMNS]
    if missing or extra or len(set(header)) != len(header):
        return f"the columns must be {', '.join(ORDER_COLUMNS)} (the last may be left out), not {', '.join(header)}"
    return ""


class _OrderRow:
    """One line of orders.csv being read."""

    def __init__(self, line: int, row: Mapping[str, str], problems: list[Problem]) -> None:
        self._line = line
        self._row = row
        self._problems = problems
        self._ok = True

    def order(self, kinds: Mapping[str, ItemKind] | None, zone: ZoneInfo) -> CustomerOrder | None:
        """Return the order, or None after noting all that is wrong with the line."""
        id_, customer = self._filled("id"), self._filled("customer")
        item = self._item(kinds)
        quantity = self._quantity()
        ordered_at, due_at = self._moment("ordered_at", zone), self._moment("due_at", zone)
        priority = self._priority()
        if ordered_at and due_at and due_at <= ordered_at:
            self._problem("due_at", f"must be after ordered_at {self._row['ordered_at']}, not {self._row['due_at']}")
        if not self._ok or ordered_at is None or due_at is None:
            return None
        return CustomerOrder(id_, customer, item, quantity, ordered_at, due_at, priority)

    def _problem(self, column: str, reason: str) -> None:
        self._ok = False
        name = f" ({self._row['id']})" if self._row["id"] else ""
        self._problems.append(Problem(ORDERS_FILE, f"line {self._line}{name}: {column}", reason))

    def _filled(self, column: str) -> str:
        if not self._row[column]:
            self._problem(column, "is missing")
        return self._row[column]

    def _item(self, kinds: Mapping[str, ItemKind] | None) -> str:
        item = self._filled("item")
        if not item or kinds is None:
            return item
        if item not in kinds:
            self._problem("item", unknown("item", item, kinds))
        elif kinds[item] is ItemKind.PURCHASED:
            self._problem("item", f"{item!r} is purchased; order an item that is made")
        return item

    def _quantity(self) -> int:
        text = self._filled("quantity")
        if text and not (re.fullmatch(r"[0-9]{1,9}", text) and int(text) > 0):
            self._problem("quantity", f"must be a whole number above 0, not {text!r}")
        return int(text) if self._ok else 1

    def _priority(self) -> Priority:
        text = self._row["priority"] or Priority.NORMAL.value
        if text not in list(Priority):
            self._problem("priority", f"must be one of {', '.join(Priority)}, or empty, not {text!r}")
            return Priority.NORMAL
        return Priority(text)

    def _moment(self, column: str, zone: ZoneInfo) -> datetime | None:
        text = self._filled(column)
        if not text:
            return None
        try:
            return parse_moment(text, zone)
        except ValueError as error:
            self._problem(column, str(error))
            return None
