"""Job responses: what the MES says was done, taken in once, checked, and never overwritten."""

from __future__ import annotations

from historian import ledger, orders, quarantine, responses
from historian.database import Transaction
from operations.store import Store
from plant.actor import Actor, Permission
from plant.errors import Conflict, InvalidInput, NotFound
from plant.order import JobProgress, JobResponse
from plant.reading import Rejected


async def record(store: Store, actor: Actor, response: JobResponse) -> JobProgress:
    """Take in one job response and return the job order's progress; a repeated one changes nothing.

    What cannot be right is kept in quarantine with its reason, and refused.

    Raises
    ------
    NotFound
        If the job order is unknown.
    Conflict
        If `plant.progress.advance` refuses it, or its id was used for another response.
    """
    actor.require(Permission.REPORT_JOBS)
    try:
        async with store.transaction(actor, "record job response") as tx:
            return await _record(tx, response)
    except (NotFound, InvalidInput, Conflict) as error:
        await refuse(store, actor, repr(response), str(error))
        raise


async def refuse(store: Store, actor: Actor, payload: str, reason: str) -> None:
    """Keep a job response that cannot be taken in, with the reason."""
    async with store.transaction(actor, "quarantine job response") as tx:
        await quarantine.add(tx, [Rejected(f"job-responses/{actor.name}", payload, reason)])


async def _record(tx: Transaction, response: JobResponse) -> JobProgress:
    # The job order's row is locked first: the response refers to it, and must not get in for an unknown one.
    before, after = await orders.apply(tx, response)
    if await responses.insert(tx, response) and after.state != before.state:
        kind, subject = str(response.kind), f"job-order/{response.job_order}"
        await ledger.append(tx, subject, kind, before.state.value, after.state.value)
    return after
