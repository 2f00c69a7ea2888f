"""A data folder: held by one demo, emptied by none but the one that holds it."""

from __future__ import annotations

import fcntl
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from plant.errors import Conflict, SettingsInvalid
from runtime import demo, installation, secrets
from runtime.settings import read_settings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of an installation that has run."""
    folder = tmp_path / "data"
    (folder / "postgres" / "data").mkdir(parents=True)
    (folder / "postgres" / "data" / "PG_VERSION").write_text("18")
    (folder / "running.json").write_text("{}")
    return folder


@pytest.fixture
def held(folder: Path) -> Iterator[Path]:
    """Return the folder while somebody else holds it: a lock belongs to whoever opened the file."""
    with (folder / "lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def _files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("fresh", [False, True])
def test_a_second_demo_leaves_a_running_ones_folder_alone(held: Path, fresh: bool) -> None:
    before = _files(held)
    with Console(record=True, quiet=False) as console, console.capture() as said:
        assert demo.run(read_settings(data_dir=held), fresh, console) == 1
    assert "is in use by another Forerun" in said.get()
    assert _files(held) == before


def test_a_folder_is_free_again_when_its_holder_is_done(folder: Path) -> None:
    with installation.hold(folder), pytest.raises(Conflict, match="in use"), installation.hold(folder):
        pass
    with installation.hold(folder):
        pass


def test_beginning_anew_removes_what_was_kept_and_goes_on_holding(folder: Path) -> None:
    with installation.hold(folder):
        installation.empty(folder)
        assert _files(folder) == {"lock"}
        with pytest.raises(Conflict, match="in use"), installation.hold(folder):
            pass


def test_a_folder_that_is_somebodys_home_is_not_emptied(folder: Path) -> None:
    (folder / "thesis.odt").write_text("years of work")
    before = _files(folder) | {"lock"}
    with installation.hold(folder), pytest.raises(SettingsInvalid, match=r"holds 'thesis.odt'.*nothing was removed"):
        installation.empty(folder)
    assert _files(folder) == before


@pytest.mark.parametrize("wrong", ["file", "file/below", "/proc/nothing/here"])
def test_what_cannot_be_a_data_folder_is_told(tmp_path: Path, wrong: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsInvalid, match="FORERUN_DATA_DIR"), installation.hold(tmp_path / wrong):
        pass


def test_a_taken_port_is_told_before_anything_is_started(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, Console() as console, console.capture() as said:
        port = taken.getsockname()[1]
        assert demo.run(read_settings(data_dir=folder, port=port), False, console) == 1
    assert f"port {port} of 127.0.0.1 cannot be used" in said.get()
    assert "FORERUN_PORT" in said.get()
    assert "starting" not in said.get()


def test_where_it_runs_is_never_half_written(folder: Path) -> None:
    with (folder / "running.json").open() as begun:
        installation.tell_running(folder, {"pid": 7})
        assert begun.read() == "{}", "the file was emptied under its reader"
    assert json.loads((folder / "running.json").read_text()) == {"pid": 7}
    with installation.hold(folder):
        installation.empty(folder)
    assert _files(folder) == {"lock"}


def test_a_secret_that_a_full_disk_left_empty_is_told(tmp_path: Path) -> None:
    (tmp_path / "mes-key").write_text("")
    with pytest.raises(SettingsInvalid, match="mes-key is empty; remove it"):
        secrets.mes_key(tmp_path)
