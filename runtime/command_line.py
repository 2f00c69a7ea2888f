"""What commands share that work on an installation's database, running or not.

Whoever reaches the database with the installation's settings may do with it what the command is for.
"""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from plant.actor import Actor, Role
from plant.errors import SettingsInvalid
from runtime.settings import Settings, read_settings

if TYPE_CHECKING:
    from historian.database import Historian

T = TypeVar("T")


def acting_as(role: Role) -> Actor:
    """Return who acts, by the name the ledger shows."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have a number alone
        user = "somebody"
    return Actor(f"{user} (command line)", frozenset({role}))


def on_database(work: Callable[[Historian], Awaitable[T]]) -> T:
    """Run `work` on the installation's database and return its result."""
    from historian.database import Historian

    url = database_url(read_settings())

    async def run() -> T:
        historian = await Historian.open(url, connections=1)
        try:
            return await work(historian)
        finally:
            await historian.close()

    return asyncio.run(run())


def database_url(settings: Settings) -> str:
    """Return the database's URL: the one the settings name, else that of the demo that runs in the data folder."""
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    from runtime.embedded import EmbeddedPostgres

    embedded = EmbeddedPostgres(settings.data_dir / "postgres")
    if not embedded.runs:
        raise SettingsInvalid(
            f"no database: setting database_url (FORERUN_DATABASE_URL) is missing, and no demo runs in "
            f"{settings.data_dir.absolute()}; name a PostgreSQL, or start `forerun demo` here first"
        )
    return embedded.url
