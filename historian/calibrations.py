"""Calibrations, and which one is in use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from historian.database import Channel, Transaction
from historian.documents import document, jsonb, restore
from historian.queries import query
from plant.calibration import Calibration, CalibrationSummary
from plant.errors import NotFound
from plant.text import told

_INSERT = query("calibrations", "insert")
_GET = query("calibrations", "get")
_NEWEST = query("calibrations", "newest")
_NEWEST_UNTIL = query("calibrations", "newest_until")
_USED_UNTIL = query("calibrations", "used_until")
_LAST_ADOPTION = query("calibrations", "last_adoption")
_ADOPTION = query("calibrations", "adoption")
_ADOPT = query("calibrations", "adopt")
_LOCK = query("calibrations", "lock")


@dataclass(frozen=True)
class Adoption:
    """A calibration came into use (None: the plan as it stands), in the place of adoption `previous`."""

    number: int
    calibration: str | None
    previous: int | None


async def insert(tx: Transaction, calibration: Calibration) -> bool:
    """Keep a calibration; False when the same one is kept already."""
    row = {
        "id": calibration.id,
        "plant_version": calibration.plant_version,
        "since": calibration.since,
        "until": calibration.until,
        "made_at": tx.at,
        "made_by": tx.actor.name,
        "document": jsonb(document(calibration)),
    }
    is_new = await tx.execute(_INSERT, row) == 1
    if is_new:
        await tx.notify(Channel.TWIN, calibration.id)
    return is_new


async def get(tx: Transaction, calibration_id: str) -> Calibration:
    """Return a calibration, or raise `NotFound`."""
    found = await tx.value(_GET, {"id": calibration_id})
    if found is None:
        raise NotFound(told("unknown calibration '{calibration}'", calibration=calibration_id))
    return restore(Calibration, found)


async def newest(tx: Transaction, limit: int = 50) -> list[CalibrationSummary]:
    """Return the newest calibrations as lists show them, newest first; the one in use is always among them."""
    return [CalibrationSummary(**row) for row in await tx.all(_NEWEST, {"limit": limit})]


async def newest_until(tx: Transaction) -> datetime | None:
    """Return the plant time up to which history was calibrated with, None before the first calibration."""
    found: datetime | None = await tx.value(_NEWEST_UNTIL)
    return found


async def used_until(tx: Transaction, plant_version: str) -> datetime | None:
    """Return the plant time up to which the calibration in use knows a version of the plant; None without one."""
    found: datetime | None = await tx.value(_USED_UNTIL, {"plant_version": plant_version})
    return found


async def lock(tx: Transaction) -> None:
    """Keep everybody else from adopting until the transaction ends."""
    await tx.execute(_LOCK)


async def in_use(tx: Transaction) -> Adoption | None:
    """Return the last adoption, None before the first."""
    row = await tx.first(_LAST_ADOPTION)
    return None if row is None else Adoption(**row)


async def adoption(tx: Transaction, number: int) -> Adoption:
    """Return an adoption, or raise `NotFound`."""
    row = await tx.first(_ADOPTION, {"number": number})
    if row is None:
        raise NotFound(f"unknown adoption {number}")
    return Adoption(**row)


async def adopt(tx: Transaction, calibration_id: str | None, previous: int | None) -> None:
    """Put a calibration in use; going back from it leads to adoption `previous`. `lock` comes first."""
    row = {"calibration": calibration_id, "previous": previous, "at": tx.at, "actor": tx.actor.name}
    await tx.execute(_ADOPT, row)
    await tx.notify(Channel.TWIN, calibration_id or "")
