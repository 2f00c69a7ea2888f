"""One site's store: the historian as use cases and the floors above hold it."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from historian import plants
from historian.database import Historian, Transaction
from plant.actor import Actor
from plant.errors import NotFound
from plant.version import PlantVersion


@dataclass(frozen=True)
class Store:
    """The historian, and the site whose data are meant. Only use cases open its transactions."""

    historian: Historian
    site: str

    def transaction(self, actor: Actor, use_case: str) -> AbstractAsyncContextManager[Transaction]:
        """Open a transaction on behalf of `actor`; leaving the block commits, an exception rolls back."""
        return self.historian.transaction(actor, use_case)

    async def plant_version(self, tx: Transaction) -> PlantVersion:
        """Return the site's current plant version, or raise `NotFound`."""
        version = await plants.current(tx, self.site)
        if version is None:
            raise NotFound(f"no plant was imported for site {self.site} yet; run `forerun prepare`")
        return version
