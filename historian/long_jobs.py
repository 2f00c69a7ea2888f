"""Long work (solving, rehearsing, experiments): how far it is, what came of it, and whether it shall stop."""

from __future__ import annotations

from typing import Any

from historian.database import Channel, Transaction
from historian.documents import jsonb
from historian.queries import query
from plant.errors import Conflict, NotFound
from plant.long_job import LongJob, LongJobState
from plant.message import new_message_id

_CREATE = query("long_jobs", "create")
_PROGRESS = query("long_jobs", "progress")
_FINISH = query("long_jobs", "finish")
_REQUEST_CANCEL = query("long_jobs", "request_cancel")
_GET = query("long_jobs", "get")
_NEWEST = query("long_jobs", "newest")


async def create(tx: Transaction, kind: str, subject: str) -> str:
    """Queue a piece of work on behalf of the actor and return its id."""
    job_id = new_message_id()
    await tx.execute(_CREATE, {"id": job_id, "kind": kind, "subject": subject, "actor": tx.actor.name, "at": tx.at})
    await tx.notify(Channel.JOBS, job_id)
    return job_id


async def progress(tx: Transaction, job_id: str, share: float, doing: str) -> bool:
    """Note how far it is and return whether someone asked it to stop.

    Raises
    ------
    Conflict
        When it is finished, or unknown.
    """
    row = await tx.first(_PROGRESS, {"id": job_id, "share": share, "doing": doing, "at": tx.at})
    if row is None:
        raise Conflict(f"long job {job_id} is not open any more")
    await tx.notify(Channel.JOBS, job_id)
    return bool(row["cancel_requested"])


async def finish(tx: Transaction, job_id: str, state: LongJobState, result: Any = None, error: str = "") -> None:
    """Note what came of it; only once, or `Conflict`."""
    row = {
        "id": job_id,
        "state": state,
        "result": None if result is None else jsonb(result),
        "error": error,
        "at": tx.at,
    }
    if state in (LongJobState.QUEUED, LongJobState.RUNNING) or await tx.execute(_FINISH, row) != 1:
        raise Conflict(f"long job {job_id} cannot be finished as {state}: it is finished or unknown")
    await tx.notify(Channel.JOBS, job_id)


async def request_cancel(tx: Transaction, job_id: str) -> None:
    """Ask it to stop; `Conflict` when it is finished or unknown."""
    if await tx.execute(_REQUEST_CANCEL, {"id": job_id, "at": tx.at}) != 1:
        raise Conflict(f"long job {job_id} is not open any more")
    await tx.notify(Channel.JOBS, job_id)


async def get(tx: Transaction, job_id: str) -> LongJob:
    """Return one piece of long work, or raise `NotFound`."""
    row = await tx.first(_GET, {"id": job_id})
    if row is None:
        raise NotFound(f"unknown long job {job_id!r}")
    return _job(row)


async def newest(tx: Transaction, limit: int = 50, open_only: bool = False) -> tuple[LongJob, ...]:
    """Return the newest pieces of long work, newest first."""
    return tuple(_job(row) for row in await tx.all(_NEWEST, {"limit": limit, "open_only": open_only}))


def _job(row: dict[str, Any]) -> LongJob:
    return LongJob(**{**row, "state": LongJobState(row["state"])})
