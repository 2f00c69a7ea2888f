"""Small floors for theory and measurements, written out as plant folders and read back: no private way in."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from methods.floor import floor_model
from plant.floor_model import FloorModel
from plant.folder import load, load_orders
from plant.plant import Plant

Values = Mapping[str, object]

EXPONENTIAL = {"family": "exponential", "mean": 1}

_HEAD = """format = 1
plant = { enterprise = "Theory", site = "site", name = "Floor", timezone = "UTC", starts_at = "2026-01-05T00:00" }
[[calendar]]
id = "always"
always_open = true
[[setup_matrix]]
id = "none"
default_s = 0
[[person]]
id = "P1"
name = "Ada"
skills = [SKILLS]
calendar = "always"
"""


def toml(value: object) -> str:
    """Return a value as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{name} = {toml(part)}" for name, part in value.items()) + " }"
    if isinstance(value, Sequence):
        return "[" + ", ".join(toml(part) for part in value) + "]"
    return repr(value)


def _table(kind: str, values: Values) -> str:
    return f"[[{kind}]]\n" + "".join(f"{name} = {toml(value)}\n" for name, value in values.items())


def machine(id_: str, capability: str | None = None, **more: object) -> Values:
    """Return a machine that is always open and needs no setup; its capability is called like it by default."""
    return {
        "id": id_,
        "name": id_,
        "area": "hall",
        "work_center": "cell",
        "capabilities": [capability or id_],
        "calendar": "always",
        "setup_matrix": "none",
    } | more


def operation(capability: str, mean_s: float, factor: Values | None = EXPONENTIAL, **more: object) -> Values:
    """Return an operation of one piece with this mean time, exponential by default; its id is its capability."""
    values: dict[str, object] = {
        "id": capability,
        "name": capability,
        "capability": capability,
        "setup_family": "any",
        "fixed_s": 0,
        "per_piece_s": mean_s,
    }
    return values | ({} if factor is None else {"time_factor": factor}) | more


def item(id_: str, *routing: Values, **more: object) -> Values:
    """Return a made item."""
    return {"id": id_, "name": id_, "kind": "made", "routing": list(routing)} | more


def write_floor(
    folder: Path,
    machines: Sequence[Values],
    items: Sequence[Values],
    arrivals: Iterable[Values] = (),
    more: Mapping[str, Iterable[Values]] | None = None,
    orders: Iterable[str] = (),
) -> None:
    """Write a plant folder; `more` holds further lists of plant.toml by kind: crew, tool, carrier, person, ..."""
    skills = {part["capability"] for one in items for part in _routing(one)}
    extra = [_table(kind, values) for kind, rows in (more or {}).items() for values in rows]
    text = _HEAD.replace("SKILLS", ", ".join(toml(skill) for skill in sorted(map(str, skills))))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plant.toml").write_text("\n".join([text, *(_table("machine", one) for one in machines), *extra]))
    products = [*(_table("item", one) for one in items), *(_table("arrivals", one) for one in arrivals)]
    (folder / "products.toml").write_text("\n".join(["format = 1", *products]))
    connection = {
        "id": "line",
        "protocol": "opcua",
        "endpoint": "opc.tcp://h:1",
        "machines": [m["id"] for m in machines],
    }
    (folder / "connections.toml").write_text("format = 1\n" + _table("connection", connection))
    header = "id,customer,item,quantity,ordered_at,due_at,priority"
    (folder / "orders.csv").write_text("\n".join([header, *orders]) + "\n")


def _routing(one: Values) -> list[Values]:
    routing = one.get("routing", [])
    assert isinstance(routing, list)
    return routing


def floor(
    machines: Sequence[Values],
    items: Sequence[Values],
    arrivals: Iterable[Values] = (),
    more: Mapping[str, Iterable[Values]] | None = None,
    orders: Iterable[str] = (),
) -> FloorModel:
    """Return the model of such a floor, through its folder."""
    with tempfile.TemporaryDirectory() as name:
        write_floor(Path(name), machines, items, arrivals, more, orders)
        plant = load(Path(name))
        return floor_model(plant, load_orders(Path(name), plant))


def plant_of(machines: Sequence[Values], items: Sequence[Values]) -> Plant:
    """Return the plant of such a floor, through its folder."""
    return floor(machines, items).plant
