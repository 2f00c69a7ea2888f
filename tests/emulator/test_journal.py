from __future__ import annotations

from pathlib import Path

import pytest

from emulator.journal import Journal
from plant.errors import InvalidInput


def test_entries_are_numbered_and_outlive_the_process(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    assert [journal.append({"kind": "state", "text": text}) for text in ("a", "忙", "c\nd")] == [1, 2, 3]
    journal.save({"floor": 1})
    assert journal.append({"kind": "state", "text": "e"}) == 4
    journal.lease({"clock": "x"})
    again = Journal(tmp_path)  # the first one was never closed
    assert [entry["text"] for entry in again.entries()] == ["a", "忙", "c\nd", "e"]
    assert [entry["n"] for entry in again.entries(1, limit=2)] == [2, 3]
    assert list(again.entries(4)) == list(again.entries(99)) == []
    assert (again.snapshot, again.saved, again.last) == ({"floor": 1}, 3, 4)
    assert again.leased is not None
    assert again.leased["clock"] == "x"


def test_a_half_written_entry_is_cut_off(tmp_path: Path) -> None:
    Journal(tmp_path).append({"kind": "state"})
    with (tmp_path / "log.jsonl").open("ab") as log:
        log.write(b'{"n": 2, "ki')
    journal = Journal(tmp_path)
    assert journal.append({"kind": "count"}) == 2
    assert [entry["kind"] for entry in journal.entries()] == ["state", "count"]


def test_files_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append({"kind": "state"})
    journal.save({})
    (tmp_path / "log.jsonl").write_bytes(b"")
    with pytest.raises(InvalidInput, match="holds 0 entries, its snapshot speaks of 1"):
        Journal(tmp_path)
    (tmp_path / "snapshot.json").write_text('{"format": 9}')
    with pytest.raises(InvalidInput, match="format must be 1, not 9"):
        Journal(tmp_path)
    (tmp_path / "snapshot.json").write_text("{")
    with pytest.raises(InvalidInput, match=r"snapshot\.json was not written by"):
        Journal(tmp_path)
