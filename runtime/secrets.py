"""Secrets an installation makes for itself on its first start, readable by its owner alone."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from operations.access import new_api_key


def _kept(path: Path, fresh: str) -> str:
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="utf-8").strip()
    with os.fdopen(file, "w", encoding="utf-8") as out:
        out.write(fresh + "\n")
    return fresh


def first_password(folder: Path) -> str:
    """Return the first account's password, made on the first call."""
    return _kept(folder / "first-password", "-".join(secrets.token_hex(2) for _ in range(4)))


def mes_key(folder: Path) -> str:
    """Return the MES's API key, made on the first call."""
    return _kept(folder / "mes-key", new_api_key())
