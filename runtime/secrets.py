"""Secrets an installation makes for itself on its first start, readable by its owner alone."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from operations.access import new_api_key
from plant.errors import SettingsInvalid


def _kept(path: Path, fresh: str) -> str:
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        kept = path.read_text(encoding="utf-8").strip()
        if not kept:  # the disk was full when it was written: it was never used
            raise SettingsInvalid(f"{path} is empty; remove it, and a new one is made") from None
        return kept
    with os.fdopen(file, "w", encoding="utf-8") as out:
        out.write(fresh + "\n")
    return fresh


def first_password(folder: Path) -> str:
    """Return the first account's password, made on the first call."""
    return _kept(folder / "first-password", "-".join(secrets.token_hex(2) for _ in range(4)))


def mes_key(folder: Path) -> str:
    """Return the MES's API key, made on the first call."""
    return _kept(folder / "mes-key", new_api_key())
