"""Customer orders, production orders and job orders with how far they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from historian.database import Channel, Transaction
from historian.queries import query
from plant.errors import NotFound
from plant.order import CustomerOrder, JobOrder, JobProgress, JobState, Priority, ProductionOrder

_INSERT_CUSTOMER_ORDER = query("orders", "insert_customer_order")
_CUSTOMER_ORDERS = query("orders", "customer_orders")
_INSERT_PRODUCTION_ORDER = query("orders", "insert_production_order")
_PRODUCTION_ORDERS = query("orders", "production_orders")
_INSERT_JOB_ORDER = query("orders", "insert_job_order")
_JOBS = query("orders", "jobs")
_LOCK_JOB = query("orders", "lock_job")
_SAVE_PROGRESS = query("orders", "save_progress")
_MARK_DISPATCHED = query("orders", "mark_dispatched")

_JOB_FIELDS = [field.name for field in fields(JobOrder)]
_PROGRESS_FIELDS = ("machine", "started_at", "completed_at", "good", "scrap")


async def insert(
    tx: Transaction, order: CustomerOrder, production: Sequence[ProductionOrder], jobs: Sequence[JobOrder]
) -> None:
    """Keep a customer order with what it was exploded into, in an order in which predecessors come first.

    Raises
    ------
    Conflict
        When one of the ids exists.
    """
    await tx.execute(_INSERT_CUSTOMER_ORDER, _row(order))
    await tx.execute_many(_INSERT_PRODUCTION_ORDER, [{**_row(one), "place": n} for n, one in enumerate(production)])
    await tx.execute_many(_INSERT_JOB_ORDER, [{**_row(job), "place": n} for n, job in enumerate(jobs)])
    await tx.notify(Channel.ORDERS, order.id)


async def find_customer_order(tx: Transaction, order_id: str) -> CustomerOrder | None:
    """Return a customer order, None when it is unknown."""
    found = await _customer_orders(tx, order_id)
    return found[0] if found else None


async def customer_orders(tx: Transaction) -> list[CustomerOrder]:
    """Return all customer orders by due date."""
    return await _customer_orders(tx, None)


async def _customer_orders(tx: Transaction, order_id: str | None) -> list[CustomerOrder]:
    rows = await tx.all(_CUSTOMER_ORDERS, {"id": order_id})
    return [CustomerOrder(**{**row, "priority": Priority(row["priority"])}) for row in rows]


async def production_orders(tx: Transaction, customer_order: str | None = None) -> list[ProductionOrder]:
    """Return production orders, of one customer order or of all, in the order they were made in."""
    rows = await tx.all(_PRODUCTION_ORDERS, {"customer_order": customer_order})
    return [ProductionOrder(**{**row, "components": tuple(row["components"])}) for row in rows]


async def jobs(tx: Transaction, customer_order: str | None = None, open_only: bool = False) -> list[JobProgress]:
    """Return job orders with how far they are, predecessors first within a customer order.

    Parameters
    ----------
    customer_order
        Only this one's; None for all.
    open_only
        Leave out the completed ones.
    """
    return [_progress(row) for row in await tx.all(_JOBS, {"customer_order": customer_order, "open_only": open_only})]


async def lock_job(tx: Transaction, job_order: str) -> JobProgress:
    """Return a job order that nobody else changes before this transaction ends, or raise `NotFound`."""
    row = await tx.first(_LOCK_JOB, {"id": job_order})
    if row is None:
        raise NotFound(f"unknown job order {job_order!r}")
    return _progress(row)


async def save_progress(tx: Transaction, progress: JobProgress) -> None:
    """Keep how far a job order is; `lock_job` comes first."""
    row = {name: getattr(progress, name) for name in ("state", *_PROGRESS_FIELDS)}
    await tx.execute(_SAVE_PROGRESS, {**row, "id": progress.job.id})
    await tx.notify(Channel.ORDERS, progress.job.customer_order)


async def mark_dispatched(tx: Transaction, job_orders: Sequence[str], revision: int) -> list[str]:
    """Note that a release sends job orders to the floor and return which it had not sent before.

    Running and completed ones stay as they are.
    """
    rows = await tx.all(_MARK_DISPATCHED, {"ids": list(job_orders), "revision": revision})
    return [row["id"] for row in rows]


def _progress(row: Mapping[str, Any]) -> JobProgress:
    values = {name: row[name] for name in _JOB_FIELDS} | {"predecessors": tuple(row["predecessors"])}
    return JobProgress(JobOrder(**values), JobState(row["state"]), **{name: row[name] for name in _PROGRESS_FIELDS})


def _row(thing: CustomerOrder | ProductionOrder | JobOrder) -> dict[str, Any]:
    row = {field.name: getattr(thing, field.name) for field in fields(thing)}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in row.items()}
