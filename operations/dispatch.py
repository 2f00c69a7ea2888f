"""Dispatch: the released plan's next job orders go to the MES, through the outbox of the same transaction."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from historian import ledger, orders, outbox, plans, plants
from historian.database import Historian, Transaction
from plant.actor import Actor, Permission
from plant.message import MessageKind, OutboxMessage, new_message_id
from plant.order import JobProgress, JobState
from plant.plan import PlannedOperation, PlanVersion
from plant.plant import Plant

_OPEN = {JobState.WAITING, JobState.DISPATCHED, JobState.ABORTED}


async def dispatch_due(historian: Historian, actor: Actor, plant_now: datetime, horizon_s: float) -> int:
    """Dispatch what the released plan starts within the horizon and was not dispatched by it yet.

    Returns
    -------
    int
        Number of job orders sent on their way.
    """
    actor.require(Permission.RELEASE_PLANS)
    async with historian.transaction(actor, "dispatch") as tx:
        released = await plans.released(tx)
        if released is None:
            return 0
        return await dispatch(tx, released, plant_now, horizon_s)


async def dispatch(tx: Transaction, version: PlanVersion, plant_now: datetime, horizon_s: float) -> int:
    """Write job orders and outbox rows for the operations of `version` that start within the horizon."""
    plant = (await plants.current(tx)).plant
    revision = await plans.revision(tx, version.id)
    jobs = {progress.job.id: progress for progress in await orders.jobs(tx)}
    until = plant_now + timedelta(seconds=horizon_s)
    due = [
        operation
        for operation in version.plan.operations
        if _is_due(jobs.get(operation.job_order), version.plan.epoch + timedelta(seconds=operation.start_s), until)
    ]
    fresh = set(await orders.mark_dispatched(tx, [operation.job_order for operation in due], revision))
    for operation in sorted(due, key=lambda item: (item.start_s, item.job_order)):
        if operation.job_order in fresh:
            payload = job_order_message(plant, version, revision, operation, jobs[operation.job_order])
            message = OutboxMessage(new_message_id(), MessageKind.DISPATCH, f"job-order/{operation.job_order}", payload)
            await outbox.add(tx, message)
    if fresh:
        await ledger.append(tx, f"plan/{version.id}", "dispatched", None, sorted(fresh))
    return len(fresh)


def _is_due(progress: JobProgress | None, planned_start: datetime, until: datetime) -> bool:
    if progress is None or progress.state not in _OPEN:
        return False
    # What an earlier plan dispatched is told its new place however late that is, or the old one would stand.
    return progress.state is JobState.DISPATCHED or planned_start <= until


def job_order_message(
    plant: Plant, version: PlanVersion, revision: int, operation: PlannedOperation, progress: JobProgress
) -> dict[str, Any]:
    """Return what the MES is told of one job order; the names follow OPC 10031-4 where it has one."""
    job, epoch = progress.job, version.plan.epoch
    return {
        "id": job.id,
        "revision": revision,
        "machine": operation.machine,
        "item": job.item,
        "operation": job.operation,
        "quantity": job.quantity,
        "setup_family": plant.operation(job.item, job.operation).setup_family,
        "planned_start": (epoch + timedelta(seconds=operation.start_s)).isoformat(),
        "planned_end": (epoch + timedelta(seconds=operation.end_s)).isoformat(),
        "sequence": operation.position,
        "batch": operation.batch,
        "predecessors": list(job.predecessors),
        "release_at": job.release_at.isoformat(),
        "production_order": job.production_order,
        "customer_order": job.customer_order,
    }
