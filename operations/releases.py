"""How plans came into force."""

from __future__ import annotations

from dataclasses import dataclass

from historian import ledger
from historian.database import Historian
from plant.actor import Actor, Permission


@dataclass(frozen=True)
class Release:
    """Who put a plan in force, and why in spite of the gate where that was so."""

    actor: str
    override_reason: str | None


async def how_released(historian: Historian, actor: Actor, plan_id: str) -> Release | None:
    """Return how a plan came into force, None if it never did."""
    actor.require(Permission.VIEW_PLANS)
    async with historian.transaction(actor, "read release") as tx:
        for entry in await ledger.entries(tx, f"plan/{plan_id}"):
            if entry.kind == "released":
                return Release(entry.actor, entry.after["override"])
    return None
