"""How right the twin was."""

from __future__ import annotations

from fastapi import APIRouter

from gateway.services import Asking, WithServices
from operations import fidelity
from twin.fidelity_report import FidelityReport

router = APIRouter(tags=["fidelity"])


@router.get("/fidelity")
async def newest_fidelity(asking: Asking, has: WithServices) -> FidelityReport | None:
    """Return the last measurement of the twin's error, null before the first."""
    return await fidelity.newest(has.store, asking)


@router.post("/fidelity")
async def measure_fidelity(asking: Asking, has: WithServices) -> FidelityReport:
    """Measure the twin's error up to now, and keep it."""
    return await fidelity.measure(has.store, asking, has.clock)
