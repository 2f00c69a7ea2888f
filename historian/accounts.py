"""Accounts, sessions and API keys. Only hashes are stored; what is secret never comes here in clear."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from historian.database import Transaction
from historian.queries import query
from plant.actor import Actor, Role
from plant.errors import NotFound

_COUNT = query("accounts", "count")
_SAVE = query("accounts", "save")
_INSERT = query("accounts", "insert")
_DISABLE = query("accounts", "disable")
_ALL = query("accounts", "all")
_FIND = query("accounts", "find")
_OPEN_SESSION = query("accounts", "open_session")
_SESSION_ACTOR = query("accounts", "session_actor")
_CLOSE_SESSION = query("accounts", "close_session")
_CLOSE_SESSIONS = query("accounts", "close_sessions")
_DROP_EXPIRED = query("accounts", "drop_expired")
_SAVE_API_KEY = query("accounts", "save_api_key")
_INSERT_API_KEY = query("accounts", "insert_api_key")
_API_KEYS = query("accounts", "api_keys")
_API_KEY_ACTOR = query("accounts", "api_key_actor")
_REVOKE_API_KEY = query("accounts", "revoke_api_key")


@dataclass(frozen=True)
class Account:
    """Someone who may log in."""

    name: str
    password_hash: str
    roles: frozenset[Role]


@dataclass(frozen=True)
class Listed:
    """An account or API key as lists show it, without anything that opens a door; `created_at` is wall time."""

    name: str
    roles: frozenset[Role]
    created_at: datetime
    active: bool = True


async def count(tx: Transaction) -> int:
    """Return how many accounts there are."""
    return int(await tx.value(_COUNT))


async def save(tx: Transaction, name: str, password_hash: str, roles: Iterable[Role]) -> None:
    """Make an account, or give the one of this name another password and roles; its sessions end."""
    row = {"name": name, "password_hash": password_hash, "roles": _texts(roles), "at": tx.at}
    await tx.execute(_SAVE, row)
    await tx.execute(_CLOSE_SESSIONS, {"name": name})


async def insert(tx: Transaction, name: str, password_hash: str, roles: Iterable[Role]) -> bool:
    """Make an account; False, and nothing changed, when there is one of this name, in use or not."""
    row = {"name": name, "password_hash": password_hash, "roles": _texts(roles), "at": tx.at}
    return await tx.execute(_INSERT, row) == 1


async def disable(tx: Transaction, name: str) -> bool:
    """Take an account out of use and end its sessions; False when none of this name is in use."""
    disabled = await tx.execute(_DISABLE, {"name": name}) == 1
    await tx.execute(_CLOSE_SESSIONS, {"name": name})
    return disabled


async def everybody(tx: Transaction) -> list[Listed]:
    """Return all accounts by name, those out of use included."""
    return [Listed(**{**row, "roles": _roles(row)}) for row in await tx.all(_ALL)]


async def find(tx: Transaction, name: str) -> Account | None:
    """Return the account of this name, None when there is none in use."""
    row = await tx.first(_FIND, {"name": name})
    return None if row is None else Account(row["name"], row["password_hash"], _roles(row))


async def open_session(tx: Transaction, digest: bytes, account: str, expires_at: datetime) -> None:
    """Keep the digest of a session's token until `expires_at` (wall time)."""
    row = {"digest": digest, "account": account, "at": tx.at, "expires_at": expires_at}
    await tx.execute(_OPEN_SESSION, row)


async def session_actor(tx: Transaction, digest: bytes, now: datetime) -> Actor | None:
    """Return whose session this is at wall time `now`; None when it has ended, or never was."""
    row = await tx.first(_SESSION_ACTOR, {"digest": digest, "now": now})
    return None if row is None else Actor(row["name"], _roles(row))


async def close_session(tx: Transaction, digest: bytes) -> None:
    """End a session; harmless when there is none."""
    await tx.execute(_CLOSE_SESSION, {"digest": digest})


async def drop_expired_sessions(tx: Transaction, now: datetime) -> int:
    """Forget the sessions whose time is over at wall time `now` and return how many they were."""
    return await tx.execute(_DROP_EXPIRED, {"now": now})


async def save_api_key(tx: Transaction, name: str, digest: bytes, roles: Iterable[Role]) -> bool:
    """Keep the digest of a machine account's key in the place of its old one; False when nothing changed.

    Raises
    ------
    Conflict
        When another machine account has this very key.
    """
    return await tx.execute(_SAVE_API_KEY, {"name": name, "digest": digest, "roles": _texts(roles), "at": tx.at}) == 1


async def insert_api_key(tx: Transaction, name: str, digest: bytes, roles: Iterable[Role]) -> bool:
    """Keep the digest of a new machine account's key; False, and nothing changed, when the name is taken."""
    row = {"name": name, "digest": digest, "roles": _texts(roles), "at": tx.at}
    return await tx.execute(_INSERT_API_KEY, row) == 1


async def api_keys(tx: Transaction) -> list[Listed]:
    """Return the API keys in use by name."""
    return [Listed(**{**row, "roles": _roles(row)}) for row in await tx.all(_API_KEYS)]


async def api_key_actor(tx: Transaction, digest: bytes) -> Actor | None:
    """Return whose key this is, None when it is nobody's."""
    row = await tx.first(_API_KEY_ACTOR, {"digest": digest})
    return None if row is None else Actor(row["name"], _roles(row))


async def revoke_api_key(tx: Transaction, name: str) -> None:
    """Take a machine account's key out of use, or raise `NotFound`."""
    if await tx.execute(_REVOKE_API_KEY, {"name": name}) != 1:
        raise NotFound(f"there is no API key named {name!r}")


def _texts(roles: Iterable[Role]) -> list[str]:
    return sorted(str(role) for role in roles)


def _roles(row: dict[str, Any]) -> frozenset[Role]:
    return frozenset(Role(role) for role in row["roles"])
