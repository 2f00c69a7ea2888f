"""Accounts, sessions and API keys: who gets in, who does not, and that nothing secret is stored."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from historian.database import Historian
from operations import access
from plant.actor import SYSTEM, Actor, Role
from plant.clock import wall_now
from plant.errors import InvalidInput, NotAuthenticated
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


async def _anna(historian: Historian) -> None:
    await access.create_account(historian, ADMIN, "anna", PASSWORD, VIEWER)


async def _everything_stored(historian: Historian) -> str:
    async with historian.transaction(SYSTEM, "test") as tx:
        found = [
            await tx.all(f"select * from {table}".encode()) for table in ("account", "session", "api_key", "ledger")
        ]
    return repr(
        [{key: bytes(v) if isinstance(v, memoryview) else v for key, v in row.items()} for t in found for row in t]
    )


async def test_who_logs_in_is_known_by_the_session(historian: Historian) -> None:
    await _anna(historian)
    token = await access.log_in(historian, "anna", PASSWORD)
    assert await access.by_session(historian, token) == Actor("anna", VIEWER)
    assert [entry.kind for entry in await ledger_of(historian, "account/anna")] == ["saved", "logged in"]


@pytest.mark.parametrize(("name", "password"), [("anna", "wrong"), ("bob", PASSWORD), ("", ""), ("anna\0", PASSWORD)])
async def test_wrong_name_and_wrong_password_are_told_alike(historian: Historian, name: str, password: str) -> None:
    await _anna(historian)
    with pytest.raises(NotAuthenticated) as refusal:
        await access.log_in(historian, name, password)
    assert str(refusal.value) == "name or password is wrong"


async def test_nothing_that_opens_a_door_is_stored(historian: Historian) -> None:
    await _anna(historian)
    secrets = [PASSWORD, await access.log_in(historian, "anna", PASSWORD)]
    secrets.append(await access.create_api_key(historian, ADMIN, "erp", frozenset({Role.INTEGRATION})))
    secrets.append(access.new_api_key())
    await access.install_api_key(historian, "mes", secrets[-1], frozenset({Role.INTEGRATION}))
    stored = await _everything_stored(historian)
    assert "anna" in stored
    for secret in secrets:
        assert secret not in stored
        assert secret.encode().hex() not in stored


async def test_a_session_ends_when_its_time_is_over(historian: Historian, monkeypatch: pytest.MonkeyPatch) -> None:
    await _anna(historian)
    token = await access.log_in(historian, "anna", PASSWORD)
    end = wall_now() + access.SESSION_LENGTH
    monkeypatch.setattr(access, "wall_now", lambda: end - timedelta(minutes=5))
    assert (await access.by_session(historian, token)).name == "anna"
    monkeypatch.setattr(access, "wall_now", lambda: end)
    with pytest.raises(NotAuthenticated, match="log in again"):
        await access.by_session(historian, token)


async def test_logging_out_ends_this_session_only(historian: Historian) -> None:
    await _anna(historian)
    here, there = [await access.log_in(historian, "anna", PASSWORD) for _ in range(2)]
    await access.log_out(historian, here)
    await access.log_out(historian, "no such token")
    with pytest.raises(NotAuthenticated):
        await access.by_session(historian, here)
    assert (await access.by_session(historian, there)).name == "anna"


async def test_a_new_password_ends_the_sessions_of_the_old_one(historian: Historian) -> None:
    await _anna(historian)
    token = await access.log_in(historian, "anna", PASSWORD)
    await access.create_account(historian, ADMIN, "anna", "another long password", VIEWER)
    with pytest.raises(NotAuthenticated):
        await access.by_session(historian, token)
    with pytest.raises(NotAuthenticated):
        await access.log_in(historian, "anna", PASSWORD)


@pytest.mark.parametrize(
    ("name", "password", "roles", "reason"),
    [
        ("", PASSWORD, VIEWER, "account name"),
        (" anna", PASSWORD, VIEWER, "account name"),
        ("anna", "short", VIEWER, "at least 12"),
        ("anna", PASSWORD, frozenset({Role.SYSTEM}), "own processes"),
    ],
)
async def test_accounts_that_must_not_be(
    historian: Historian, name: str, password: str, roles: frozenset[Role], reason: str
) -> None:
    with pytest.raises(InvalidInput, match=reason):
        await access.create_account(historian, ADMIN, name, password, roles)


async def test_the_first_account_is_made_once(historian: Historian) -> None:
    assert await access.first_account(historian, "planner", PASSWORD, VIEWER)
    assert not await access.first_account(historian, "planner", "another long password", frozenset({Role.ADMIN}))
    assert not await access.first_account(historian, "other", "another long password", frozenset({Role.ADMIN}))
    token = await access.log_in(historian, "planner", PASSWORD)
    assert (await access.by_session(historian, token)).roles == VIEWER
    with pytest.raises(NotAuthenticated):
        await access.log_in(historian, "other", "another long password")


async def test_an_api_key_opens_until_it_is_replaced(historian: Historian) -> None:
    roles = frozenset({Role.INTEGRATION})
    old = await access.create_api_key(historian, ADMIN, "erp", roles)
    assert await access.by_api_key(historian, old) == Actor("erp", roles)
    new = await access.create_api_key(historian, ADMIN, "erp", roles)
    with pytest.raises(NotAuthenticated, match="unknown or revoked"):
        await access.by_api_key(historian, old)
    assert (await access.by_api_key(historian, new)).name == "erp"


@pytest.mark.parametrize("key", ["", "fr_", "fr_unknown", "Bearer", "fr_\0"])
async def test_a_key_nobody_made_opens_nothing(historian: Historian, key: str) -> None:
    with pytest.raises(NotAuthenticated):
        await access.by_api_key(historian, key)


async def test_a_guessable_key_is_not_installed(historian: Historian) -> None:
    for key in ("fr_short", "x" * 40):
        with pytest.raises(InvalidInput, match="is random"):
            await access.install_api_key(historian, "mes", key, frozenset({Role.INTEGRATION}))
    with pytest.raises(InvalidInput, match="own processes"):
        await access.create_api_key(historian, ADMIN, "erp", frozenset({Role.SYSTEM}))


async def test_many_logins_at_once_all_get_their_answer(historian: Historian) -> None:
    await _anna(historian)
    tries = [access.log_in(historian, "anna", PASSWORD if n % 2 else "wrong") for n in range(6)]
    came = await asyncio.gather(*tries, return_exceptions=True)
    assert [isinstance(one, NotAuthenticated) for one in came] == [True, False] * 3


def test_passwords_are_hashed_with_a_memory_hard_function() -> None:
    kind, _, cost = PasswordHash.recommended().hash(PASSWORD).split("$")[1:4]
    assert kind == "argon2id"
    assert int(cost.split(",")[0].removeprefix("m=")) >= 19 * 1024  # KiB, the least OWASP asks for


async def test_nobody_acts_unless_the_gate_said_who() -> None:
    with pytest.raises(NotAuthenticated, match="nobody is logged in"):
        access.acting()
