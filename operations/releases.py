"""Plans come into force, if the gate lets them or is overridden in writing, and how they did."""

from __future__ import annotations

from dataclasses import dataclass

from historian import ledger, plans
from historian.database import Historian
from operations import dispatch
from operations.locked import as_planned
from operations.planning import PlanningRules, basis_at
from plant.actor import Actor, Permission
from plant.checks import require
from plant.errors import Conflict, GateRefused
from plant.plan import PlanState, PlanVersion
from plant.ports import PlantClock
from plant.text import told
from plant.work import Work
from scheduler.check import check
from scheduler.keep import keep


@dataclass(frozen=True)
class Release:
    """Who put a plan in force, and why in spite of the gate where that was so."""

    actor: str
    override_reason: str | None


async def release(
    historian: Historian,
    clock: PlantClock,
    actor: Actor,
    rules: PlanningRules,
    plan_id: str,
    override_reason: str | None = None,
) -> PlanVersion:
    """Put a plan in force and dispatch its first job orders, if the gate passed it or is overridden in writing.

    Raises
    ------
    GateRefused
        With the gate's reasons; an override needs the permission and a written reason, kept in the ledger.
    Conflict
        If another plan came into force since this one was made, this one was in force before, or it cannot be carried
        out on the floor as it is by now: no reason in writing makes that possible.
    """
    actor.require(Permission.RELEASE_PLANS)
    refused: GateRefused | None = None
    async with historian.transaction(actor, "release plan") as tx:
        version = await plans.get(tx, plan_id)
        state = await plans.state(tx, plan_id)
        if state not in {PlanState.PROPOSED, PlanState.REFUSED}:
            raise Conflict(
                told("plan {plan} is {state:word} already; make a new plan", plan=plan_id, state=state.value)
            )
        if version.judgement.passed or _may_override(actor, override_reason):
            await plans.release(tx, expected=version.parent, new=version.id)
            _require_possible(version, (await basis_at(tx, clock.now(), rules)).work)
            how = {
                "passed": version.judgement.passed,
                "override": None if version.judgement.passed else override_reason,
            }
            await ledger.append(tx, f"plan/{plan_id}", "released", version.parent, how)
            await dispatch.dispatch(tx, version, clock.now(), rules.dispatch_horizon_s)
        else:
            refused = GateRefused(version.judgement.reasons)
            if state is PlanState.PROPOSED:
                await plans.refuse(tx, plan_id)
                await ledger.append(
                    tx, f"plan/{plan_id}", "refused", None, [str(one) for one in version.judgement.reasons]
                )
    if refused is not None:
        raise refused
    return version


def _require_possible(version: PlanVersion, work: Work) -> None:
    """Refuse a plan that the floor cannot carry out any more, such as one for a machine that is gone."""
    homeless = [
        told("{job} cannot be made on {machine}", job=one.job_order, machine=one.machine)
        for one in version.plan.operations
        if one.job_order in work.by_id and one.machine not in work.by_id[one.job_order].durations_s
    ]
    kept = keep(work, version.plan)
    if problems := [*homeless, *check(as_planned(kept.work, kept.plan), kept.plan)]:
        raise Conflict(
            told(
                "plan {plan} cannot be carried out on the floor as it is now: {problem}; make a new plan",
                plan=version.id,
                problem=problems[0],
            )
        )


def _may_override(actor: Actor, reason: str | None) -> bool:
    if reason is None:
        return False
    actor.require(Permission.OVERRIDE_GATE)
    require(
        bool(reason.strip()),
        told("an override needs a written reason; it is kept in the ledger under your name"),
    )
    return True


async def how_released(historian: Historian, actor: Actor, plan_id: str) -> Release | None:
    """Return how a plan came into force, None if it never did."""
    actor.require(Permission.VIEW_PLANS)
    async with historian.transaction(actor, "read release") as tx:
        for entry in await ledger.entries(tx, f"plan/{plan_id}"):
            if entry.kind == "released":
                return Release(entry.actor, entry.after["override"])
    return None
