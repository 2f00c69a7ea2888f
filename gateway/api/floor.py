"""The floor: machine states, OEE, equipment health."""

from __future__ import annotations

from fastapi import APIRouter

from gateway.api.bodies import Moment
from gateway.services import Asking, WithServices
from operations import floor, health
from operations.floor import MachineNow, MachineOee
from operations.health import MachineHealth
from plant.machine_state import StateInterval

router = APIRouter(tags=["floor"])


@router.get("/machines")
async def list_machines(asking: Asking, has: WithServices) -> list[MachineNow]:
    """Return every machine as it stands."""
    return await floor.machines(has.store, asking)


@router.get("/machines/{machine_id}/states")
async def machine_states(
    machine_id: str, since: Moment, until: Moment, asking: Asking, has: WithServices
) -> list[StateInterval]:
    """Return a machine's state intervals that touch [since, until)."""
    return await floor.states_of(has.store, asking, since, until, machine_id)


@router.get("/oee")
async def machine_oee(since: Moment, until: Moment, asking: Asking, has: WithServices) -> list[MachineOee]:
    """Return OEE by ISO 22400-2 per machine over [since, until)."""
    return await floor.oee(has.store, asking, since, until)


@router.get("/health")
async def machine_health(asking: Asking, has: WithServices) -> list[MachineHealth]:
    """Return the health index per machine."""
    return await health.machines(has.store, asking, has.clock.now())


@router.get("/clock")
async def plant_clock(asking: Asking, has: WithServices) -> dict[str, str]:
    """Return the plant time."""
    return {"plant_time": has.clock.now().isoformat()}
