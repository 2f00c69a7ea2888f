"""From a customer order to production orders to job orders: lot for lot, each customer order on its own."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from plant.errors import InvalidInput
from plant.item import Item, ItemKind
from plant.naming import job_order_id, production_order_id
from plant.order import CustomerOrder, JobOrder, ProductionOrder
from plant.plant import Plant

_MOST_PIECES = 10**9


def explode(plant: Plant, order: CustomerOrder) -> tuple[ProductionOrder, ...]:
    """Return the production orders that make a customer order, components before what consumes them.

    Each made line of a bill of material gets a production order of its own, with exactly the pieces its parent
    needs (rounded up to whole ones). A production order is released when its purchased lines are there: at once
    when the plant's stock covers the need, otherwise a lead time after the customer ordered. Stock is judged for
    every production order by itself.

    Ids are ``{order}/1``, ``{order}/2``, ... in the order returned; the last one makes the ordered item.

    Raises
    ------
    NotFound
        If the item, or one in its bill of material, is unknown.
    InvalidInput
        If the item is purchased, its bill of material is circular or asks for a billion pieces, or its purchased
        lines come when dates have ended.
    """
    item = plant.item(order.item)
    if item.kind is not ItemKind.MADE:
        raise InvalidInput(f"order {order.id}: {item.id} is purchased; only made items can be ordered")
    found: list[ProductionOrder] = []
    _explode(plant, order, item, order.quantity, (), found)
    return tuple(found)


def _explode(
    plant: Plant,
    order: CustomerOrder,
    item: Item,
    quantity: int,
    above: tuple[str, ...],
    found: list[ProductionOrder],
) -> str:
    """Append the production orders of `quantity` pieces of `item` to `found`; return the id of its own."""
    if item.id in above:
        raise InvalidInput(f"item {item.id} would be made of itself: {' -> '.join((*above, item.id))}")
    components = []
    for line in item.bom:
        part = plant.item(line.item)
        if part.kind is ItemKind.MADE:
            pieces = math.ceil(quantity * line.quantity)
            if pieces > _MOST_PIECES:
                raise InvalidInput(
                    f"order {order.id} needs more than {_MOST_PIECES:,} {part.id}; check its quantity, and how many "
                    f"{item.id} takes"
                )
            components.append(_explode(plant, order, part, pieces, (*above, item.id), found))
    id_ = production_order_id(order.id, len(found) + 1)
    release_at = _release(plant, order.ordered_at, item, quantity)
    found.append(ProductionOrder(id_, order.id, item.id, quantity, release_at, tuple(components)))
    return id_


def _release(plant: Plant, ordered_at: datetime, item: Item, quantity: int) -> datetime:
    """Return when the purchased lines of `quantity` pieces of `item` are all there."""
    lead_times_s = [0.0]
    for line in item.bom:
        part = plant.item(line.item)
        bought = part.kind is ItemKind.PURCHASED and part.replenishment is None
        if bought and part.stock < quantity * line.quantity:
            lead_times_s.append(part.lead_time_s)
    try:
        return ordered_at + timedelta(seconds=max(lead_times_s))
    except OverflowError:
        raise InvalidInput(
            f"item {item.id}: what it needs comes {max(lead_times_s) / 86400:.3g} days after it is ordered, when dates "
            "have ended; check the lead times of what it is made of"
        ) from None


def job_orders(plant: Plant, production_orders: Sequence[ProductionOrder]) -> tuple[JobOrder, ...]:
    """Return one job order per operation of each production order, predecessors first.

    Ids are ``{production order}-{operation}``. The first operation follows the last one of every component.

    Raises
    ------
    InvalidInput
        If a production order stands before one of its components, or the component is missing.
    """
    last: dict[str, str] = {}
    found: list[JobOrder] = []
    for order in production_orders:
        missing = [name for name in order.components if name not in last]
        if missing:
            raise InvalidInput(f"production order {order.id}: components {missing} are unknown or stand after it")
        found += _jobs_of(plant, order, tuple(last[name] for name in order.components))
        last[order.id] = found[-1].id
    return tuple(found)


def _jobs_of(plant: Plant, order: ProductionOrder, before: tuple[str, ...]) -> Iterable[JobOrder]:
    for operation in plant.item(order.item).routing:
        job = JobOrder(
            id=job_order_id(order.id, operation.id),
            production_order=order.id,
            customer_order=order.customer_order,
            item=order.item,
            operation=operation.id,
            quantity=order.quantity,
            release_at=order.release_at,
            predecessors=before,
        )
        before = (job.id,)
        yield job
