"""Plan versions, what became of them, and the one that is released at each site."""

from __future__ import annotations

from datetime import datetime

from historian.database import Channel, Transaction
from historian.documents import document, jsonb, restore
from historian.queries import query
from plant.errors import Conflict, NotFound
from plant.plan import PlanState, PlanStateChange, PlanSummary, PlanVersion

_INSERT = query("plans", "insert")
_GET = query("plans", "get")
_SUMMARIES = query("plans", "summaries")
_ADD_STATE = query("plans", "add_state")
_STATES = query("plans", "states")
_STATE = query("plans", "state")
_RELEASED_ID = query("plans", "released_id")
_SWAP = query("plans", "swap")


async def insert(tx: Transaction, site: str, version: PlanVersion) -> None:
    """Keep a new plan version, as proposed or, when its judgement did not pass, as refused."""
    row = {
        "id": version.id,
        "site": site,
        "parent": version.parent,
        "plant_version": version.plant_version,
        "made_at": version.made_at,
        "reason": version.reason,
        "passed": version.judgement.passed,
        "document": jsonb(document(version)),
    }
    await tx.execute(_INSERT, row)
    state = PlanState.PROPOSED if version.judgement.passed else PlanState.REFUSED
    await add_state(tx, version.id, state, version.made_at, "; ".join(version.judgement.reasons))


async def get(tx: Transaction, plan_id: str) -> PlanVersion:
    """Return a plan version, or raise `NotFound`."""
    found = await tx.value(_GET, {"id": plan_id})
    if found is None:
        raise NotFound(f"unknown plan version {plan_id!r}")
    return restore(PlanVersion, found)


async def summaries(tx: Transaction, site: str, limit: int = 100) -> tuple[PlanSummary, ...]:
    """Return the newest plan versions of a site, newest first."""
    rows = await tx.all(_SUMMARIES, {"site": site, "limit": limit})
    return tuple(
        PlanSummary(**{**row, "state": PlanState(row["state"]), "reasons": tuple(row["reasons"])}) for row in rows
    )


async def state(tx: Transaction, plan_id: str) -> PlanState:
    """Return where a plan version stands, or raise `NotFound`."""
    found = await tx.value(_STATE, {"id": plan_id})
    if found is None:
        raise NotFound(f"unknown plan version {plan_id!r}")
    return PlanState(found)


async def states(tx: Transaction, plan_id: str) -> tuple[PlanStateChange, ...]:
    """Return a plan version's history."""
    rows = await tx.all(_STATES, {"id": plan_id})
    return tuple(PlanStateChange(**{**row, "state": PlanState(row["state"])}) for row in rows)


async def add_state(tx: Transaction, plan_id: str, state: PlanState, at: datetime, reason: str = "") -> None:
    """Note that a plan version stands elsewhere since plant time `at`."""
    await tx.execute(_ADD_STATE, {"id": plan_id, "state": state, "at": at, "actor": tx.actor.name, "reason": reason})
    await tx.notify(Channel.PLANS, plan_id)


async def released_id(tx: Transaction, site: str) -> str | None:
    """Return the id of the plan version in force at a site, None when there is none."""
    found: str | None = await tx.value(_RELEASED_ID, {"site": site})
    return found


async def released(tx: Transaction, site: str) -> PlanVersion | None:
    """Return the plan version in force at a site, None when there is none."""
    plan_id = await released_id(tx, site)
    return None if plan_id is None else await get(tx, plan_id)


async def release(tx: Transaction, site: str, expected: str | None, new: str, at: datetime, reason: str = "") -> None:
    """Put `new` in force at a site in the place of `expected`, which is superseded.

    Parameters
    ----------
    at
        Plant time.

    Raises
    ------
    Conflict
        When another plan than `expected` is in force meanwhile; nothing was changed.
    """
    if await tx.execute(_SWAP, {"site": site, "expected": expected, "new": new}) != 1:
        raise Conflict(
            f"plan {new} was made to follow {expected or 'no plan'}, but {await released_id(tx, site) or 'none'} is in "
            f"force at {site} by now; rehearse it again against that one"
        )
    if expected is not None and expected != new:
        await add_state(tx, expected, PlanState.SUPERSEDED, at, f"{new} was released")
    await add_state(tx, new, PlanState.RELEASED, at, reason)
