"""`forerun account` and `forerun key` as an administrator meets them, on a real database."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from historian import ledger
from historian.database import Historian
from operations import access
from plant.actor import SYSTEM, Actor, Role
from plant.errors import NotAuthenticated
from runtime.embedded import EmbeddedPostgres
from tests.runtime.installed import Installation


@pytest.fixture(autouse=True)
def _empty(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("FORERUN_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def forerun(database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Installation:
    monkeypatch.setenv("FORERUN_DATABASE_URL", database_url)
    return Installation(database_url, monkeypatch, capsys)


def test_an_account_with_a_password_that_is_shown_once(forerun: Installation) -> None:
    code, out, err = forerun("account", "add", "anna", "--role", "planner", "--role", "viewer")
    assert (code, err.count("shown this once")) == (0, 1)
    password = out.strip()
    assert password not in err
    token = forerun.ask(lambda historian: access.log_in(historian, "anna", password))
    actor = forerun.ask(lambda historian: access.by_session(historian, token))
    assert actor == Actor("anna", frozenset({Role.PLANNER, Role.VIEWER}))
    code, out, _ = forerun("account", "list")
    assert code == 0
    assert "anna  planner, viewer" in out
    assert password not in out

    assert forerun("account", "disable", "anna")[0] == 0
    assert "disabled" in forerun("account", "list")[1]
    with pytest.raises(NotAuthenticated):
        forerun.ask(lambda historian: access.by_session(historian, token))


def test_a_password_from_standard_input_is_not_repeated(forerun: Installation) -> None:
    add = ("account", "add", "anna", "--role", "viewer", "--password-stdin")
    code, out, err = forerun(*add, typed="correct horse battery\n")
    assert (code, out) == (0, "")
    assert "battery" not in err
    assert forerun.ask(lambda historian: access.log_in(historian, "anna", "correct horse battery"))
    code, _, err = forerun("account", "add", "bob", "--role", "viewer", "--password-stdin", typed="short\n")
    assert (code, "at least 12" in err) == (1, True)


def test_a_taken_name_is_refused_unless_its_holder_is_to_be_replaced(forerun: Installation) -> None:
    add = ("account", "add", "anna", "--role", "viewer")
    assert forerun(*add)[0] == 0
    code, out, err = forerun(*add)
    assert (code, out) == (1, "")
    assert "'anna' is taken" in err
    code, out, _ = forerun(*add, "--replace")
    assert code == 0
    assert forerun.ask(lambda historian: access.log_in(historian, "anna", out.strip()))


def test_a_key_is_printed_once_alone_and_can_be_revoked(forerun: Installation) -> None:
    code, out, _ = forerun("key", "add", "erp", "--scope", "integration")
    assert code == 0
    (key,) = out.splitlines()
    assert forerun.ask(lambda historian: access.by_api_key(historian, key)).name == "erp"
    code, out, _ = forerun("key", "list")
    assert "erp   integration" in out
    assert key not in out
    assert forerun("key", "revoke", "erp")[0] == 0
    with pytest.raises(NotAuthenticated):
        forerun.ask(lambda historian: access.by_api_key(historian, key))
    code, _, err = forerun("key", "revoke", "erp")
    assert (code, "no API key named 'erp'" in err) == (1, True)


@pytest.mark.parametrize(
    "arguments", [("account", "add", "anna", "--role"), ("key", "add", "erp", "--scope")], ids=["account", "key"]
)
@pytest.mark.parametrize("name", ["plannr", "system", "Planner", ""])
def test_an_unknown_role_is_answered_with_those_there_are(
    forerun: Installation, arguments: tuple[str, ...], name: str
) -> None:
    code, out, err = forerun(*arguments, name)
    assert (code, out) == (1, "")
    assert f"unknown {arguments[-1].strip('-')} {name!r}" in err
    for role in set(Role) - {Role.SYSTEM}:
        assert role in err


@pytest.mark.parametrize(
    "arguments", [("account", "add", "anna"), ("key", "add", "erp"), ("account",), ("key", "make")]
)
def test_an_incomplete_call_is_told(forerun: Installation, arguments: tuple[str, ...]) -> None:
    assert forerun(*arguments)[0] == 2


def test_the_ledger_says_who_did_it(forerun: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "maria")
    forerun("key", "add", "erp", "--scope", "viewer")

    async def read(historian: Historian) -> Any:
        async with historian.transaction(SYSTEM, "test") as tx:
            return await ledger.entries(tx)

    (entry,) = forerun.ask(read)
    assert (entry.subject, entry.kind, entry.actor) == ("api-key/erp", "added", "maria (command line)")


def test_without_a_database_it_says_what_is_missing(forerun: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORERUN_DATABASE_URL")
    code, _, err = forerun("account", "list")
    assert code == 1
    assert "FORERUN_DATABASE_URL" in err
    assert "forerun demo" in err


def test_a_database_without_tables_is_to_be_prepared_first(
    forerun: Installation, monkeypatch: pytest.MonkeyPatch, empty_database_url: str
) -> None:
    monkeypatch.setenv("FORERUN_DATABASE_URL", empty_database_url)
    code, _, err = forerun("key", "list")
    assert (code, "forerun prepare" in err) == (1, True)


def test_beside_a_running_demo_its_database_is_found(
    forerun: Installation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("FORERUN_DATABASE_URL")
    monkeypatch.setenv("FORERUN_DATA_DIR", str(tmp_path / "data"))
    server = EmbeddedPostgres(tmp_path / "data" / "postgres")
    server.start()
    try:
        assert "forerun prepare" in forerun("key", "list")[2]  # it was asked, and is empty
    finally:
        server.stop()
    assert "no demo runs" in forerun("key", "list")[2]
