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

_SAVE_ACCOUNT = query("accounts", "save_account")
_ACCOUNT = query("accounts", "account")
_ACCOUNTS = query("accounts", "accounts")
_ADD_SESSION = query("accounts", "add_session")
_SESSION_ACCOUNT = query("accounts", "session_account")
_END_SESSION = query("accounts", "end_session")
_DROP_EXPIRED = query("accounts", "drop_expired")
_SAVE_API_KEY = query("accounts", "save_api_key")
_API_KEY = query("accounts", "api_key")
_REVOKE_API_KEY = query("accounts", "revoke_api_key")


@dataclass(frozen=True)
class Account:
    """Someone who may log in."""

    name: str
    password_hash: str
    roles: frozenset[Role]
    active: bool = True

    @property
    def actor(self) -> Actor:
        """Who acts when it is logged in."""
        return Actor(self.name, self.roles)


async def save(tx: Transaction, account: Account) -> None:
    """Make an account, or change the one of this name."""
    row = {
        "name": account.name,
        "password_hash": account.password_hash,
        "roles": _roles(account.roles),
        "active": account.active,
        "at": tx.at,
    }
    await tx.execute(_SAVE_ACCOUNT, row)


async def get(tx: Transaction, name: str) -> Account | None:
    """Return the account of this name, None when there is none."""
    row = await tx.first(_ACCOUNT, {"name": name})
    return None if row is None else _account(row)


async def accounts(tx: Transaction) -> tuple[Account, ...]:
    """Return every account by name."""
    return tuple(_account(row) for row in await tx.all(_ACCOUNTS))


async def add_session(tx: Transaction, token_hash: str, account: str, expires_at: datetime) -> None:
    """Keep a session of an account until `expires_at` (wall time)."""
    await tx.execute(
        _ADD_SESSION, {"token_hash": token_hash, "account": account, "at": tx.at, "expires_at": expires_at}
    )


async def session_account(tx: Transaction, token_hash: str) -> Account | None:
    """Return whose session this is; None when it has ended, never was, or the account is not active."""
    row = await tx.first(_SESSION_ACCOUNT, {"token_hash": token_hash, "now": tx.at})
    return None if row is None else _account(row)


async def end_session(tx: Transaction, token_hash: str) -> None:
    """Forget a session; harmless when there is none."""
    await tx.execute(_END_SESSION, {"token_hash": token_hash})


async def drop_expired_sessions(tx: Transaction) -> int:
    """Forget the sessions whose time is over and return how many they were."""
    return await tx.execute(_DROP_EXPIRED, {"now": tx.at})


async def save_api_key(tx: Transaction, key_hash: str, name: str, roles: Iterable[Role]) -> None:
    """Keep the key of a machine account, in the place of the one of this name."""
    await tx.execute(_SAVE_API_KEY, {"key_hash": key_hash, "name": name, "roles": _roles(roles), "at": tx.at})


async def api_key_actor(tx: Transaction, key_hash: str) -> Actor | None:
    """Return whose key this is; None when it was revoked or never was."""
    row = await tx.first(_API_KEY, {"key_hash": key_hash})
    return None if row is None else Actor(row["name"], frozenset(Role(role) for role in row["roles"]))


async def revoke_api_key(tx: Transaction, name: str) -> None:
    """Take a key out of use, or raise `NotFound`."""
    if await tx.execute(_REVOKE_API_KEY, {"name": name, "at": tx.at}) != 1:
        raise NotFound(f"there is no API key in use named {name!r}")


def _roles(roles: Iterable[Role]) -> list[str]:
    return sorted(str(role) for role in roles)


def _account(row: dict[str, Any]) -> Account:
    return Account(row["name"], row["password_hash"], frozenset(Role(role) for role in row["roles"]), row["active"])
