"""How to look for plans, learned from the plant's orders: made on demand, adopted only where it is better."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import datetime

from historian import learned as kept
from historian import ledger, orders, plants
from historian.database import Historian, Transaction
from methods.order_books import PastOrder, books_of
from operations import calibration
from operations.learner import LearningSettings, Subject, learn
from plant.actor import Actor, Permission
from plant.errors import Conflict
from plant.learned import Learned, LearnedRecord
from plant.order import JobProgress, JobState
from plant.ports import Compute, Progress, no_progress
from plant.text import told
from plant.version import PlantVersion
from scheduler.solve import SolverSettings


async def make(
    historian: Historian,
    compute: Compute,
    actor: Actor,
    solver: SolverSettings,
    settings: LearningSettings,
    progress: Progress = no_progress,
) -> Learned:
    """Learn from all orders of the plant and keep what came of it; the next plan uses it if it is better.

    Parameters
    ----------
    solver
        How plans are made here; its limits are replaced.

    Raises
    ------
    InvalidInput
        If the plant has no order.
    Conflict
        If the plant was changed meanwhile, or another way to look for plans was adopted: it was not held against that.
    """
    actor.require(Permission.CALIBRATE_TWIN)
    async with historian.transaction(actor, "read orders to learn from") as tx:
        version = await plants.current(tx)
        past = await _past(tx, version)
        known = await calibration.usable(tx, version.id)
        used = await usable(tx, version.id)
    # One walk: plans that are made meanwhile want the cores.
    alone = replace(solver, workers=1)
    subject = Subject(version, past, books_of(past), alone, known, None if used is None else used.tuning)
    found = await compute.run(learn, subject, settings, progress=progress)
    async with historian.transaction(actor, "keep what was learned") as tx:
        await kept.lock(tx)
        now_used = await usable(tx, version.id)
        if await plants.current_id(tx) != version.id or now_used != used:
            raise Conflict(told("the plant or how it is planned was changed while this was learned; learn again"))
        if await kept.insert(tx, found):
            what = {"plant_version": version.id, "better": found.is_better}
            await ledger.append(tx, f"learned/{found.id}", "made", None, what)
        if found.is_better and (used is None or used.tuning != found.tuning):
            await kept.adopt(tx, found.id)
            await ledger.append(tx, f"learned/{found.id}", "adopted", None if used is None else used.id, found.id)
    return found


async def list_learned(historian: Historian, actor: Actor, limit: int = 20) -> list[LearnedRecord]:
    """Return what was learned last, newest first, with what is in use for the plant as it is now."""
    actor.require(Permission.VIEW_PLANS)
    async with historian.transaction(actor, "list what was learned") as tx:
        current, found = await plants.current_id(tx), await kept.newest(tx, limit)
    return [one if one.learned.plant_version == current else replace(one, used_since=None) for one in found]


async def go_back(historian: Historian, actor: Actor) -> None:
    """Have planning look for plans as if nothing had been learned.

    Raises
    ------
    Conflict
        If nothing that was learned is in use.
    """
    actor.require(Permission.CALIBRATE_TWIN)
    async with historian.transaction(actor, "go back to the unlearned") as tx:
        await kept.lock(tx)
        used = await kept.in_use(tx)
        if used is None:
            raise Conflict(told("nothing that was learned is in use: there is nothing to go back from"))
        await kept.adopt(tx, None)
        await ledger.append(tx, f"learned/{used.id}", "taken out of use", used.id, None)


async def usable(tx: Transaction, plant_version: str) -> Learned | None:
    """Return what planning is to use; None for the unlearned, and where it is of another version of the plant."""
    found = await kept.in_use(tx)
    return None if found is None or found.plant_version != plant_version else found


async def _past(tx: Transaction, version: PlantVersion) -> tuple[PastOrder, ...]:
    """Return the orders for what the plant makes today, with when they were complete."""
    jobs: dict[str, list[JobProgress]] = defaultdict(list)
    for one in await orders.jobs(tx):
        jobs[one.job.customer_order].append(one)
    made = {item.id for item in version.plant.items if item.routing}
    return tuple(
        PastOrder(order, _completed_at(jobs[order.id]))
        for order in await orders.customer_orders(tx)
        if order.item in made
    )


def _completed_at(jobs: list[JobProgress]) -> datetime | None:
    """Return when the last job order was complete, None where one is not."""
    if not jobs or any(one.state is not JobState.COMPLETED for one in jobs):
        return None
    return max((one.completed_at for one in jobs if one.completed_at is not None), default=None)
