"""Order entry: a customer order becomes production orders and job orders at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from historian import ledger, orders, plants
from historian.database import Historian
from methods.explosion import explode, job_orders
from plant.actor import Actor, Permission
from plant.checks import require
from plant.errors import Conflict, InvalidInput, NotFound
from plant.folder_table import unknown
from plant.item import Item, ItemKind
from plant.naming import wrong_order_id
from plant.order import CustomerOrder, JobProgress, JobState
from plant.plant import Plant

_LONGEST = timedelta(days=5 * 365)
_LONG_AGO = timedelta(days=20 * 365)
_FAR_OFF = timedelta(days=50 * 365)
"""Dates are looked at against the plant's first moment."""


async def enter(historian: Historian, actor: Actor, order: CustomerOrder, dated: bool = True) -> CustomerOrder:
    """Enter a customer order and return it as it is kept; the same order again changes nothing.

    Parameters
    ----------
    dated
        Whether the sender said when it was ordered; without, an order sent again is the same at any moment.

    Raises
    ------
    InvalidInput
        If its item is unknown or not made here, or its id or dates are such that nobody could plan with them.
    Conflict
        If the id belongs to a different order.
    """
    actor.require(Permission.ENTER_ORDERS)
    _check_id(order.id)
    require(
        order.customer.isprintable(),
        f"order {order.id}: the customer must not hold characters that cannot be printed",
    )
    try:
        return await _enter(historian, actor, order, dated)
    except Conflict:
        # Perhaps the same order was entered at the same moment, by a sender that tries again.
        async with historian.transaction(actor, "enter order") as tx:
            known = await orders.find_customer_order(tx, order.id)
        if known is None:
            raise
        if not _is_same(known, order, dated):
            raise _other_content(order) from None
        return known


async def _enter(historian: Historian, actor: Actor, order: CustomerOrder, dated: bool) -> CustomerOrder:
    async with historian.transaction(actor, "enter order") as tx:
        plant = (await plants.current(tx)).plant
        known = await orders.find_customer_order(tx, order.id)
        if known is not None and _is_same(known, order, dated):
            return known
        check_item(plant, order)
        _check_id(order.id, plant.item(order.item), plant)
        check_plausible(plant, order)
        if known is not None:
            raise _other_content(order)
        production = explode(plant, order)
        await orders.insert(tx, order, production, job_orders(plant, production))
        await ledger.append(tx, f"order/{order.id}", "entered", None, order)
        return order


def _is_same(known: CustomerOrder, order: CustomerOrder, dated: bool) -> bool:
    return known == (order if dated else replace(order, ordered_at=known.ordered_at))


def _other_content(order: CustomerOrder) -> Conflict:
    return Conflict(f"order {order.id} exists with other content; use another id or change that order")


def _check_id(order_id: str, item: Item | None = None, plant: Plant | None = None) -> None:
    wrong = wrong_order_id(order_id, item, plant)
    require(not wrong, f"order id {wrong}")


def check_plausible(plant: Plant, order: CustomerOrder) -> None:
    """Refuse what would be accepted here and be in the way later: one such order would stop all planning."""
    earliest, latest = plant.starts_at - _LONG_AGO, plant.starts_at + _FAR_OFF
    require(
        earliest <= order.ordered_at and order.due_at <= latest and order.due_at - order.ordered_at <= _LONGEST,
        f"order {order.id}: implausible dates, ordered {order.ordered_at:%Y-%m-%d} and due {order.due_at:%Y-%m-%d}; "
        f"an order is due within {_LONGEST.days // 365} years, and between {earliest:%Y} and {latest:%Y}",
    )


def check_item(plant: Plant, order: CustomerOrder) -> None:
    """Refuse an order of an item that is not made here."""
    try:
        item = plant.item(order.item)
    except NotFound:
        made = [item.id for item in plant.made_items()]
        raise InvalidInput(f"order {order.id}: {unknown('item', order.item, made)}") from None
    if item.kind is not ItemKind.MADE:
        raise InvalidInput(f"order {order.id}: {item.id} is purchased, not made here; order an item with a routing")


async def list_orders(historian: Historian, actor: Actor) -> list[CustomerOrder]:
    """Return all customer orders by due date."""
    actor.require(Permission.VIEW_ORDERS)
    async with historian.transaction(actor, "list orders") as tx:
        return await orders.customer_orders(tx)


async def list_open(historian: Historian, actor: Actor) -> list[CustomerOrder]:
    """Return the customer orders with work left, by due date."""
    actor.require(Permission.VIEW_ORDERS)
    async with historian.transaction(actor, "list open orders") as tx:
        left = {one.job.customer_order for one in await orders.jobs(tx, open_only=True)}
        return [order for order in await orders.customer_orders(tx) if order.id in left]


async def list_jobs(historian: Historian, actor: Actor, customer_order: str | None = None) -> list[JobProgress]:
    """Return job orders with their progress, all or one customer order's."""
    actor.require(Permission.VIEW_ORDERS)
    async with historian.transaction(actor, "list job orders") as tx:
        return await orders.jobs(tx, customer_order)


async def jobs_on_machines(
    historian: Historian, actor: Actor, shown: Mapping[str, str | None]
) -> dict[str, list[JobProgress]]:
    """Return by machine the running job orders, several being members of one batch, or else the one it waits for.

    Parameters
    ----------
    shown
        Job order by machine, as the machine shows it; one that does not run yet is what the machine waits for.
    """
    actor.require(Permission.VIEW_FLOOR)
    async with historian.transaction(actor, "list job orders on machines") as tx:
        jobs = {one.job.id: one for one in await orders.jobs(tx, open_only=True)}
    found = {machine: [jobs[name]] for machine, name in shown.items() if name in jobs}
    running: dict[str, list[JobProgress]] = {}
    for progress in jobs.values():
        if progress.state is JobState.RUNNING and progress.machine is not None:
            running.setdefault(progress.machine, []).append(progress)
    return found | running
