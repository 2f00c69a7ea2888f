"""Accounts and API keys: made, listed, taken out of use. It takes effect with the next request of whoever has them."""

from __future__ import annotations

from historian import accounts, ledger
from historian.accounts import Listed
from historian.database import Historian
from operations import access
from plant.actor import Actor, Permission, Role
from plant.errors import Conflict, NotFound


async def add_account(historian: Historian, actor: Actor, name: str, password: str, roles: frozenset[Role]) -> None:
    """Make an account.

    Raises
    ------
    Conflict
        If the name is taken, if only by an account that is out of use: the ledger knows people by their names.
    InvalidInput
        If the name, the password or a role cannot be.
    """
    actor.require(Permission.MANAGE_ACCESS)
    hashed = await access.hash_of(name, password, roles)
    async with historian.transaction(actor, "add account") as tx:
        if not await accounts.insert(tx, name, hashed, roles):
            raise Conflict(f"the account name {name!r} is taken; choose another, or replace its password and roles")
        await ledger.append(tx, f"account/{name}", "added", None, {"roles": sorted(roles)})


async def list_accounts(historian: Historian, actor: Actor) -> list[Listed]:
    """Return all accounts by name, those out of use included."""
    actor.require(Permission.MANAGE_ACCESS)
    async with historian.transaction(actor, "list accounts") as tx:
        return await accounts.everybody(tx)


async def disable_account(historian: Historian, actor: Actor, name: str) -> None:
    """Take an account out of use; its sessions end.

    Raises
    ------
    NotFound
        If no account of this name is in use.
    """
    actor.require(Permission.MANAGE_ACCESS)
    async with historian.transaction(actor, "disable account") as tx:
        if not await accounts.disable(tx, name):
            used = ", ".join(one.name for one in await accounts.everybody(tx) if one.active)
            raise NotFound(f"no account named {name!r} is in use; in use are: {used or 'none'}")
        await ledger.append(tx, f"account/{name}", "disabled")


async def add_key(historian: Historian, actor: Actor, name: str, roles: frozenset[Role]) -> str:
    """Make an API key for a machine account and return it; it cannot be shown again.

    Raises
    ------
    Conflict
        If the name is taken.
    InvalidInput
        If the name or a role cannot be.
    """
    actor.require(Permission.MANAGE_ACCESS)
    access.check_holder("API key", name, roles)
    key = access.new_api_key()
    async with historian.transaction(actor, "add API key") as tx:
        if not await accounts.insert_api_key(tx, name, access.digest_of(key), roles):
            raise Conflict(f"the API key name {name!r} is taken; choose another, or revoke that key first")
        await ledger.append(tx, f"api-key/{name}", "added", None, {"roles": sorted(roles)})
    return key


async def list_keys(historian: Historian, actor: Actor) -> list[Listed]:
    """Return the API keys in use by name, without the keys."""
    actor.require(Permission.MANAGE_ACCESS)
    async with historian.transaction(actor, "list API keys") as tx:
        return await accounts.api_keys(tx)


async def revoke_key(historian: Historian, actor: Actor, name: str) -> None:
    """Take an API key out of use, or raise `NotFound`."""
    actor.require(Permission.MANAGE_ACCESS)
    async with historian.transaction(actor, "revoke API key") as tx:
        await accounts.revoke_api_key(tx, name)
        await ledger.append(tx, f"api-key/{name}", "revoked")
