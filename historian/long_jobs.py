"""Long work (solving, rehearsing, experiments): how far it is, what came of it, and whether it shall stop."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from historian.database import Channel, Transaction
from historian.documents import text_document, text_of
from historian.queries import query
from plant.errors import Conflict, InvalidInput, NotFound
from plant.long_job import LongJob, LongJobKind, LongJobState
from plant.text import Text, told

_INSERT = query("long_jobs", "insert")
_REPORT = query("long_jobs", "report")
_FINISH = query("long_jobs", "finish")
_REQUEST_CANCEL = query("long_jobs", "request_cancel")
_GET = query("long_jobs", "get")
_NEWEST = query("long_jobs", "newest")
_OPEN = query("long_jobs", "open")


async def insert(tx: Transaction, job: LongJob) -> None:
    """Keep a long job that was asked for."""
    await tx.execute(
        _INSERT, {**asdict(job), "at": tx.at, "subject": text_document(job.subject), "doing": text_document(job.doing)}
    )
    await tx.notify(Channel.JOBS, job.id)


async def report(tx: Transaction, job_id: str, share: float, doing: Text) -> bool:
    """Note that it runs and how far it is; return whether someone asked it to stop.

    Raises
    ------
    Conflict
        When it has ended, or is unknown.
    """
    row = await tx.first(_REPORT, {"id": job_id, "share": share, "doing": text_document(doing), "at": tx.at})
    if row is None:
        raise Conflict(told("long job {job} has ended or is unknown", job=job_id))
    await tx.notify(Channel.JOBS, job_id)
    return bool(row["cancel_requested"])


async def finish(
    tx: Transaction, job_id: str, state: LongJobState, result: str | None = None, error: Text = ""
) -> None:
    """Note how it ended; only once, or `Conflict`."""
    if not state.ended:
        raise InvalidInput(told("long job {job}: {state:word} is not an end", job=job_id, state=state.value))
    row = {"id": job_id, "state": state, "result": result, "error": text_document(error), "at": tx.at}
    if await tx.execute(_FINISH, row) != 1:
        raise Conflict(
            told("long job {job} cannot become {state:word}: it has ended or is unknown", job=job_id, state=state.value)
        )
    await tx.notify(Channel.JOBS, job_id)


async def request_cancel(tx: Transaction, job_id: str) -> None:
    """Ask it to stop; harmless when it has ended."""
    if await tx.execute(_REQUEST_CANCEL, {"id": job_id, "at": tx.at}):
        await tx.notify(Channel.JOBS, job_id)


async def get(tx: Transaction, job_id: str) -> LongJob:
    """Return a long job, or raise `NotFound`."""
    row = await tx.first(_GET, {"id": job_id})
    if row is None:
        raise NotFound(told("unknown long job '{job}'", job=job_id))
    return _job(row)


async def newest(tx: Transaction, limit: int = 20) -> list[LongJob]:
    """Return the newest long jobs, newest first."""
    return [_job(row) for row in await tx.all(_NEWEST, {"limit": limit})]


async def open_jobs(tx: Transaction) -> list[LongJob]:
    """Return the long jobs that have not ended, oldest first."""
    return [_job(row) for row in await tx.all(_OPEN)]


def _job(row: dict[str, Any]) -> LongJob:
    texts = {name: text_of(row[name]) for name in ("subject", "doing", "error")}
    return LongJob(**{**row, **texts, "kind": LongJobKind(row["kind"]), "state": LongJobState(row["state"])})
