"""Locks: a job order fixed to a machine and a moment, which every plan then keeps to."""

from __future__ import annotations

from datetime import datetime

from historian import ledger, locks
from historian.database import Historian, Transaction
from operations.lock_check import objection
from operations.planning import PlanningRules, basis_at, frozen_zone
from plant.actor import Actor, Permission
from plant.errors import InvalidInput, NotFound
from plant.lock import JobLock
from plant.ports import PlantClock
from plant.text import Text, told


async def lock(
    historian: Historian,
    clock: PlantClock,
    actor: Actor,
    rules: PlanningRules,
    job_order: str,
    machine: str,
    start_at: datetime,
) -> JobLock:
    """Fix where a job order is made and when its machine begins with it; an earlier lock of it is given up.

    The same call again changes nothing. No plan is made: ask for one.

    Raises
    ------
    InvalidInput
        If no plan can keep the lock, with what stands in the way.
    """
    actor.require(Permission.MAKE_PLANS)
    wanted = JobLock(job_order, machine, start_at, actor.name)
    async with historian.transaction(actor, "lock job order") as tx:
        known = {one.job_order: one for one in await locks.current(tx)}.get(job_order)
        if known is not None and (known.machine, known.start_at) == (machine, start_at):
            return known
        why = await _objection(tx, clock, rules, wanted)
        if why is not None:
            raise InvalidInput(why)
        await locks.put(tx, wanted)
        await ledger.append(tx, f"job-order/{job_order}", "locked", known, wanted)
    return wanted


async def why_impossible(
    historian: Historian,
    clock: PlantClock,
    actor: Actor,
    rules: PlanningRules,
    job_order: str,
    machine: str,
    start_at: datetime,
) -> Text | None:
    """Return what stands in the way of a lock that nobody has set yet, None if nothing does."""
    actor.require(Permission.MAKE_PLANS)
    async with historian.transaction(actor, "look at lock") as tx:
        return await _objection(tx, clock, rules, JobLock(job_order, machine, start_at, actor.name))


async def _objection(tx: Transaction, clock: PlantClock, rules: PlanningRules, wanted: JobLock) -> Text | None:
    basis = await basis_at(tx, clock.now(), rules, unlocked=wanted.job_order)
    return objection(basis.work, wanted, frozen_zone(basis, rules.frozen_zone_s), basis.zone)


async def unlock(historian: Historian, actor: Actor, job_order: str) -> None:
    """Take a lock off; plans made from then on may move the job order.

    Raises
    ------
    NotFound
        If it is not locked.
    """
    actor.require(Permission.MAKE_PLANS)
    async with historian.transaction(actor, "unlock job order") as tx:
        before = await locks.remove(tx, job_order)
        if before is None:
            raise NotFound(told("job order {job} is not locked", job=job_order))
        await ledger.append(tx, f"job-order/{job_order}", "unlocked", before, None)


async def list_locks(historian: Historian, actor: Actor) -> list[JobLock]:
    """Return the locks of job orders that have not begun, the earliest first."""
    actor.require(Permission.VIEW_PLANS)
    async with historian.transaction(actor, "list locks") as tx:
        return await locks.current(tx)
