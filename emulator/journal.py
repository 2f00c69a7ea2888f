"""What truly happened, on disk: a numbered log of JSON lines, and the dump from which the next start goes on.

The rule that keeps the emulated plant free of contradictions: an entry is committed by the dump that follows it, and
nothing is published before its entry is committed. After a ``kill -9`` the log is cut back to the last dump, so what
was written behind it has not happened, and nobody has seen it. Commands that were answered are the exception: they
stand between two dumps, are kept, and are carried out again.
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
_FORMAT = 1


class Journal:
    """The log and the dump of one emulated plant.

    Parameters
    ----------
    folder
        Where ``log.jsonl`` and ``dump.json`` are kept; made when missing.

    Attributes
    ----------
    state
        What was last saved, None at the very first start.
    commands
        Commands answered after the last save: they are in the log and have to be carried out again.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._log_path, self._dump_path = folder / "log.jsonl", folder / "dump.json"
        self._offsets: list[int] = [0]
        dump = self._read_dump()
        self.state: Mapping[str, Any] | None = None if dump is None else dump["state"]
        committed = 0 if dump is None else int(dump["entries"])
        self.commands: tuple[Entry, ...] = self._recover(committed)
        self._log: BufferedWriter = self._log_path.open("ab")

    @property
    def last(self) -> int:
        """Number of the latest entry; 0 for an empty log."""
        return len(self._offsets) - 1

    def append(self, entry: Mapping[str, Any]) -> int:
        """Write an entry through to the operating system and return its number, counted from 1."""
        number = self.last + 1
        line = json.dumps({"n": number, **entry}, ensure_ascii=False).encode() + b"\n"
        self._log.write(line)
        self._log.flush()
        self._offsets.append(self._offsets[-1] + len(line))
        return number

    def save(self, state: Mapping[str, Any]) -> None:
        """Commit all entries so far together with the state that goes with them."""
        os.fsync(self._log.fileno())
        dump = json.dumps({"format": _FORMAT, "entries": self.last, "state": state}).encode()
        fresh = self._dump_path.with_suffix(".new")
        with fresh.open("wb") as file:
            file.write(dump)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._dump_path)
        self.state = state

    def since(self, number: int, limit: int | None = None) -> list[Entry]:
        """Return the entries behind entry `number`, at most `limit` of them."""
        return list(self.entries(number, limit))

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

    def _read_dump(self) -> dict[str, Any] | None:
        if not self._dump_path.exists():
            return None
        try:
            dump: dict[str, Any] = json.loads(self._dump_path.read_bytes())
        except ValueError as error:
            raise InvalidInput(f"{self._dump_path} is not a dump of an emulated plant: {error}") from error
        if dump.get("format") != _FORMAT:
            raise InvalidInput(f"{self._dump_path}: format must be {_FORMAT}, not {dump.get('format')!r}")
        return dump

    def _recover(self, committed: int) -> tuple[Entry, ...]:
        """Cut off what the last dump did not commit, except commands; return those."""
        lines = self._log_path.read_bytes().splitlines(keepends=True) if self._log_path.exists() else []
        whole = [line for line in lines if line.endswith(b"\n")]
        if len(whole) < committed:
            raise InvalidInput(
                f"{self._log_path} holds {len(whole)} entries, its dump speaks of {committed}: "
                "it was changed by someone else; restore it or begin with an empty folder"
            )
        tail = [json.loads(line) for line in whole[committed:]]
        commands = [entry for entry in tail if entry["kind"] in COMMANDS]
        for line in whole[:committed]:
            self._offsets.append(self._offsets[-1] + len(line))
        if tail or len(lines) != len(whole):
            os.truncate(self._log_path, self._offsets[-1])
        return tuple(self._rewrite(entry) for entry in commands)

    def _rewrite(self, entry: Entry) -> Entry:
        renumbered = {**entry, "n": self.last + 1}
        line = json.dumps(renumbered, ensure_ascii=False).encode() + b"\n"
        with self._log_path.open("ab") as file:
            file.write(line)
        self._offsets.append(self._offsets[-1] + len(line))
        return renumbered
