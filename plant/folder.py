"""A plant as a folder of files: read, with every problem found at once, named by file, key and reason.

::

    plant.toml          the shop: shifts, calendars, setup matrices, machines, people
    products.toml       items with their bills of material and routings
    connections.toml    how the machines are reached; only whoever reads them needs it
    orders.csv          customer orders in hand

Times in the files are local to the plant's time zone; everything returned is UTC.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from plant.errors import PlantInvalid, Problem
from plant.folder_floor import read_arrivals, read_pools, read_transports
from plant.folder_orders import ORDERS_FILE, read_orders
from plant.folder_parts import (
    Document,
    Names,
    read_calendars,
    read_connections,
    read_head,
    read_items,
    read_machines,
    read_people,
    read_setup_matrices,
    zone_named,
)
from plant.folder_table import Table
from plant.folder_tariff import read_tariff
from plant.item import ItemKind
from plant.order import CustomerOrder
from plant.plant import Plant

FORMAT = 1
PLANT_FILE = "plant.toml"
PRODUCTS_FILE = "products.toml"
CONNECTIONS_FILE = "connections.toml"


def load(folder: Path) -> Plant:
    """Read a plant from its folder.

    Raises
    ------
    PlantInvalid
        With every problem found in the TOML files.
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
    text = _text(folder, ORDERS_FILE, problems)
    orders = () if text is None else read_orders(text, kinds, ZoneInfo(plant.timezone), plant, problems)
    if problems:
        raise PlantInvalid(problems)
    return orders


def check(folder: Path) -> list[Problem]:
    """Return everything that is wrong in a plant folder; nothing if it can be used."""
    problems: list[Problem] = []
    documents = _documents(folder, problems)
    plant = _read_plant(documents, problems)
    text = _text(folder, ORDERS_FILE, problems)
    if text is not None:
        read_orders(text, _item_kinds(documents.products), _zone(documents.plant), plant, problems)
    return problems


def require_connections(plant: Plant, folder: Path) -> None:
    """Check that a plant says how its machines are reached: a plan needs no more than the plant, a live floor does.

    Raises
    ------
    PlantInvalid
        If there is no connection.
    """
    if not plant.connections:
        reason = (
            f"is missing in {folder}, so no machine can be read; say in it how each machine is reached "
            "(docs/howto/connect-machines.md); `forerun prepare` imports it. `forerun plan` does without it"
        )
        raise PlantInvalid([Problem(CONNECTIONS_FILE, "file", reason)])


@dataclass(frozen=True)
class _Documents:
    """The TOML files as read; None for one that cannot be, and for connections that are not there."""

    plant: Document | None
    products: Document | None
    connections: Document | None


def _documents(folder: Path, problems: list[Problem]) -> _Documents:
    is_connected = (folder / CONNECTIONS_FILE).exists()
    return _Documents(
        _document(folder, PLANT_FILE, problems),
        _document(folder, PRODUCTS_FILE, problems),
        _document(folder, CONNECTIONS_FILE, problems) if is_connected else None,
    )


def _text(folder: Path, file: str, problems: list[Problem]) -> str | None:
    path = folder / file
    if path.exists() and not (path.is_file() or path.is_dir()):  # reading a pipe or a device may never end
        problems.append(Problem(file, "file", "is no ordinary file"))
        return None
    try:
        return path.read_text(encoding="utf-8-sig")  # spreadsheets put a byte order mark in front
    except FileNotFoundError:
        problems.append(Problem(file, "file", f"is missing in {folder}"))
    except UnicodeDecodeError as error:
        problems.append(
            Problem(file, "file", f"must be UTF-8 text; byte {error.start} is not; save it as UTF-8 (Excel: CSV UTF-8)")
        )
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
    except RecursionError:
        problems.append(Problem(file, "file", "is nested too deeply; a plant's tables are a few levels deep"))
    except ValueError:  # what Python refuses to turn into a number, for its sheer length
        problems.append(Problem(file, "file", "holds a number of thousands of digits; shorten it"))
    return None


def _read_plant(documents: _Documents, problems: list[Problem]) -> Plant | None:
    names = Names.of(documents.plant, documents.products)
    parts: dict[str, Any] = {}
    if (shop := _root(PLANT_FILE, documents.plant, problems)) is not None:
        parts |= _read_shop(shop, names)
    if (products := _root(PRODUCTS_FILE, documents.products, problems)) is not None:
        parts["items"] = read_items(products, names, _zone(documents.plant))
        parts["arrivals"] = read_arrivals(products, names.floor)
        products.close()
    if (connections := _root(CONNECTIONS_FILE, documents.connections, problems)) is not None:
        parts["connections"] = read_connections(connections, names)
        connections.close()
    return None if problems else Plant(**parts)


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
    head = read_head(root)
    parts = {
        "enterprise": head.enterprise,
        "site": head.site,
        "name": head.name,
        "timezone": head.timezone,
        "starts_at": head.starts_at,
        "calendars": read_calendars(root, head, names),
        "setup_matrices": read_setup_matrices(root, names),
        "machines": read_machines(root, names),
        "people": read_people(root, head, names),
        "tools": read_pools(root, "tool"),
        "crews": read_pools(root, "crew"),
        "carriers": read_pools(root, "carrier"),
        "transports": read_transports(root, names.floor),
        "rule": head.rule,
        "tariff": read_tariff(root),
    }
    root.close()
    return parts


def _zone(plant: Document | None) -> ZoneInfo:
    head = (plant or {}).get("plant")
    return zone_named(head.get("timezone") if isinstance(head, Mapping) else None) or ZoneInfo("UTC")


def _item_kinds(products: Document | None) -> dict[str, ItemKind] | None:
    if products is None or not isinstance(products.get("item"), list):
        return None
    rows = [row for row in products["item"] if isinstance(row, Mapping) and isinstance(row.get("id"), str)]
    return {row["id"]: ItemKind.PURCHASED if row.get("kind") == "purchased" else ItemKind.MADE for row in rows}
