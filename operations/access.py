"""Who is asking: accounts, sessions and API keys. Only hashes are stored."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from datetime import timedelta

from pwdlib import PasswordHash

from historian import accounts, ledger
from historian.database import Historian
from plant.actor import SYSTEM, Actor, Permission, Role
from plant.checks import require, require_text
from plant.clock import wall_now
from plant.errors import NotAuthenticated
from plant.text import told

current_actor: ContextVar[Actor] = ContextVar("current_actor")
"""The actor of the request, page or callback that is running; set by the gate."""

SESSION_LENGTH = timedelta(hours=12)
_PASSWORD_LENGTH = 12
_LONGEST_NAME = 100
_KEY_PREFIX = "fr_"
_hasher = PasswordHash.recommended()
# A hash takes 64 MB for a moment: whoever knocks at the door a hundred times at once must not fill the memory.
_hashing = ThreadPoolExecutor(max_workers=2, thread_name_prefix="password")
_DUMMY_HASH = _hasher.hash(secrets.token_urlsafe())


def acting() -> Actor:
    """Return the current actor, or raise `NotAuthenticated`."""
    try:
        return current_actor.get()
    except LookupError:
        raise NotAuthenticated(told("nobody is logged in")) from None


async def create_account(historian: Historian, actor: Actor, name: str, password: str, roles: frozenset[Role]) -> None:
    """Create an account, or give an existing one a new password and roles."""
    actor.require(Permission.MANAGE_ACCESS)
    await _save_account(historian, actor, name, password, roles)


async def first_account(historian: Historian, name: str, password: str, roles: frozenset[Role]) -> bool:
    """Create the installation's first account; does nothing and returns False when there is any."""
    async with historian.transaction(SYSTEM, "first account") as tx:
        if await accounts.count(tx):
            return False
    await _save_account(historian, SYSTEM, name, password, roles)
    return True


async def hash_of(name: str, password: str, roles: frozenset[Role]) -> str:
    """Return the hash an account keeps of its password; `InvalidInput` when there cannot be such an account."""
    check_holder("account", name, roles)
    require(
        len(password) >= _PASSWORD_LENGTH, told("a password needs at least {n:count} characters", n=_PASSWORD_LENGTH)
    )
    return await asyncio.get_running_loop().run_in_executor(_hashing, _hasher.hash, password)


def check_holder(what: str, name: str, roles: frozenset[Role]) -> None:
    """Refuse a name that lists and logs could not show, and the roles of nobody and of our own processes."""
    require_text(f"{what} name", name)
    require(
        name.isprintable() and len(name) <= _LONGEST_NAME,
        told(
            "{what} name must be printable and have at most {n:count} characters, not {name}",
            what=what,
            n=_LONGEST_NAME,
            name=repr(name),
        ),
    )
    require(bool(roles), told("{what} {name} needs a role at least", what=what, name=name))
    require(Role.SYSTEM not in roles, told("the role 'system' is for Forerun's own processes"))


async def _save_account(historian: Historian, actor: Actor, name: str, password: str, roles: frozenset[Role]) -> None:
    hashed = await hash_of(name, password, roles)
    async with historian.transaction(actor, "save account") as tx:
        await accounts.save(tx, name, hashed, roles)
        await ledger.append(tx, f"account/{name}", "saved", None, {"roles": sorted(roles)})


async def log_in(historian: Historian, name: str, password: str) -> str:
    """Check a password and return a new session's token.

    Raises
    ------
    NotAuthenticated
        For an unknown name or a wrong password, with one message for both.
    """
    async with historian.transaction(SYSTEM, "log in") as tx:
        account = await accounts.find(tx, name) if "\0" not in name else None  # a text without an account, ever
    known = account.password_hash if account else _DUMMY_HASH  # an unknown name must take as long as a known one
    matches = await asyncio.get_running_loop().run_in_executor(_hashing, _hasher.verify, password, known)
    if account is None or not matches:
        raise NotAuthenticated(told("name or password is wrong"))
    token = secrets.token_urlsafe(32)
    async with historian.transaction(SYSTEM, "log in") as tx:
        await accounts.open_session(tx, digest_of(token), account.name, wall_now() + SESSION_LENGTH)
        await ledger.append(tx, f"account/{account.name}", "logged in", None, None)
    return token


async def log_out(historian: Historian, token: str) -> None:
    """End a session; unknown tokens are ignored."""
    async with historian.transaction(SYSTEM, "log out") as tx:
        await accounts.close_session(tx, digest_of(token))


async def by_session(historian: Historian, token: str) -> Actor:
    """Return the actor of a session token, or raise `NotAuthenticated`."""
    async with historian.transaction(SYSTEM, "authenticate") as tx:
        actor = await accounts.session_actor(tx, digest_of(token), wall_now())
    if actor is None:
        raise NotAuthenticated(told("the session has ended; log in again"))
    return actor


async def create_api_key(historian: Historian, actor: Actor, name: str, roles: frozenset[Role]) -> str:
    """Make an API key for a machine account and return it; it cannot be shown again."""
    actor.require(Permission.MANAGE_ACCESS)
    return await _save_api_key(historian, actor, name, new_api_key(), roles)


async def install_api_key(historian: Historian, name: str, key: str, roles: frozenset[Role]) -> None:
    """Register the key the installation made for its own MES connection."""
    require(
        key.startswith(_KEY_PREFIX) and len(key) >= 32,
        told("an API key starts with {prefix} and is random", prefix=_KEY_PREFIX),
    )
    await _save_api_key(historian, SYSTEM, name, key, roles)


async def _save_api_key(historian: Historian, actor: Actor, name: str, key: str, roles: frozenset[Role]) -> str:
    check_holder("API key", name, roles)
    async with historian.transaction(actor, "save API key") as tx:
        if await accounts.save_api_key(tx, name, digest_of(key), roles):
            await ledger.append(tx, f"api-key/{name}", "saved", None, {"roles": sorted(roles)})
    return key


def new_password() -> str:
    """Return a fresh random password, in groups that can be read out."""
    return "-".join(secrets.token_hex(2) for _ in range(5))


def new_api_key() -> str:
    """Return a fresh random API key."""
    return _KEY_PREFIX + secrets.token_urlsafe(32)


async def by_api_key(historian: Historian, key: str) -> Actor:
    """Return the actor of an API key, or raise `NotAuthenticated`."""
    if not key.startswith(_KEY_PREFIX):
        raise NotAuthenticated(told("that is not an API key of this site"))
    async with historian.transaction(SYSTEM, "authenticate") as tx:
        actor = await accounts.api_key_actor(tx, digest_of(key))
    if actor is None:
        raise NotAuthenticated(told("unknown or revoked API key"))
    return actor


def digest_of(secret: str) -> bytes:
    """Return what is stored of a session's token or an API key."""
    # Tokens and keys carry 256 random bits: a plain hash is enough, and fast.
    return hashlib.sha256(secret.encode()).digest()
