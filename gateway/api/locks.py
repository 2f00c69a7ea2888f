"""Locks: job orders fixed to a machine and a start."""

from __future__ import annotations

from fastapi import APIRouter

from gateway.api.bodies import Id, LockBody
from gateway.services import Asking, WithServices
from operations import locks
from plant.lock import JobLock

router = APIRouter(tags=["locks"])


@router.get("/locks")
async def list_locks(asking: Asking, has: WithServices) -> list[JobLock]:
    """List the locks of job orders that have not begun, the earliest first."""
    return await locks.list_locks(has.store, asking)


@router.post("/locks", status_code=201)
async def lock(body: LockBody, asking: Asking, has: WithServices) -> JobLock:
    """Fix where a job order is made and when its machine begins with it. No plan is made; the next one keeps to it."""
    return await locks.lock(has.store, has.clock, asking, has.rules, body.job_order, body.machine, body.start_at)


@router.delete("/locks", status_code=204)
async def unlock(job_order: Id, asking: Asking, has: WithServices) -> None:
    """Take a lock off."""
    await locks.unlock(has.store, asking, job_order)
