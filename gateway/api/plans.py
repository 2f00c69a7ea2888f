"""Plans: asked for, looked at, released or refused."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from fastapi import APIRouter

from gateway.api.bodies import Id, PlanRequestBody, ReleaseBody, WhyNotBody
from gateway.services import Asking, WithServices
from operations import jobs, planning, releases, why_not
from plant.long_job import LongJob
from plant.plan import PlanSummary
from plant.verdict import Judgement, Verdict

router = APIRouter(tags=["plans"])


@router.post("/plans", status_code=202)
async def request_plan(body: PlanRequestBody, asking: Asking, has: WithServices) -> LongJob:
    """Ask for a plan. It is made in the background; follow it with `GET /jobs/{id}`."""
    return (await jobs.request_plan(has.store, has.queue, asking, body.reason)).in_english()


@router.get("/plans")
async def list_plans(asking: Asking, has: WithServices) -> list[PlanSummary]:
    """List plan versions, the newest first."""
    return [replace(one, reason=str(one.reason)) for one in await planning.list_plans(has.store, asking)]


@router.get("/plans/{plan_id}")
async def get_plan(plan_id: Id, asking: Asking, has: WithServices) -> dict[str, Any]:
    """Return a plan version with its state."""
    version, state = await planning.get_plan(has.store, asking, plan_id)
    told = {"reason": str(version.reason), "judgement": version.judgement.in_english(), "state": state}
    return {**asdict(version), **told}


@router.get("/plans/{plan_id}/verdict")
async def get_verdict(plan_id: Id, asking: Asking, has: WithServices) -> dict[str, Verdict | Judgement]:
    """Return what the twin says of a plan, and what the gate makes of it."""
    version, _ = await planning.get_plan(has.store, asking, plan_id)
    return {"verdict": version.verdict, "judgement": version.judgement.in_english()}


@router.get("/plans/{plan_id}/diff")
async def compare_plans(plan_id: Id, asking: Asking, has: WithServices, against: Id | None = None) -> dict[str, Any]:
    """Return what a plan does otherwise than another one; without `against`, than the one that was in force."""
    found, words = await planning.diff(has.store, asking, has.rules, plan_id, against)
    return {**asdict(found), "sentences": [str(one) for one in words]}


@router.post("/plans/{plan_id}/release")
async def release_plan(plan_id: Id, body: ReleaseBody, asking: Asking, has: WithServices) -> dict[str, Any]:
    """Put a plan in force and dispatch it, or answer 409 with the gate's reasons."""
    version = await releases.release(has.store, has.clock, asking, has.rules, plan_id, body.override_reason)
    return {"id": version.id, "state": "released", "notes": list(version.judgement.in_english().notes)}


@router.post("/why-not")
async def ask_why_not(body: WhyNotBody, asking: Asking, has: WithServices) -> dict[str, list[str]]:
    """Return what stands in the way of having orders done in time; nothing where no conflict was found."""
    found = await why_not.ask(has.store, has.compute, has.clock, asking, has.rules, body.orders, body.by)
    return {"conflict": [str(one) for one in found]}


@router.get("/jobs/{job_id}")
async def get_job(job_id: Id, asking: Asking, has: WithServices) -> LongJob:
    """Return how far a long job is."""
    return (await jobs.get(has.store, asking, job_id)).in_english()


@router.post("/jobs/{job_id}/cancel")
async def cancel_job(job_id: Id, asking: Asking, has: WithServices) -> LongJob:
    """Ask a long job to stop."""
    return (await jobs.cancel(has.store, asking, job_id)).in_english()


@router.get("/jobs")
async def list_long_jobs(asking: Asking, has: WithServices) -> list[LongJob]:
    """Return the latest long jobs, the newest first."""
    return [job.in_english() for job in await jobs.newest(has.store, asking)]
