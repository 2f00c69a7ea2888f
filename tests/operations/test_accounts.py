"""Accounts and API keys: made once, listed without what opens a door, out of use at once."""

from __future__ import annotations

import asyncio

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from historian.database import Historian
from operations import access, accounts
from plant.actor import Actor, Role
from plant.errors import Conflict, InvalidInput, NotAuthenticated, NotFound
from tests.operations.shop import ledger_of

ADMIN = Actor("root", frozenset({Role.ADMIN}))
PASSWORD = "correct horse battery"
VIEWER = frozenset({Role.VIEWER})


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash as in production, with less of the work that makes guessing slow."""
    cheap = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=64, parallelism=1),))
    monkeypatch.setattr(access, "_hasher", cheap)
    monkeypatch.setattr(access, "_DUMMY_HASH", cheap.hash("nobody's"))


async def test_an_added_account_may_log_in_and_is_listed(historian: Historian) -> None:
    roles = frozenset({Role.PLANNER, Role.ADMIN})
    await accounts.add_account(historian, ADMIN, "anna", PASSWORD, roles)
    token = await access.log_in(historian, "anna", PASSWORD)
    assert await access.by_session(historian, token) == Actor("anna", roles)
    (listed,) = await accounts.list_accounts(historian, ADMIN)
    assert (listed.name, listed.roles, listed.active) == ("anna", roles, True)
    entry, _ = await ledger_of(historian, "account/anna")
    assert (entry.kind, entry.actor, entry.after) == ("added", "root", {"roles": ["admin", "planner"]})


async def test_a_name_is_given_once_whoever_asks_at_the_same_time(historian: Historian) -> None:
    adding = [accounts.add_account(historian, ADMIN, "anna", PASSWORD + str(n), VIEWER) for n in range(3)]
    came = await asyncio.gather(*adding, return_exceptions=True)
    assert sorted(type(one).__name__ for one in came) == ["Conflict", "Conflict", "NoneType"]
    assert "'anna' is taken" in str(next(one for one in came if one is not None))
    (winner,) = [n for n, one in enumerate(came) if one is None]
    assert await access.log_in(historian, "anna", PASSWORD + str(winner))
    assert [entry.kind for entry in await ledger_of(historian, "account/anna")] == ["added", "logged in"]


async def test_a_disabled_account_is_out_at_once_and_its_name_stays_taken(historian: Historian) -> None:
    for name in ("anna", "bob"):
        await accounts.add_account(historian, ADMIN, name, PASSWORD, VIEWER)
    hers, his = [await access.log_in(historian, name, PASSWORD) for name in ("anna", "bob")]
    await accounts.disable_account(historian, ADMIN, "anna")
    with pytest.raises(NotAuthenticated):
        await access.by_session(historian, hers)
    with pytest.raises(NotAuthenticated):
        await access.log_in(historian, "anna", PASSWORD)
    assert (await access.by_session(historian, his)).name == "bob"
    listed = await accounts.list_accounts(historian, ADMIN)
    assert [(one.name, one.active) for one in listed] == [("anna", False), ("bob", True)]
    with pytest.raises(Conflict, match="taken"):
        await accounts.add_account(historian, ADMIN, "anna", PASSWORD, VIEWER)
    assert (await ledger_of(historian, "account/anna"))[-1].kind == "disabled"


async def test_a_disabled_account_that_is_saved_again_does_not_revive_its_sessions(historian: Historian) -> None:
    await accounts.add_account(historian, ADMIN, "anna", PASSWORD, VIEWER)
    token = await access.log_in(historian, "anna", PASSWORD)
    await accounts.disable_account(historian, ADMIN, "anna")
    await access.create_account(historian, ADMIN, "anna", "another long password", VIEWER)
    assert await access.log_in(historian, "anna", "another long password")
    with pytest.raises(NotAuthenticated):
        await access.by_session(historian, token)


async def test_who_is_not_there_cannot_be_disabled(historian: Historian) -> None:
    await accounts.add_account(historian, ADMIN, "anna", PASSWORD, VIEWER)
    with pytest.raises(NotFound, match="no account named 'ana' is in use; in use are: anna"):
        await accounts.disable_account(historian, ADMIN, "ana")
    await accounts.disable_account(historian, ADMIN, "anna")
    with pytest.raises(NotFound, match="none"):
        await accounts.disable_account(historian, ADMIN, "anna")
    assert [entry.kind for entry in await ledger_of(historian, "account/anna")] == ["added", "disabled"]


async def test_a_key_opens_until_it_is_revoked(historian: Historian) -> None:
    roles = frozenset({Role.INTEGRATION})
    key = await accounts.add_key(historian, ADMIN, "erp", roles)
    assert await access.by_api_key(historian, key) == Actor("erp", roles)
    with pytest.raises(Conflict, match="'erp' is taken"):
        await accounts.add_key(historian, ADMIN, "erp", roles)
    (listed,) = await accounts.list_keys(historian, ADMIN)
    assert (listed.name, listed.roles) == ("erp", roles)
    assert key not in repr(listed)
    await accounts.revoke_key(historian, ADMIN, "erp")
    with pytest.raises(NotAuthenticated, match="revoked"):
        await access.by_api_key(historian, key)
    assert await accounts.list_keys(historian, ADMIN) == []
    with pytest.raises(NotFound, match="erp"):
        await accounts.revoke_key(historian, ADMIN, "erp")
    told = [(entry.kind, entry.actor) for entry in await ledger_of(historian, "api-key/erp")]
    assert told == [("added", "root"), ("revoked", "root")]


@pytest.mark.parametrize(
    ("name", "roles", "reason"),
    [
        ("", VIEWER, "name"),
        (" a", VIEWER, "outer spaces"),
        ("a\nb", VIEWER, "printable"),
        ("a" * 101, VIEWER, "100 characters"),
        ("anna", frozenset(), "needs a role"),
        ("anna", frozenset({Role.SYSTEM}), "own processes"),
    ],
)
async def test_holders_that_must_not_be(historian: Historian, name: str, roles: frozenset[Role], reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        await accounts.add_account(historian, ADMIN, name, PASSWORD, roles)
    with pytest.raises(InvalidInput, match=reason):
        await accounts.add_key(historian, ADMIN, name, roles)
    assert await accounts.list_accounts(historian, ADMIN) == []
