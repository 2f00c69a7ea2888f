"""Plant versions, and which one is in force at a site."""

from __future__ import annotations

from typing import Any

from historian.database import Transaction
from historian.documents import document, jsonb, restore
from historian.queries import query
from plant.errors import NotFound
from plant.plant import Plant
from plant.version import PlantVersion

_SAVE = query("plants", "save")
_GET = query("plants", "get")
_CURRENT = query("plants", "current")
_SITES = query("plants", "sites")
_SET_CURRENT = query("plants", "set_current")


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
    row = await tx.first(_GET, {"id": version_id})
    if row is None:
        raise NotFound(f"unknown plant version {version_id!r}")
    return _version(row)


async def current(tx: Transaction, site: str) -> PlantVersion | None:
    """Return the plant version in force at a site, None when nothing was imported there."""
    row = await tx.first(_CURRENT, {"site": site})
    return None if row is None else _version(row)


async def sites(tx: Transaction) -> list[str]:
    """Return the sites that have a plant."""
    return [row["site"] for row in await tx.all(_SITES)]


async def set_current(tx: Transaction, site: str, version_id: str) -> None:
    """Put a saved plant version in force at a site."""
    await tx.execute(_SET_CURRENT, {"site": site, "id": version_id})


def _version(row: dict[str, Any]) -> PlantVersion:
    return PlantVersion(row["id"], row["document_hash"], restore(Plant, row["document"]), row["imported_at"])
