"""Job responses: what the MES says was done, taken in once, checked, and never overwritten."""

from __future__ import annotations

from dataclasses import replace

from historian import ledger, orders, quarantine, responses
from historian.database import Historian, Transaction
from plant.actor import Actor, Permission
from plant.errors import Conflict, InvalidInput, MessageInvalid, NotFound
from plant.order import JobProgress, JobResponse, JobState, ResponseKind
from plant.reading import Rejected

_FINAL = {JobState.COMPLETED, JobState.ABORTED}


async def record(historian: Historian, actor: Actor, response: JobResponse) -> JobProgress:
    """Take in one job response and return the job order's progress; a repeated one changes nothing.

    What cannot be right is kept in quarantine with its reason and refused.

    Raises
    ------
    NotFound
        If the job order is unknown.
    MessageInvalid
        If more pieces are reported than were ordered, or a count goes back.
    Conflict
        If the job order is complete already, or the id was used for another response.
    """
    actor.require(Permission.REPORT_JOBS)
    try:
        async with historian.transaction(actor, "record job response") as tx:
            return await _record(tx, response)
    except (NotFound, InvalidInput, Conflict) as error:
        async with historian.transaction(actor, "quarantine job response") as tx:
            await quarantine.add(tx, Rejected(f"job-responses/{actor.name}", repr(response), str(error)))
        raise


async def _record(tx: Transaction, response: JobResponse) -> JobProgress:
    before = await orders.lock_job(tx, response.job_order)
    if not await responses.insert(tx, response):
        return before
    after = progressed(before, response)
    if after != before:
        await orders.save_progress(tx, after)
        if after.state != before.state:
            await ledger.append(
                tx, f"job-order/{response.job_order}", str(response.kind), before.state.value, after.state.value
            )
    return after


def progressed(before: JobProgress, response: JobResponse) -> JobProgress:
    """Return the progress after `response`; a late one that tells nothing new leaves it as it is.

    Raises
    ------
    MessageInvalid, Conflict
        See `record`.
    """
    job = before.job
    done = response.good + response.scrap
    if done > job.quantity:
        raise MessageInvalid(f"job order {job.id}: {done} pieces reported of {job.quantity} ordered")
    if before.state in _FINAL:
        if response.kind in {ResponseKind.STARTED, ResponseKind.PROGRESS}:
            return before
        raise Conflict(f"job order {job.id} is {before.state} already; it cannot be {response.kind} again")
    if response.kind is ResponseKind.ABORTED:
        return replace(before, state=JobState.ABORTED, good=response.good, scrap=response.scrap)
    if response.good < before.good or response.scrap < before.scrap:
        if response.kind is ResponseKind.COMPLETED:
            raise MessageInvalid(
                f"job order {job.id}: completed with {response.good} good and {response.scrap} scrap, after "
                f"{before.good} and {before.scrap} were reported"
            )
        return before
    completed = response.kind is ResponseKind.COMPLETED
    return replace(
        before,
        state=JobState.COMPLETED if completed else JobState.RUNNING,
        machine=response.machine,
        started_at=before.started_at or response.at,
        completed_at=response.at if completed else None,
        good=response.good,
        scrap=response.scrap,
    )
