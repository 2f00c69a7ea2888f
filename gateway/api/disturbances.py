"""What people know before any machine does: absences, late deliveries and planned stops."""

from __future__ import annotations

from fastapi import APIRouter

from gateway.api.bodies import AbsenceBody, Id, LateMaterialBody, PlannedStopBody
from gateway.services import Asking, WithServices
from operations import disturbances
from plant.plant import PlannedStop

router = APIRouter(tags=["disturbances"])


@router.post("/absences", status_code=201)
async def report_absence(body: AbsenceBody, asking: Asking, has: WithServices) -> AbsenceBody:
    """Report that a person is not there; the last report of a person counts, one that ends now says they are back."""
    await disturbances.report_absence(has.store, has.clock, asking, body.person, body.start, body.end)
    return body


@router.post("/late-materials", status_code=201)
async def report_late_material(body: LateMaterialBody, asking: Asking, has: WithServices) -> LateMaterialBody:
    """Report when a purchased item is expected; the last report of an item counts, one of now says it has come."""
    await disturbances.report_late_material(has.store, has.clock, asking, body.item, body.until)
    return body


@router.post("/planned-stops", status_code=201)
async def plan_stop(body: PlannedStopBody, asking: Asking, has: WithServices) -> PlannedStopBody:
    """Plan to stop a machine; the last stop planned for a machine counts."""
    await disturbances.plan_stop(has.store, has.clock, asking, body.machine, body.start, body.end)
    return body


@router.get("/planned-stops")
async def planned_stops(asking: Asking, has: WithServices) -> dict[str, PlannedStop]:
    """List the planned stops that are not over, by machine."""
    return await disturbances.planned_stops(has.store, has.clock, asking)


@router.delete("/planned-stops", status_code=204)
async def call_off_stop(machine: Id, asking: Asking, has: WithServices) -> None:
    """Call the planned stop of a machine off."""
    await disturbances.call_off_stop(has.store, has.clock, asking, machine)
