"""How a plan loads the plant."""

from __future__ import annotations

from historian import disturbances, orders, plans, plants
from historian.database import Historian
from methods.disturbed import with_absences, with_planned_stops
from methods.load import LoadProfile, load_profile
from plant.actor import Actor, Permission


async def load(historian: Historian, actor: Actor, plan_id: str) -> LoadProfile:
    """Return how a plan loads machines and people, as they were when it was made; or raise `NotFound`."""
    actor.require(Permission.VIEW_PLANS)
    async with historian.transaction(actor, "load of plan") as tx:
        version = await plans.get(tx, plan_id)
        plant = (await plants.get(tx, version.plant_version)).plant
        away = await disturbances.absences(tx, version.made_at)
        jobs = {one.job.id: one.job for one in await orders.jobs(tx)}
    stopped = with_planned_stops(with_absences(plant, away), version.knew.planned_stops)
    return load_profile(stopped, version.plan, jobs)
