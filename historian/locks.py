"""Job orders that somebody fixed to a machine and a start; one that has begun is not locked any more."""

from __future__ import annotations

from dataclasses import asdict

from historian.database import Channel, Transaction
from historian.queries import query
from plant.lock import JobLock

_PUT = query("locks", "put")
_REMOVE = query("locks", "remove")
_CURRENT = query("locks", "current")


async def put(tx: Transaction, lock: JobLock) -> None:
    """Keep a lock, in place of another one of the same job order."""
    await tx.execute(_PUT, {**asdict(lock), "locked_at": tx.at})
    await tx.notify(Channel.PLANS, lock.job_order)


async def remove(tx: Transaction, job_order: str) -> JobLock | None:
    """Take a lock off and return it, None where there was none."""
    row = await tx.first(_REMOVE, {"job_order": job_order})
    if row is None:
        return None
    await tx.notify(Channel.PLANS, job_order)
    return JobLock(**row)


async def current(tx: Transaction) -> list[JobLock]:
    """Return the locks of job orders that have not begun, the earliest first."""
    return [JobLock(**row) for row in await tx.all(_CURRENT)]
