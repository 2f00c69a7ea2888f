"""Job responses: what the MES says was done, taken in once, checked, and never overwritten."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from historian import ledger, orders, plants, quarantine, responses
from historian.database import Historian, Transaction
from historian.errors import Interfered
from plant.actor import Actor, Permission
from plant.errors import Conflict, InvalidInput, MessageInvalid, NotFound, Unavailable
from plant.order import JobProgress, JobResponse, JobState, ResponseKind
from plant.plant import Plant
from plant.reading import Rejected

MAX_AHEAD = timedelta(days=14)
"""How far a response may lie ahead of the plant clock: as far as readings may (`operations.ingest`)."""

_FINAL = {JobState.COMPLETED, JobState.ABORTED}


async def record(historian: Historian, actor: Actor, response: JobResponse, plant_now: datetime) -> JobProgress:
    """Take in one job response and return the job order's progress; a repeated one changes nothing.

    What cannot be right is kept in quarantine with its reason and refused.

    Raises
    ------
    NotFound
        If the job order is unknown.
    MessageInvalid
        If the machine is unknown, the time implausible, more pieces are reported than were ordered, or a count
        goes back.
    Conflict
        If the job order is complete already, or the id was used for another response.
    Unavailable
        If the database does not answer, or is too busy with this job order; the sender must try again.
    """
    actor.require(Permission.REPORT_JOBS)

    async def work(tx: Transaction) -> JobProgress:
        return await _record(tx, response, plant_now)

    try:
        return await historian.run(actor, "record job response", work)
    except Interfered as error:
        # Nothing is wrong with the response: refused for good, the MES would drop it.
        raise Unavailable(str(error)) from error
    except (NotFound, InvalidInput, Conflict) as error:
        async with historian.transaction(actor, "quarantine job response") as tx:
            await quarantine.add(tx, Rejected(f"job-responses/{actor.name}", repr(response), str(error)))
        raise


async def _record(tx: Transaction, response: JobResponse, plant_now: datetime) -> JobProgress:
    before = await orders.lock_job(tx, response.job_order)
    _check_origin((await plants.current(tx)).plant, response, plant_now)
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


def _check_origin(plant: Plant, response: JobResponse, plant_now: datetime) -> None:
    """Refuse what later planning could not live with: a machine nobody has, a job begun in another century."""
    try:
        plant.machine(response.machine)
    except NotFound as error:
        raise MessageInvalid(f"job order {response.job_order}: {error}") from error
    if not plant.starts_at - timedelta(days=1) <= response.at <= plant_now + MAX_AHEAD:
        raise MessageInvalid(
            f"job order {response.job_order}: implausible time {response.at.isoformat()}; the plant clock says "
            f"{plant_now.isoformat()}"
        )


def progressed(before: JobProgress, response: JobResponse) -> JobProgress:
    """Return the progress after `response`; a late one that tells nothing new leaves it as it is.

    Counts are cumulative over one attempt: a job order that was given up and dispatched again begins anew.

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
    if before.state is not JobState.RUNNING:
        before = replace(before, good=0, scrap=0, started_at=None, completed_at=None)
    if response.kind is ResponseKind.ABORTED:
        return replace(before, state=JobState.ABORTED, good=response.good, scrap=response.scrap)
    started_at = min(before.started_at or response.at, response.at)
    if response.good < before.good or response.scrap < before.scrap:
        if response.kind is ResponseKind.COMPLETED:
            raise MessageInvalid(
                f"job order {job.id}: completed with {response.good} good and {response.scrap} scrap, after "
                f"{before.good} and {before.scrap} were reported"
            )
        return replace(before, started_at=started_at)
    completed = response.kind is ResponseKind.COMPLETED
    return replace(
        before,
        state=JobState.COMPLETED if completed else JobState.RUNNING,
        machine=response.machine,
        started_at=started_at,
        completed_at=response.at if completed else None,
        good=response.good,
        scrap=response.scrap,
    )
