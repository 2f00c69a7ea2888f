"""How to look for plans: learned on demand, looked at, given up."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from gateway.services import Asking, WithServices
from operations import jobs, learning
from plant.long_job import LongJob

router = APIRouter(tags=["learned"])


@router.post("/learned", status_code=202)
async def request_learning(asking: Asking, has: WithServices) -> LongJob:
    """Ask to learn how plans are found best. It is done in the background; follow it with `GET /jobs/{id}`."""
    return (await jobs.request_learning(has.store, has.queue, asking)).in_english()


@router.get("/learned")
async def list_learned(asking: Asking, has: WithServices) -> list[dict[str, Any]]:
    """List what was learned, the newest first, with what is in use."""
    found = await learning.list_learned(has.store, asking)
    return [{"id": one.learned.id, "better": one.learned.is_better, **asdict(one)} for one in found]


@router.post("/learned/roll-back")
async def roll_back(asking: Asking, has: WithServices) -> dict[str, str | None]:
    """Look for plans as if nothing had been learned."""
    await learning.go_back(has.store, asking)
    return {"in_use": None}
