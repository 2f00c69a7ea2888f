"""Files that commands write."""

from __future__ import annotations

from pathlib import Path

import pytest

from plant.errors import InvalidInput
from runtime.files import make_folder, require_writable, write_whole


def _full(self: Path, text: str, encoding: str) -> int:
    self.touch()
    raise OSError(28, "No space left on device")


def test_a_full_disk_is_told_and_leaves_what_was_there_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "plan.json"
    write_whole(file, "old")
    monkeypatch.setattr(Path, "write_text", _full)
    with pytest.raises(InvalidInput, match=r"plan.json cannot be written: No space left on device; make room"):
        write_whole(file, "new")
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_what_cannot_be_written_is_told_before_there_is_anything_to_write(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.touch()
    require_writable(taken)
    with pytest.raises(InvalidInput, match="is not a folder"):
        make_folder(taken)
    with pytest.raises(InvalidInput, match="cannot be made"):
        make_folder(taken / "below")
    with pytest.raises(InvalidInput, match="cannot be written: No such file or directory"):
        require_writable(tmp_path / "missing" / "tuning.toml")
    with pytest.raises(InvalidInput, match="is a folder"):
        require_writable(tmp_path)
    make_folder(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []
