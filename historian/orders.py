"""Customer orders, production orders and job orders with how far they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from historian.database import Channel, Transaction
from historian.queries import query
from plant.errors import Conflict, NotFound
from plant.order import CustomerOrder, JobOrder, JobProgress, JobResponse, JobState, Priority, ProductionOrder
from plant.progress import advance

_INSERT_CUSTOMER = query("orders", "insert_customer")
_CUSTOMERS = query("orders", "customers")
_INSERT_PRODUCTION = query("orders", "insert_production")
_PRODUCTION = query("orders", "production")
_INSERT_JOB = query("orders", "insert_job")
_JOBS = query("orders", "jobs")
_LOCK_JOB = query("orders", "lock_job")
_UPDATE_JOB = query("orders", "update_job")
_DISPATCHED = query("orders", "dispatched")
_JOB_FIELDS = [field.name for field in fields(JobOrder)]


async def insert(tx: Transaction, order: CustomerOrder) -> bool:
    """Keep a customer order; False when the same one is kept already.

    Raises
    ------
    Conflict
        When another order has this id.
    """
    inserted = await tx.execute(_INSERT_CUSTOMER, _row(order)) == 1
    if not inserted:
        kept = await customer(tx, order.id)
        if kept != order:
            raise Conflict(f"customer order {order.id} exists already and is another one: {kept}")
    else:
        await tx.notify(Channel.ORDERS, order.id)
    return inserted


async def customer(tx: Transaction, order_id: str) -> CustomerOrder:
    """Return a customer order, or raise `NotFound`."""
    found = await customers(tx, [order_id])
    if not found:
        raise NotFound(f"unknown customer order {order_id!r}")
    return found[0]


async def customers(tx: Transaction, ids: Sequence[str] | None = None) -> tuple[CustomerOrder, ...]:
    """Return customer orders by id, all of them by default."""
    rows = await tx.all(_CUSTOMERS, {"ids": _list(ids)})
    return tuple(CustomerOrder(**{**row, "priority": Priority(row["priority"])}) for row in rows)


async def insert_production(tx: Transaction, orders: Sequence[ProductionOrder]) -> None:
    """Keep the production orders of customer orders that are kept; an id that exists is a `Conflict`."""
    await tx.execute_many(_INSERT_PRODUCTION, [{**_row(order), "place": n} for n, order in enumerate(orders)])


async def production(tx: Transaction, customer_orders: Sequence[str] | None = None) -> tuple[ProductionOrder, ...]:
    """Return the production orders of some customer orders, of all by default, in the order they were made in."""
    rows = await tx.all(_PRODUCTION, {"customer_orders": _list(customer_orders)})
    return tuple(ProductionOrder(**{**row, "components": tuple(row["components"])}) for row in rows)


async def insert_jobs(tx: Transaction, jobs: Sequence[JobOrder]) -> None:
    """Keep the job orders of production orders that are kept, in an order in which predecessors come first."""
    await tx.execute_many(_INSERT_JOB, [{**_row(job), "place": n} for n, job in enumerate(jobs)])


async def jobs(
    tx: Transaction,
    ids: Sequence[str] | None = None,
    customer_orders: Sequence[str] | None = None,
    open_only: bool = False,
) -> tuple[JobProgress, ...]:
    """Return job orders with how far they are, predecessors first within a customer order.

    Parameters
    ----------
    ids, customer_orders
        Only these; None for all.
    open_only
        Leave out the completed ones.
    """
    wanted = {"ids": _list(ids), "customer_orders": _list(customer_orders), "open_only": open_only}
    return tuple(_progress(row) for row in await tx.all(_JOBS, wanted))


async def job(tx: Transaction, job_id: str) -> JobProgress:
    """Return one job order, or raise `NotFound`."""
    found = await jobs(tx, [job_id])
    if not found:
        raise NotFound(f"unknown job order {job_id!r}")
    return found[0]


async def apply(tx: Transaction, response: JobResponse) -> tuple[JobProgress, JobProgress]:
    """Move a job order on by a response, under its row's lock, and return it as it was and as it is.

    Raises
    ------
    NotFound
        When the job order is unknown.
    Conflict
        When `plant.progress.advance` refuses the response.
    """
    row = await tx.first(_LOCK_JOB, {"id": response.job_order})
    if row is None:
        raise NotFound(f"unknown job order {response.job_order!r}")
    before = _progress(row)
    after = advance(before, response)
    if after != before:
        await tx.execute(_UPDATE_JOB, {name: getattr(after, name) for name in _PROGRESS_FIELDS} | {"id": after.job.id})
        await tx.notify(Channel.JOBS, after.job.id)
    return before, after


async def mark_dispatched(tx: Transaction, plan_id: str, machines: Mapping[str, str]) -> frozenset[str]:
    """Note that a plan sent job orders (ids to machines) to the floor, and return the ids that are new with it.

    Running and completed ones stay as they are, and so does what this plan dispatched before.
    """
    ids = sorted(machines)
    wanted = {"plan": plan_id, "ids": ids, "machines": [machines[name] for name in ids]}
    return frozenset(row["id"] for row in await tx.all(_DISPATCHED, wanted))


_PROGRESS_FIELDS = ("state", "machine", "started_at", "completed_at", "good", "scrap")


def _progress(row: Mapping[str, Any]) -> JobProgress:
    values = {name: row[name] for name in _JOB_FIELDS} | {"predecessors": tuple(row["predecessors"])}
    rest = {name: row[name] for name in _PROGRESS_FIELDS} | {"state": JobState(row["state"])}
    return JobProgress(JobOrder(**values), **rest)


def _row(thing: CustomerOrder | ProductionOrder | JobOrder) -> dict[str, Any]:
    row = {field.name: getattr(thing, field.name) for field in fields(thing)}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in row.items()}


def _list(ids: Sequence[str] | None) -> list[str] | None:
    return None if ids is None else list(ids)
