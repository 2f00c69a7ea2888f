"""Plant versions, and which one is in force. A database holds one site."""

from __future__ import annotations

from historian.database import Transaction
from historian.documents import document, jsonb, restore
from historian.queries import query
from plant.errors import NotFound
from plant.plant import Plant
from plant.text import told
from plant.version import PlantVersion

_SAVE = query("plants", "save")
_GET = query("plants", "get")
_CURRENT_ID = query("plants", "current_id")
_SET_CURRENT = query("plants", "set_current")

_REMEMBERED = 8
_plants: dict[str, Plant] = {}
"""Plants by the hash of their document: it is a hundred kilobytes, never changes, and is asked for all the time."""


async def save(tx: Transaction, version: PlantVersion) -> bool:
    """Keep a plant version; False when it is kept already."""
    row = {
        "id": version.id,
        "document_hash": version.document_hash,
        "document": jsonb(document(version.plant)),
        "imported_at": version.imported_at,
    }
    return await tx.execute(_SAVE, row) == 1


async def get(tx: Transaction, version_id: str) -> PlantVersion:
    """Return a plant version, or raise `NotFound`."""
    held = dict(_plants)
    row = await tx.first(_GET, {"id": version_id, "known": list(held)})
    if row is None:
        raise NotFound(told("unknown plant version '{version}'", version=version_id))
    digest = row["document_hash"]
    plant = held[digest] if row["document"] is None else _remembered(digest, restore(Plant, row["document"]))
    return PlantVersion(row["id"], digest, plant, row["imported_at"])


def _remembered(digest: str, plant: Plant) -> Plant:
    if len(_plants) >= _REMEMBERED:
        _plants.pop(next(iter(_plants)))
    _plants[digest] = plant
    return plant


async def current_id(tx: Transaction) -> str | None:
    """Return the id of the plant version in force, None when nothing was imported yet."""
    found: str | None = await tx.value(_CURRENT_ID)
    return found


async def current(tx: Transaction) -> PlantVersion:
    """Return the plant version in force, or raise `NotFound` when nothing was imported yet."""
    version_id = await current_id(tx)
    if version_id is None:
        raise NotFound(told("no plant was imported into this database yet; import one first"))
    return await get(tx, version_id)


async def set_current(tx: Transaction, site: str, version_id: str) -> None:
    """Put a saved plant version in force; `Conflict` when the database holds another site, or not the version."""
    await tx.execute(_SET_CURRENT, {"site": site, "id": version_id})
