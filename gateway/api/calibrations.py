"""Calibrations: asked for, looked at, compared, adopted, rolled back."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from gateway.api.bodies import CalibrationRequestBody
from gateway.services import Asking, WithServices
from operations import calibration, jobs
from plant.calibration import CalibrationSummary, Difference, summary
from plant.long_job import LongJob

router = APIRouter(tags=["calibrations"])


@router.post("/calibrations", status_code=202)
async def request_calibration(body: CalibrationRequestBody, asking: Asking, has: WithServices) -> LongJob:
    """Ask for a calibration. It is made in the background; follow it with `GET /jobs/{id}`."""
    return await jobs.request_calibration(has.store, has.queue, asking, calibration.subject_of(body.days))


@router.get("/calibrations")
async def list_calibrations(asking: Asking, has: WithServices) -> list[CalibrationSummary]:
    """List calibrations, the newest first."""
    return await calibration.list_calibrations(has.store, asking)


@router.post("/calibrations/roll-back")
async def roll_back(asking: Asking, has: WithServices) -> dict[str, str | None]:
    """Go back to what the twin used before."""
    return {"in_use": await calibration.roll_back(has.store, asking)}


@router.get("/calibrations/{calibration_id}")
async def get_calibration(calibration_id: str, asking: Asking, has: WithServices) -> dict[str, Any]:
    """Return a calibration with its estimates."""
    found = await calibration.get(has.store, asking, calibration_id)
    return {
        "id": found.id,
        "plant_version": found.plant_version,
        "since": found.since,
        "until": found.until,
        "estimates": summary(found),
    }


@router.get("/calibrations/{calibration_id}/differences")
async def differences(
    calibration_id: str, asking: Asking, has: WithServices, other: str | None = None
) -> list[Difference]:
    """Return what differs from another calibration, or from the plan as it stands, the largest changes first."""
    return list(await calibration.compare(has.store, asking, other, calibration_id))


@router.post("/calibrations/{calibration_id}/adopt")
async def adopt(calibration_id: str, asking: Asking, has: WithServices) -> dict[str, str | None]:
    """Have the twin use this calibration from now on."""
    await calibration.adopt(has.store, asking, calibration_id)
    return {"in_use": calibration_id}
