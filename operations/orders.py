"""Order entry: a customer order becomes production orders and job orders at once."""

from __future__ import annotations

from historian import ledger, orders
from methods.explosion import explode, job_orders
from operations.store import Store
from plant.actor import Actor, Permission
from plant.errors import InvalidInput, NotFound
from plant.item import ItemKind
from plant.order import CustomerOrder, JobProgress
from plant.plant import Plant


async def enter(store: Store, actor: Actor, order: CustomerOrder) -> CustomerOrder:
    """Enter a customer order; the same order again changes nothing.

    Raises
    ------
    InvalidInput
        If its item is unknown or not made here.
    Conflict
        If the id belongs to a different order.
    """
    actor.require(Permission.ENTER_ORDERS)
    async with store.transaction(actor, "enter order") as tx:
        plant = (await store.plant_version(tx)).plant
        _check_item(plant, order)
        if await orders.insert(tx, order):
            production = explode(plant, order)
            await orders.insert_production(tx, production)
            await orders.insert_jobs(tx, job_orders(plant, production))
            await ledger.append(tx, f"order/{order.id}", "entered", None, order)
    return order


def _check_item(plant: Plant, order: CustomerOrder) -> None:
    try:
        item = plant.item(order.item)
    except NotFound as error:
        raise InvalidInput(f"order {order.id}: {error}") from error
    if item.kind is not ItemKind.MADE:
        raise InvalidInput(f"order {order.id}: {item.id} is purchased, not made here; order an item with a routing")


async def list_orders(store: Store, actor: Actor) -> list[CustomerOrder]:
    """Return all customer orders by due date."""
    actor.require(Permission.VIEW_ORDERS)
    async with store.transaction(actor, "list orders") as tx:
        found = await orders.customers(tx)
    return sorted(found, key=lambda order: (order.due_at, order.id))


async def list_jobs(store: Store, actor: Actor, customer_order: str | None = None) -> list[JobProgress]:
    """Return job orders with their progress, all or one customer order's."""
    actor.require(Permission.VIEW_ORDERS)
    async with store.transaction(actor, "list job orders") as tx:
        return list(await orders.jobs(tx, customer_orders=[customer_order] if customer_order else None))
