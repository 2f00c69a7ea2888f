"""Plans: made from the live floor, rehearsed, judged, kept as immutable versions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from historian import disturbances, ledger, locks, orders, plans, plants
from historian import fidelity as forecasts
from historian.database import Historian, Transaction
from historian.documents import document
from methods.disturbed import with_absences, with_late_materials, with_planned_stops
from methods.explosion import explode, job_orders
from methods.work import build_work
from operations import calibration, fidelity, learning, situation
from operations.gate import Thresholds
from operations.locked import missed, with_locks
from operations.plan_diff import PlanDiff, compare, sentences
from operations.rehearsal import Rehearsal, Terms, rehearse
from operations.remedies import RemedyRules
from operations.rescheduling import Replanning, rehearse_near, rehearse_repair
from plant.actor import Actor, Permission
from plant.calibration import Calibration
from plant.checks import require
from plant.errors import InvalidInput
from plant.learned import Learned
from plant.lock import JobLock
from plant.message import new_message_id
from plant.order import CustomerOrder, JobProgress, JobState
from plant.plan import Plan, PlannedOperation, PlanState, PlanSummary, PlanVersion
from plant.ports import Compute, PlantClock, Progress, no_progress
from plant.text import Text, told
from plant.trouble import Tolerances, Troubles
from plant.work import Work
from scheduler.conflict import conflict
from scheduler.nearness import Nearness
from scheduler.requirement import Demands
from scheduler.solve import SolverSettings


@dataclass(frozen=True)
class PlanningRules:
    """How plans are made, judged and dispatched.

    Attributes
    ----------
    frozen_zone_s
        Job orders the plan in force starts within this many plant seconds keep machine and place.
    dispatch_horizon_s
        Job orders a released plan starts within this many plant seconds are sent to the MES.
    price
        Share of the planned makespan that may be paid for certainty.
    nearness
        How near a plan that nobody asked for stays to the one in force.
    tolerances
        How far the floor may be from the plan in force before a new one is made.
    """

    solver: SolverSettings
    replications: int
    thresholds: Thresholds
    frozen_zone_s: float
    dispatch_horizon_s: float
    price: float = 0.05
    remedies: RemedyRules = field(default_factory=RemedyRules)
    nearness: Nearness = field(default_factory=Nearness)
    tolerances: Tolerances = field(default_factory=Tolerances)


@dataclass(frozen=True)
class Basis:
    """What a plan is made from, read in one transaction."""

    plant_version: str
    knew: Troubles
    work: Work
    in_force: PlanVersion | None
    zone: ZoneInfo
    calibration: Calibration | None
    locks: tuple[JobLock, ...] = ()
    learned: Learned | None = None


_How = Callable[[Basis, Plan | None], Awaitable[Rehearsal]]
"""Makes a plan of a basis and what of the plan in force is frozen, and rehearses it."""


async def make_plan(
    historian: Historian,
    compute: Compute,
    clock: PlantClock,
    actor: Actor,
    rules: PlanningRules,
    reason: Text,
    progress: Progress = no_progress,
    *,
    near: bool = False,
    asked_for: bool = True,
) -> PlanVersion:
    """Make a plan for everything that is not complete: solve, rehearse, judge against the plan in force, keep it.

    Parameters
    ----------
    near
        Stay near to the plan in force, if there is one (`PlanningRules.nearness`).
    asked_for
        Whether somebody asked for it: `operations.rehearsal.Terms`.

    Raises
    ------
    InvalidInput
        If there is nothing to plan.
    Infeasible
        If there is no plan, with what stands in the way.
    """
    actor.require(Permission.MAKE_PLANS)
    require(bool(str(reason).strip()), told("say why the plan is made"))
    replications = rules.replications

    async def rehearsed(basis: Basis, frozen: Plan | None) -> Rehearsal:
        solver = solver_of(basis, rules)
        work, known, terms = basis.work, basis.calibration, _terms(basis, rules, asked_for)
        in_force = None if basis.in_force is None else basis.in_force.plan
        if near and in_force is not None:
            replanning = Replanning(in_force, frozen, rules.nearness)
            asked = (work, replanning, solver, replications, solver.seed, known, terms)
            return await compute.run(rehearse_near, *asked, progress=progress)
        asked_anew = (work, solver, replications, solver.seed, frozen, known, in_force, terms)
        return await compute.run(rehearse, *asked_anew, progress=progress)

    async with historian.transaction(actor, "read planning basis") as tx:
        basis = await basis_at(tx, clock.now(), rules)
    if not basis.work.tasks:
        raise InvalidInput(told("there is nothing to plan: every job order is complete; enter an order first"))
    return await _make(historian, compute, actor, rules, reason, basis, rehearsed)


async def repair_plan(
    historian: Historian, compute: Compute, clock: PlantClock, actor: Actor, rules: PlanningRules, reason: Text
) -> PlanVersion | None:
    """Repair the plan in force and keep that as a version of its own, judged like any other: ready in a moment.

    Returns
    -------
    PlanVersion or None
        None when there is no plan in force, nothing is left to do, or the newest version is this very repair.
    """
    actor.require(Permission.MAKE_PLANS)
    reason = told("repair of the plan in force: {reason}", reason=reason)

    async def rehearsed(basis: Basis, frozen: Plan | None) -> Rehearsal:
        assert basis.in_force is not None
        replanning = Replanning(basis.in_force.plan, frozen, rules.nearness)
        seed, known = rules.solver.seed, basis.calibration
        asked = (basis.work, replanning, rules.replications, seed, known, _terms(basis, rules, asked_for=False))
        return await compute.run(rehearse_repair, *asked)

    async with historian.transaction(actor, "read planning basis") as tx:
        basis = await basis_at(tx, clock.now(), rules)
        newest = await plans.newest(tx, 1)
    if basis.in_force is None or not basis.work.tasks or any(one.reason == reason for one in newest):
        return None
    without_search = replace(basis, learned=None)
    return await _make(historian, compute, actor, rules, reason, without_search, rehearsed)


def solver_of(basis: Basis, rules: PlanningRules) -> SolverSettings:
    """Return how to look for plans: by the rules, as was learned."""
    return rules.solver if basis.learned is None else replace(rules.solver, tuning=basis.learned.tuning)


def _terms(basis: Basis, rules: PlanningRules, asked_for: bool) -> Terms:
    return Terms(rules.thresholds, rules.price, rules.remedies, basis.zone, asked_for)


async def _make(
    historian: Historian,
    compute: Compute,
    actor: Actor,
    rules: PlanningRules,
    reason: Text,
    basis: Basis,
    how: _How,
) -> PlanVersion:
    """Make, judge and keep a plan version; superseded from the first if another came into force meanwhile."""
    measured = await fidelity.up_to_date(historian, actor, basis.work.epoch)
    frozen = frozen_zone(basis, rules.frozen_zone_s)
    try:
        rehearsal = await how(basis, frozen)
    except InvalidInput as error:
        found = await compute.run(conflict, basis.work, Demands(frozen=frozen))
        raise error if found is None else found.error(basis.work, basis.zone) from error
    known, judgement = basis.calibration, rehearsal.judgement
    notes = (*judgement.notes, *missed(basis.work, rehearsal.plan, basis.locks, basis.zone))
    version = PlanVersion(
        id=f"plan-{new_message_id()}",
        parent=basis.in_force.id if basis.in_force else None,
        plant_version=basis.plant_version,
        made_at=basis.work.epoch,  # the floor it was made from, not the end of solving
        reason=reason,
        seed=rules.solver.seed,
        plan=rehearsal.plan,
        solver=rehearsal.report,
        verdict=replace(rehearsal.verdict, twin_error=measured.twin_error),
        judgement=replace(judgement, notes=notes),
        orders=tuple(sorted(basis.work.orders)),
        knew=basis.knew,
        calibration=None if known is None else known.id,
        robustness=rehearsal.robustness,
        learned=None if basis.learned is None else basis.learned.id,
    )
    async with historian.transaction(actor, "keep plan") as tx:
        await plans.insert(tx, version)
        if await plans.released_id(tx) != version.parent:
            await plans.supersede(tx, version.id)
        await forecasts.keep_forecast(tx, version.id, document(rehearsal.forecast))
        await ledger.append(tx, f"plan/{version.id}", "made", version.parent, {"reason": str(reason)})
    return version


async def basis_at(
    tx: Transaction,
    now: datetime,
    rules: PlanningRules,
    asked: CustomerOrder | None = None,
    unlocked: str | None = None,
) -> Basis:
    """Return what a plan is made from at plant time `now`.

    Parameters
    ----------
    asked
        An order that nobody has entered yet, to be planned as if it had been.
    unlocked
        A job order whose lock is left out.
    """
    version = await plants.current(tx)
    # Read first: what is stored while the rest is read may be in the snapshot and must not count as known without.
    knew = await situation.troubles(tx, now, rules.tolerances, before=now)
    plant = with_absences(version.plant, await disturbances.absences(tx, now))
    plant = with_planned_stops(plant, await disturbances.planned_stops(tx, now))
    customer_orders: list[CustomerOrder] = await orders.customer_orders(tx)
    jobs = await orders.jobs(tx)
    if asked is not None:
        customer_orders.append(asked)
        jobs += [JobProgress(job, JobState.WAITING) for job in job_orders(plant, explode(plant, asked))]
    jobs = with_late_materials(plant, jobs, await disturbances.late_materials(tx, now))
    snapshot = await situation.snapshot(tx, version, jobs, now)
    kept = tuple(one for one in await locks.current(tx) if one.job_order != unlocked)
    return Basis(
        plant_version=version.id,
        knew=knew,
        work=with_locks(build_work(plant, customer_orders, jobs, snapshot), kept),
        in_force=await plans.released(tx),
        zone=ZoneInfo(version.plant.timezone),
        calibration=await calibration.usable(tx, version.id),
        locks=kept,
        learned=await learning.usable(tx, version.id),
    )


def frozen_zone(basis: Basis, frozen_zone_s: float) -> Plan | None:
    """Return the part of the plan in force that starts within the frozen zone, None when there is none."""
    if basis.in_force is None:
        return None
    plan, work = basis.in_force.plan, basis.work
    shift = (plan.epoch - work.epoch).total_seconds()
    near: list[PlannedOperation] = [
        operation
        for operation in plan.operations
        if operation.job_order in work.by_id and operation.start_s + shift <= frozen_zone_s
    ]
    return Plan(plan.epoch, tuple(near)) if near else None


async def list_plans(historian: Historian, actor: Actor, limit: int = 50) -> list[PlanSummary]:
    """Return the newest plan versions first."""
    actor.require(Permission.VIEW_PLANS)
    async with historian.transaction(actor, "list plans") as tx:
        return await plans.newest(tx, limit)


async def get_plan(historian: Historian, actor: Actor, plan_id: str) -> tuple[PlanVersion, PlanState]:
    """Return one plan version with its state, or raise `NotFound`."""
    actor.require(Permission.VIEW_PLANS)
    async with historian.transaction(actor, "read plan") as tx:
        return await plans.get(tx, plan_id), await plans.state(tx, plan_id)


async def diff(
    historian: Historian, actor: Actor, rules: PlanningRules, plan_id: str, against: str | None = None
) -> tuple[PlanDiff, tuple[Text, ...]]:
    """Return what a plan does otherwise than another one (None: the one that was in force when it was made), in words.

    Raises
    ------
    NotFound
        If one of them is unknown.
    InvalidInput
        If no other plan was named and none was in force.
    """
    actor.require(Permission.VIEW_PLANS)
    async with historian.transaction(actor, "compare plans") as tx:
        after = await plans.get(tx, plan_id)
        other = against or after.parent
        if other is None:
            raise InvalidInput(
                told("no plan was in force when {plan} was made; name the plan to compare it with", plan=plan_id)
            )
        before = await plans.get(tx, other)
        zone = ZoneInfo((await plants.get(tx, after.plant_version)).plant.timezone)
    found = compare(before, after, rules.frozen_zone_s)
    return found, sentences(found, zone)


async def in_force(historian: Historian, actor: Actor) -> PlanVersion | None:
    """Return the released plan, None before the first release."""
    actor.require(Permission.VIEW_PLANS)
    async with historian.transaction(actor, "read plan") as tx:
        return await plans.released(tx)
