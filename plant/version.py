"""The canonical form of a value object, its hash, and the immutable version of a plant that is named by it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any

from plant.checks import require_aware
from plant.clock import wall_now
from plant.plant import Plant


def canonical(thing: Any) -> str:
    """Return `thing` as canonical JSON: keys sorted, no spaces, decimals and times as texts.

    Equal objects give equal texts; NaN and infinities are refused with `ValueError`.
    """
    return json.dumps(_plain(thing), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def hash_of(thing: Any) -> str:
    """Return the SHA-256 of the canonical form, 64 hexadecimal digits."""
    return hashlib.sha256(canonical(thing).encode()).hexdigest()


def _plain(thing: Any) -> Any:
    if is_dataclass(thing) and not isinstance(thing, type):
        return {field.name: _plain(getattr(thing, field.name)) for field in fields(thing)}
    if isinstance(thing, Mapping):
        return {str(key): _plain(value) for key, value in thing.items()}
    if isinstance(thing, (list, tuple)):
        return [_plain(value) for value in thing]
    if isinstance(thing, (set, frozenset)):
        return sorted(_plain(value) for value in thing)
    if isinstance(thing, Enum):
        return _plain(thing.value)
    if isinstance(thing, Decimal):
        return format(thing.normalize(), "f")
    if isinstance(thing, (datetime, date, time)):
        return thing.isoformat()
    return thing


@dataclass(frozen=True)
class PlantVersion:
    """A plant as it was imported; it never changes, and plans name it.

    Attributes
    ----------
    id
        ``pv-`` and the first twelve digits of `document_hash`.
    document_hash
        SHA-256 of the plant's canonical form.
    imported_at
        Wall time (UTC).
    """

    id: str
    document_hash: str
    plant: Plant
    imported_at: datetime

    def __post_init__(self) -> None:
        require_aware("imported_at", self.imported_at)


def version_of(plant: Plant, imported_at: datetime | None = None) -> PlantVersion:
    """Return the version `plant` is: the same plant always has the same id; it is imported now by default."""
    digest = hash_of(plant)
    return PlantVersion(f"pv-{digest[:12]}", digest, plant, imported_at or wall_now())
