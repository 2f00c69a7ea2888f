"""An installation's data folder: held by one demo at a time, and emptied by none but the one that holds it."""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from plant.errors import Conflict, SettingsInvalid

_LOCK = "lock"
RUNNING = "running.json"
"""File that says where an installation is reached; others wait for it."""
_KEPT = (RUNNING, f"{RUNNING}.new", "factory", "logs", "postgres", "first-password", "mes-key")
"""What an installation keeps beside its lock."""


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Make the folder when it is missing and hold it; the hold ends with the process, however that ends.

    Raises
    ------
    Conflict
        If another process holds it.
    SettingsInvalid
        If it cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (folder / _LOCK).open("ab")
    except OSError as error:
        raise SettingsInvalid(
            f"setting data_dir (FORERUN_DATA_DIR): {folder} cannot be used: {error.strerror}; name a folder that you "
            "may write to"
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict(
                f"{folder} is in use by another Forerun; end that one with Ctrl-C, or set another data_dir"
            ) from error
        yield


def empty(folder: Path) -> None:
    """Remove what an installation keeps in a folder that is held; the lock stays, it is what holds it.

    Raises
    ------
    SettingsInvalid
        If there is anything else in the folder: it may be somebody's home.
    """
    strangers = sorted(entry.name for entry in folder.iterdir() if entry.name not in {_LOCK, *_KEPT})
    if strangers:
        raise SettingsInvalid(
            f"setting data_dir (FORERUN_DATA_DIR): {folder} holds {strangers[0]!r}, which no installation keeps, so "
            "nothing was removed; move that away, or name another folder"
        )
    for name in _KEPT:
        entry = folder / name
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink(missing_ok=True)


def tell_running(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write where the installation is reached, whole or not at all: who waits for the file reads it at once."""
    fresh = folder / f"{RUNNING}.new"
    fresh.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    fresh.replace(folder / RUNNING)
