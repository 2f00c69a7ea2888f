"""A snapshot as JSON (`format = 1`), lossless: what is read back equals what was written, to the last digit.

The future from a snapshot depends on the snapshot, the plant version it names, the plan and the seed, and on nothing
else; the same ones give the same future, in whatever process.
"""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import partial
from typing import Any, Union, get_args, get_origin, get_type_hints

from plant.checks import require
from plant.errors import InvalidInput, NotFound
from plant.plant import Plant
from plant.snapshot import Snapshot
from plant.version import PlantVersion, canonical

FORMAT = 1


def snapshot_text(snapshot: Snapshot) -> str:
    """Return a snapshot as JSON text; equal snapshots give the same text.

    Raises
    ------
    InvalidInput
        If it does not name the plant version it is of: nobody could tell later whether it fits.
    """
    require(bool(snapshot.plant_version), "the snapshot names no plant version; take it of an imported plant")
    document = {"format": FORMAT, **json.loads(canonical(snapshot))}
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def read_snapshot(text: str, version: PlantVersion) -> Snapshot:
    """Return the snapshot that `snapshot_text` made `text` of.

    Parameters
    ----------
    version
        The plant it is to be used with.

    Raises
    ------
    InvalidInput
        If `text` is not such a document, of another plant version, or names what the plant does not have: the
        message says what and where.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"the snapshot is no JSON: {error}") from error
    require(isinstance(document, dict), "the snapshot must be a JSON object; save one anew")
    found = document.pop("format", None)
    require(found == FORMAT, f"the snapshot's format is {found!r}; this version of Forerun reads format {FORMAT}")
    named = document.get("plant_version")
    require(
        named == version.id,
        f"the snapshot's plant_version is {named!r}, but the plant it is to be used with ({version.plant.site}) is "
        f"{version.id!r}; use it with the plant it was taken of, or take a new one",
    )
    snapshot: Snapshot = _restore(Snapshot, document, "snapshot")
    _check_names(snapshot, version.plant)
    return snapshot


def _check_names(snapshot: Snapshot, plant: Plant) -> None:
    """Refuse names that the plant, or the snapshot's own orders, do not have."""
    jobs = {job.job.id for job in snapshot.jobs}
    families = {operation.setup_family for item in plant.items for operation in item.routing}
    for key, machine in snapshot.machines.items():
        where = f"snapshot.machines.{key}"
        _known(where, partial(plant.machine, key))
        require(machine.machine == key, f"{where}.machine is {machine.machine!r}; it must be {key!r}")
        made = () if machine.setup_family is None else (machine.setup_family,)
        _require_known(f"{where}.setup_family", "setup family", made, families)
        _require_known(f"{where}.running", "job order", machine.running, jobs)
        _require_known(f"{where}.queue", "job order", machine.queue, jobs)
    _require_known("snapshot.people", "person", snapshot.people, {person.id for person in plant.people})
    _require_known("snapshot.worked_s", "job order", snapshot.worked_s, jobs)
    _require_known("snapshot.stock", "item", snapshot.stock, {item.id for item in plant.items})
    for order in snapshot.orders:
        _known(f"snapshot.orders: {order.id}", partial(plant.item, order.item))
    _check_jobs(snapshot, plant, jobs)


def _check_jobs(snapshot: Snapshot, plant: Plant, jobs: set[str]) -> None:
    orders = {order.id for order in snapshot.orders}
    for progress in snapshot.jobs:
        job = progress.job
        where = f"snapshot.jobs: {job.id}"
        _known(where, partial(plant.operation, job.item, job.operation))
        _require_known(f"{where}: customer_order", "order", (job.customer_order,), orders)
        _require_known(f"{where}: predecessors", "job order", job.predecessors, jobs)
        if progress.machine is not None:
            _known(f"{where}: machine", partial(plant.machine, progress.machine))


def _known(where: str, look_up: Callable[[], object]) -> None:
    try:
        look_up()
    except NotFound as error:
        raise InvalidInput(f"{where}: {error}") from error


def _require_known(where: str, kind: str, names: Iterable[str], known: set[str]) -> None:
    unknown = sorted(set(names) - known)
    require(not unknown, f"{where}: unknown {kind} {', '.join(unknown)}")


def _restore(wanted: Any, value: Any, where: str) -> Any:
    """Return `value` as the type `wanted`, or say where it is not."""
    origin, inner = get_origin(wanted), get_args(wanted)
    if origin in {Union, types.UnionType}:
        return None if value is None else _restore(next(one for one in inner if one is not type(None)), value, where)
    if origin is tuple:
        _require_type(value, list, "a list", where)
        return tuple(_restore(inner[0], one, f"{where}[{place}]") for place, one in enumerate(value))
    if origin is Mapping:
        _require_type(value, dict, "an object", where)
        return {key: _restore(inner[1], one, f"{where}.{key}") for key, one in value.items()}
    return _restore_dataclass(wanted, value, where) if is_dataclass(wanted) else _restore_plain(wanted, value, where)


def _restore_dataclass(wanted: Any, value: Any, where: str) -> Any:
    _require_type(value, dict, "an object", where)
    hints = get_type_hints(wanted)
    known = {one.name: one for one in fields(wanted)}
    unknown = sorted(set(value) - set(known))
    require(not unknown, f"{where}: unknown field {', '.join(unknown)}")
    needed = {n for n, one in known.items() if one.default is MISSING and one.default_factory is MISSING}
    missing = sorted(needed - set(value))
    require(not missing, f"{where}: {', '.join(missing)} is missing")
    restored = {name: _restore(hints[name], one, f"{where}.{name}") for name, one in value.items()}
    try:
        return wanted(**restored)
    except InvalidInput as error:
        raise InvalidInput(f"{where}: {error}") from error


def _restore_plain(wanted: Any, value: Any, where: str) -> Any:
    try:
        if wanted is datetime or wanted is Decimal or issubclass(wanted, Enum):
            _require_type(value, str, "a text", where)
            return datetime.fromisoformat(value) if wanted is datetime else wanted(value)
    except (ValueError, InvalidOperation) as error:
        raise InvalidInput(f"{where}: {value!r} is no {wanted.__name__}") from error
    number = wanted is float and isinstance(value, int) and not isinstance(value, bool)
    called = {float: "a number", int: "a whole number", str: "a text", bool: "true or false"}[wanted]
    require(number or type(value) is wanted, f"{where}: must be {called}, not {value!r}")
    return float(value) if number else value


def _require_type(value: Any, wanted: type, called: str, where: str) -> None:
    require(isinstance(value, wanted), f"{where}: must be {called}, not {value!r}")
