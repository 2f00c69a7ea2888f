"""Ids of customer orders and of what is made of them, and which of them reach every machine.

A job order's id travels to the machine that works at it and comes back with each state the machine tells. A controller
keeps it in a text of fixed length; what does not fit would come back cut off, as another job order's id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from plant.connection import Protocol
from plant.item import Item, ItemKind
from plant.plant import Plant

LONGEST_ORDER_ID = 100
"""Characters a customer order's id may have at most, whatever the machines."""

JOB_ORDER_BYTES: Mapping[Protocol, int] = {Protocol.MODBUS: 24}
"""ASCII characters of a job order's id that a protocol's machines hold; the other protocols carry any text."""


def production_order_id(customer_order: str, number: int) -> str:
    """Return the id of a customer order's production order, counted from 1."""
    return f"{customer_order}/{number}"


def job_order_id(production_order: str, operation: str) -> str:
    """Return the id of a production order's job order."""
    return f"{production_order}-{operation}"


def wrong_order_id(order_id: str, item: Item | None, plant: Plant | None) -> str:
    """Return what is wrong with a customer order's id for an item, and what to do; empty when nothing is.

    Parameters
    ----------
    item, plant
        None where they are not known: then only what holds for every order is looked at.
    """
    if not order_id.isprintable():
        return f"{order_id!r} holds characters that cannot be printed; use letters, digits and signs"
    if len(order_id) > LONGEST_ORDER_ID:
        return f"{order_id[:20]!r}... has {len(order_id)} characters; use at most {LONGEST_ORDER_ID}"
    if item is None or plant is None:
        return ""
    for suffix, limit in _on_narrow_machines(plant, item):
        job_order = order_id + suffix
        if not job_order.isascii() or len(job_order) > limit:
            room = order_id_room(plant, item)
            use = (
                f"use an id of at most {room} ASCII characters for {item.id}" if room else "shorten the operation's id"
            )
            return (
                f"{order_id!r} does not reach every machine: controllers that may work at its job order {job_order!r} "
                f"hold {limit} ASCII characters; {use}"
            )
    return ""


def order_id_room(plant: Plant, item: Item) -> int:
    """Return how many ASCII characters an order's id for `item` may have for its job orders to reach their machines.

    0 when an operation's id fills the controller's text alone.
    """
    rooms = [limit - len(suffix) for suffix, limit in _on_narrow_machines(plant, item)]
    return max(0, min([LONGEST_ORDER_ID, *rooms]))


def _on_narrow_machines(plant: Plant, item: Item) -> Iterator[tuple[str, int]]:
    """Yield what an order's id is followed by in each job order that a narrow machine may take, and what that holds."""
    limits = {
        machine: JOB_ORDER_BYTES[connection.protocol]
        for connection in plant.connections
        if connection.protocol in JOB_ORDER_BYTES
        for machine in connection.machines
    }
    if not limits:
        return
    for number, made in enumerate(_made_of(plant, item, ()), start=1):
        for operation in made.routing:
            held = [limits[one.id] for one in plant.machines_with(operation.capability) if one.id in limits]
            if held:
                yield job_order_id(production_order_id("", number), operation.id), min(held)


def _made_of(plant: Plant, item: Item, above: tuple[str, ...]) -> Iterator[Item]:
    """Yield what is made for one order of `item`, components first: a production order each (`methods.explosion`)."""
    if item.kind is not ItemKind.MADE or item.id in above:
        return  # a bill of material that is circular is refused elsewhere
    for line in item.bom:
        yield from _made_of(plant, plant.item(line.item), (*above, item.id))
    yield item
