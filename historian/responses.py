"""Job responses as they came in: each message once."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from historian.database import Transaction
from historian.queries import query
from plant.errors import Conflict
from plant.order import JobResponse, ResponseKind
from plant.trouble import Abort

_INSERT = query("responses", "insert")
_GET = query("responses", "get")
_OF_JOB = query("responses", "of_job")
_ABORTS = query("responses", "aborts")


async def insert(tx: Transaction, response: JobResponse) -> bool:
    """Keep a response to a known job order; False when the same message was kept before.

    Raises
    ------
    Conflict
        When the id was used for another message, or the job order is unknown.
    InvalidInput
        When the id is not a UUID.
    """
    if await tx.execute(_INSERT, {**asdict(response), "received_at": tx.at}) == 1:
        return True
    row = await tx.first(_GET, {"id": response.id})
    if row is None or _response({**row, "id": response.id}) != response:
        raise Conflict(f"message {response.id} was received before with another content: {row}")
    return False


async def of_job(tx: Transaction, job_order: str) -> tuple[JobResponse, ...]:
    """Return the responses to a job order in the order of their plant times."""
    return tuple(_response(row) for row in await tx.all(_OF_JOB, {"job_order": job_order}))


async def aborts(tx: Transaction) -> dict[str, Abort]:
    """Return the job orders that were given up and not dispatched again since."""
    return {row["job_order"]: Abort(row["times"], row["at"]) for row in await tx.all(_ABORTS)}


def _response(row: dict[str, Any]) -> JobResponse:
    return JobResponse(**{**row, "kind": ResponseKind(row["kind"])})
