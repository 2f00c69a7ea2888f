"""The plant: imported as immutable versions, one of which is current."""

from __future__ import annotations

from collections.abc import Sequence

from historian import ledger, plants
from operations import orders
from operations.store import Store
from plant.actor import Actor, Permission
from plant.checks import require
from plant.clock import wall_now
from plant.order import CustomerOrder
from plant.plant import Plant
from plant.version import PlantVersion, version_of


async def import_plant(
    store: Store, actor: Actor, plant: Plant, customer_orders: Sequence[CustomerOrder] = ()
) -> PlantVersion:
    """Make `plant` the current version, with the orders its folder brings; repeating it changes nothing."""
    actor.require(Permission.IMPORT_PLANT)
    require(plant.site == store.site, f"this is site {store.site}, the plant is of site {plant.site}")
    version = version_of(plant, wall_now())
    async with store.transaction(actor, "import plant") as tx:
        before = await plants.current(tx, store.site)
        await plants.save(tx, version)
        if before is None or before.id != version.id:
            await plants.set_current(tx, store.site, version.id)
            await ledger.append(tx, f"site/{store.site}", "plant imported", before.id if before else None, version.id)
    for order in customer_orders:
        await orders.enter(store, actor, order)
    return version


async def current(store: Store, actor: Actor) -> PlantVersion:
    """Return the current plant version, or raise `NotFound` when nothing was imported yet."""
    actor.require(Permission.VIEW_FLOOR)
    async with store.transaction(actor, "read plant") as tx:
        return await store.plant_version(tx)
