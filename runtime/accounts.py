"""`forerun account` and `forerun key`: who may get into an installation, on its database, running or not.

What opens a door is printed on
standard output once, alone on its line; everything else that is said goes to standard error.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from plant.actor import Actor, Role
from plant.errors import InvalidInput
from runtime import command_line

if TYPE_CHECKING:
    from historian.accounts import Listed

account = typer.Typer(no_args_is_help=True, help="People who may log in.")
key = typer.Typer(no_args_is_help=True, help="API keys of machines and other systems.")
_errors = Console(stderr=True)

_GIVEN = sorted(set(Role) - {Role.SYSTEM})
_KNOWN = ", ".join(_GIVEN)
Name = Annotated[str, typer.Argument(help="its name", show_default=False)]


@account.command("add")
def add_account(
    name: Name,
    role: Annotated[list[str], typer.Option(help=f"what it may do, repeatable: {_KNOWN}", show_default=False)],
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="read the password from standard input; none: one is made")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="give an account that exists this password and these roles, and use")
    ] = False,
) -> None:
    """Make an account; a password that was made is printed once."""
    from operations import access, accounts

    roles = _roles("role", role)
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else access.new_password()
    save = access.create_account if replace else accounts.add_account
    command_line.on_database(lambda historian: save(historian, _administrator(), name, password, roles))
    _say(f"account {name} ({', '.join(sorted(roles))}) may log in now")
    if not password_stdin:
        _say("its password, shown this once:")
        typer.echo(password)


@account.command("list")
def list_accounts() -> None:
    """List the accounts with their roles."""
    from operations import accounts

    _show(command_line.on_database(lambda historian: accounts.list_accounts(historian, _administrator())), "roles")


@account.command("disable")
def disable_account(name: Name) -> None:
    """Take an account out of use; whoever is logged in with it is logged out."""
    from operations import accounts

    command_line.on_database(lambda historian: accounts.disable_account(historian, _administrator(), name))
    _say(f"account {name} is out of use, its sessions have ended")


@key.command("add")
def add_key(
    name: Name,
    scope: Annotated[list[str], typer.Option(help=f"what it opens, repeatable: {_KNOWN}", show_default=False)],
) -> None:
    """Make an API key and print it once."""
    from operations import accounts

    roles = _roles("scope", scope)
    made = command_line.on_database(lambda historian: accounts.add_key(historian, _administrator(), name, roles))
    _say(f"API key {name} ({', '.join(sorted(roles))}), shown this once:")
    typer.echo(made)


@key.command("list")
def list_keys() -> None:
    """List the API keys in use, without the keys."""
    from operations import accounts

    _show(command_line.on_database(lambda historian: accounts.list_keys(historian, _administrator())), "scopes")


@key.command("revoke")
def revoke_key(name: Name) -> None:
    """Take an API key out of use."""
    from operations import accounts

    command_line.on_database(lambda historian: accounts.revoke_key(historian, _administrator(), name))
    _say(f"API key {name} opens nothing any more")


def _roles(what: str, names: Sequence[str]) -> frozenset[Role]:
    unknown = [name for name in names if name not in _GIVEN]
    if unknown:
        raise InvalidInput(f"unknown {what} {', '.join(map(repr, unknown))}; choose from {_KNOWN}")
    return frozenset(map(Role, names))


def _administrator() -> Actor:
    return command_line.acting_as(Role.ADMIN)


def _show(listed: Sequence[Listed], roles: str) -> None:
    rows = [("name", roles, "since", "")]
    for one in listed:
        since = f"{one.created_at:%Y-%m-%d %H:%M} UTC"
        rows.append((one.name, ", ".join(sorted(one.roles)), since, "" if one.active else "disabled"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _say(text: str) -> None:
    _errors.print(text, soft_wrap=True, markup=False, highlight=False)
