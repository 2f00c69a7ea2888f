"""The customer orders of a plant folder: orders.csv, one order a line."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from plant.errors import Problem
from plant.folder_table import parse_moment, unknown
from plant.item import ItemKind
from plant.naming import wrong_order_id
from plant.order import CustomerOrder, Priority
from plant.plant import Plant

ORDERS_FILE = "orders.csv"
COLUMNS = ("id", "customer", "item", "quantity", "ordered_at", "due_at", "priority")


def read_orders(
    text: str, kinds: Mapping[str, ItemKind] | None, zone: ZoneInfo, plant: Plant | None, problems: list[Problem]
) -> tuple[CustomerOrder, ...]:
    """Read customer orders from the text of orders.csv, noting everything that is wrong in `problems`.

    Parameters
    ----------
    kinds
        The plant's items; None if they are not known, so an order's item cannot be judged.
    zone
        Time zone of the file's times.
    plant
        None if it is not known, so whether an order's id reaches its machines cannot be judged.
    """
    orders: list[CustomerOrder] = []
    lines: dict[str, int] = {}
    for line, row in _rows(text, problems):
        order = _OrderRow(line, row, problems).order(kinds, zone, plant)
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
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
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
    missing = [name for name in COLUMNS if name not in header and name != "priority"]
    extra = [name for name in header if name not in COLUMNS]
    if missing or extra or len(set(header)) != len(header):
        given = ", ".join(header) or "an empty line"
        hint = "; separate the cells with commas" if len(header) == 1 and re.search("[;\t]", given) else ""
        return f"the columns must be {', '.join(COLUMNS)} (the last may be left out), not {given}{hint}"
    return ""


class _OrderRow:
    """One line of orders.csv being read."""

    def __init__(self, line: int, row: Mapping[str, str], problems: list[Problem]) -> None:
        self._line = line
        self._row = row
        self._problems = problems
        self._ok = True

    def order(self, kinds: Mapping[str, ItemKind] | None, zone: ZoneInfo, plant: Plant | None) -> CustomerOrder | None:
        """Return the order, or None after noting all that is wrong with the line."""
        id_, customer = self._filled("id"), self._filled("customer")
        item = self._item(kinds)
        self._check_id(id_, item, plant)
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

    def _check_id(self, id_: str, item: str, plant: Plant | None) -> None:
        made = next((one for one in plant.made_items() if one.id == item), None) if plant else None
        wrong = wrong_order_id(id_, made, plant)
        if wrong:
            self._problem("id", wrong)

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
