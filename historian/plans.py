"""Plan versions, what became of them, and the one that is released."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from historian.database import Channel, Transaction
from historian.documents import document, jsonb, restore, text_of
from historian.queries import query
from plant.errors import Conflict, NotFound
from plant.plan import PlanState, PlanSummary, PlanVersion
from plant.text import told
from plant.trouble import Troubles

_INSERT = query("plans", "insert")
_GET = query("plans", "get")
_NEWEST = query("plans", "newest")
_NEWEST_KNEW = query("plans", "newest_knew")
_ADD_STATE = query("plans", "add_state")
_STATES = query("plans", "states")
_STATE = query("plans", "state")
_REVISION = query("plans", "revision")
_RELEASED_ID = query("plans", "released_id")
_SWAP = query("plans", "swap")
_RIVALS = query("plans", "rivals")


@dataclass(frozen=True)
class PlanStateChange:
    """A plan version came to stand somewhere, at a wall time, by someone."""

    state: PlanState
    at: datetime
    actor: str


async def insert(tx: Transaction, version: PlanVersion) -> None:
    """Keep a new plan version as proposed; `Conflict` when its id exists or its parent or plant does not."""
    row = {
        "id": version.id,
        "parent": version.parent,
        "plant_version": version.plant_version,
        "made_at": version.made_at,
        "document": jsonb(document(version)),
    }
    await tx.execute(_INSERT, row)
    await _add_state(tx, version.id, PlanState.PROPOSED)


async def get(tx: Transaction, plan_id: str) -> PlanVersion:
    """Return a plan version, or raise `NotFound`."""
    found = await tx.value(_GET, {"id": plan_id})
    if found is None:
        raise NotFound(told("unknown plan version '{plan}'", plan=plan_id))
    return restore(PlanVersion, found)


async def newest(tx: Transaction, limit: int = 50) -> list[PlanSummary]:
    """Return the newest plan versions as lists show them, newest first."""
    rows = await tx.all(_NEWEST, {"limit": limit})
    return [PlanSummary(**{**row, "state": PlanState(row["state"]), "reason": text_of(row["reason"])}) for row in rows]


async def newest_knew(tx: Transaction) -> Troubles:
    """Return what was known to have gone wrong when the newest plan version was made; nothing before the first."""
    found = await tx.value(_NEWEST_KNEW)
    return Troubles() if found is None else restore(Troubles, found)


async def state(tx: Transaction, plan_id: str) -> PlanState:
    """Return where a plan version stands, or raise `NotFound`."""
    found = await tx.value(_STATE, {"id": plan_id})
    if found is None:
        raise NotFound(told("unknown plan version '{plan}'", plan=plan_id))
    return PlanState(found)


async def states(tx: Transaction, plan_id: str) -> list[PlanStateChange]:
    """Return a plan version's history, oldest first."""
    rows = await tx.all(_STATES, {"id": plan_id})
    return [PlanStateChange(PlanState(row["state"]), row["at"], row["actor"]) for row in rows]


async def released_id(tx: Transaction) -> str | None:
    """Return the id of the plan version in force, None before the first release."""
    found: str | None = await tx.value(_RELEASED_ID)
    return found


async def released(tx: Transaction) -> PlanVersion | None:
    """Return the plan version in force, None before the first release."""
    plan_id = await released_id(tx)
    return None if plan_id is None else await get(tx, plan_id)


async def release(tx: Transaction, expected: str | None, new: str) -> None:
    """Put `new` in force in the place of `expected`; that is superseded, and so are all others made to follow it.

    Raises
    ------
    Conflict
        When another plan than `expected` is in force meanwhile; nothing was changed.
    """
    if await tx.execute(_SWAP, {"expected": expected, "new": new}) != 1:
        raise Conflict(
            told(
                "plan {plan} was made to follow {expected}, but {found} is in force by now; make a new plan from the "
                "floor as it is",
                plan=new,
                expected=expected or told("no plan"),
                found=await released_id(tx) or told("none"),
            )
        )
    if expected is not None and expected != new:
        await supersede(tx, expected)
    await _add_state(tx, new, PlanState.RELEASED)
    for rival in await tx.all(_RIVALS, {"parent": expected, "id": new}):
        await supersede(tx, rival["id"])


async def supersede(tx: Transaction, plan_id: str) -> None:
    """Note that a plan version cannot come into force any more: another one did."""
    await _add_state(tx, plan_id, PlanState.SUPERSEDED)


async def refuse(tx: Transaction, plan_id: str) -> None:
    """Note that the gate refused a plan version."""
    await _add_state(tx, plan_id, PlanState.REFUSED)


async def revision(tx: Transaction, plan_id: str) -> int:
    """Return the number of a plan version's release; it grows with every release.

    Raises
    ------
    Conflict
        When it was never released.
    """
    found: int | None = await tx.value(_REVISION, {"id": plan_id})
    if found is None:
        raise Conflict(told("plan {plan} was never released", plan=plan_id))
    return found


async def _add_state(tx: Transaction, plan_id: str, state: PlanState) -> None:
    await tx.execute(_ADD_STATE, {"id": plan_id, "state": state, "at": tx.at, "actor": tx.actor.name})
    await tx.notify(Channel.PLANS, plan_id)
