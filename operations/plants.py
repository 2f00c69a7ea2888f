"""The plant: imported as immutable versions, one of which is current."""

from __future__ import annotations

from collections.abc import Sequence

from historian import ledger, plants
from historian.database import Historian
from operations import orders
from plant.actor import Actor, Permission
from plant.errors import Conflict
from plant.order import CustomerOrder
from plant.plant import Plant
from plant.version import PlantVersion, version_of


async def import_plant(
    historian: Historian, actor: Actor, plant: Plant, customer_orders: Sequence[CustomerOrder] = ()
) -> PlantVersion:
    """Make `plant` the current version, with the orders its folder brings; repeating it changes nothing.

    Raises
    ------
    Conflict
        If the database holds another site.
    """
    actor.require(Permission.IMPORT_PLANT)
    version = version_of(plant)
    async with historian.transaction(actor, "import plant") as tx:
        before = await plants.current_id(tx)
        if before is not None:
            _check_site((await plants.current(tx)).plant, plant)
        await plants.save(tx, version)
        if before != version.id:
            await plants.set_current(tx, plant.site, version.id)
            await ledger.append(tx, f"site/{plant.site}", "plant imported", before, version.id)
    for order in customer_orders:
        await orders.enter(historian, actor, order)
    return version


def _check_site(held: Plant, wanted: Plant) -> None:
    if held.site != wanted.site:
        raise Conflict(
            f"the plant's site is {wanted.site!r}, and this database holds {held.site!r}: one database holds one site; "
            "name another one with FORERUN_DATABASE_URL, or for `forerun demo` another folder with FORERUN_DATA_DIR"
        )


async def current(historian: Historian, actor: Actor) -> PlantVersion:
    """Return the current plant version, or raise `NotFound` when nothing was imported yet."""
    actor.require(Permission.VIEW_FLOOR)
    async with historian.transaction(actor, "read plant") as tx:
        return await plants.current(tx)


async def get(historian: Historian, actor: Actor, version_id: str) -> PlantVersion:
    """Return one plant version, or raise `NotFound`."""
    actor.require(Permission.VIEW_FLOOR)
    async with historian.transaction(actor, "read plant") as tx:
        return await plants.get(tx, version_id)
