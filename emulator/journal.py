"""What truly happened, on disk: a numbered log of JSON lines, snapshots of the floor, and the clock's lease.

The log comes first: what happens is written there before any machine shows it, and what is commanded before it is
answered. The floor is deterministic, so a start after a ``kill -9`` takes the last snapshot, carries out the commands
logged since, and finds the same happenings again; what others saw of them stays true to the letter.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from io import BufferedWriter
from pathlib import Path
from typing import Any

from plant.errors import InvalidInput

Entry = dict[str, Any]

COMMANDS = frozenset({"dispatch", "break", "repair", "abort"})
"""Kinds of the entries that record what the plant was told to do."""
HAPPENINGS = frozenset({"state", "count", "job"})
"""Kinds of the entries that record what happened on the floor."""
_FORMAT = 1


class Journal:
    """The log, the last snapshot and the last lease of one emulated plant.

    Parameters
    ----------
    folder
        Where ``log.jsonl``, ``snapshot.json`` and ``lease.json`` are kept; made when missing.

    Attributes
    ----------
    snapshot
        What was last given to `save`, None before the first time.
    saved
        Number of the last entry the snapshot knows of.
    leased
        What was last given to `lease`, None before the first time.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._log_path = folder / "log.jsonl"
        self._snapshot_path, self._lease_path = folder / "snapshot.json", folder / "lease.json"
        self._offsets = self._index()
        document = _read(self._snapshot_path) or {"entries": 0, "state": None}
        self.snapshot: Mapping[str, Any] | None = document["state"]
        self.saved: int = document["entries"]
        self.leased: Mapping[str, Any] | None = _read(self._lease_path)
        if self.saved > self.last:
            raise InvalidInput(
                f"{self._log_path} holds {self.last} entries, its snapshot speaks of {self.saved}: "
                "it was changed by someone else; restore it or begin with an empty folder"
            )
        self._log: BufferedWriter = self._log_path.open("ab")

    @property
    def last(self) -> int:
        """Number of the latest entry; 0 for an empty log."""
        return len(self._offsets) - 1

    def append(self, entry: Mapping[str, Any]) -> int:
        """Hand an entry to the operating system, which keeps it whatever becomes of us; return its number from 1 on."""
        number = self.last + 1
        line = json.dumps({"n": number, **entry}, ensure_ascii=False).encode() + b"\n"
        self._log.write(line)
        self._log.flush()
        self._offsets.append(self._offsets[-1] + len(line))
        return number

    def save(self, state: Mapping[str, Any]) -> None:
        """Keep the state that all entries so far have led to."""
        os.fsync(self._log.fileno())
        _write(self._snapshot_path, {"entries": self.last, "state": state})
        self.snapshot, self.saved = state, self.last

    def lease(self, values: Mapping[str, Any]) -> None:
        """Keep small values that change all the time."""
        _write(self._lease_path, values)
        self.leased = values

    def entries(self, number: int = 0, limit: int | None = None) -> Iterator[Entry]:
        """Read the entries behind entry `number` one by one, at most `limit`."""
        begin = min(max(number, 0), self.last)
        end = self.last if limit is None else min(begin + limit, self.last)
        with self._log_path.open("rb") as file:
            file.seek(self._offsets[begin])
            for _ in range(end - begin):
                yield json.loads(file.readline())

    def close(self) -> None:
        """Close the log's file."""
        self._log.close()

    def _index(self) -> list[int]:
        """Return where each entry begins and the last one ends; cut off one that was not written whole."""
        offsets = [0]
        if not self._log_path.exists():
            return offsets
        with self._log_path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    offsets.append(offsets[-1] + len(line))
        os.truncate(self._log_path, offsets[-1])
        return offsets


def _read(path: Path) -> dict[str, Any] | None:
    if not path.exists():
        return None
    try:
        document: dict[str, Any] = json.loads(path.read_bytes())
    except ValueError as error:
        raise InvalidInput(f"{path} was not written by an emulated plant: {error}") from error
    if document.get("format") != _FORMAT:
        raise InvalidInput(f"{path}: format must be {_FORMAT}, not {document.get('format')!r}")
    return document


def _write(path: Path, document: Mapping[str, Any]) -> None:
    """Replace a file: whenever the process or the power ends, the old or the new one is there whole."""
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        file.write(json.dumps({"format": _FORMAT, **document}).encode())
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
