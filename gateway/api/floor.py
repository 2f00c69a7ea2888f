"""The floor: machine states, OEE and KPIs, equipment health."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from gateway.api.bodies import Id, Moment
from gateway.services import Asking, WithServices
from operations import floor, health, indicators
from operations.floor import MachineNow, MachineOee
from operations.health import MachineHealth
from operations.indicators import KpiRow, Level
from plant.machine_state import StateInterval
from twin.tally import Thresholds

router = APIRouter(tags=["floor"])


@router.get("/machines")
async def list_machines(asking: Asking, has: WithServices) -> list[MachineNow]:
    """Return every machine as it stands."""
    return await floor.machines(has.store, asking)


@router.get("/machines/{machine_id}/states")
async def machine_states(
    machine_id: Id, since: Moment, until: Moment, asking: Asking, has: WithServices
) -> list[StateInterval]:
    """Return a machine's state intervals that touch [since, until)."""
    return await floor.states_of(has.store, asking, since, until, machine_id)


@router.get("/oee")
async def machine_oee(since: Moment, until: Moment, asking: Asking, has: WithServices) -> list[MachineOee]:
    """Return OEE by ISO 22400-2 per machine over [since, until)."""
    return await floor.oee(has.store, asking, since, until)


@router.get("/kpis")
async def key_figures(
    since: Moment,
    until: Moment,
    asking: Asking,
    has: WithServices,
    level: Annotated[Level, Query(description="what each row adds up")] = Level.MACHINE,
    machine: Annotated[str | None, Query(description="only this machine", max_length=100)] = None,
    micro_stop_s: Annotated[float, Query(description="a stop shorter than this is a micro-stop", ge=0, le=86400)] = 300,
    startup_s: Annotated[float, Query(description="scrap this soon after a setup is startup", ge=0, le=86400)] = 0,
) -> list[KpiRow]:
    """Return the KPIs of ISO 22400-2 over [since, until) per machine, work center, area or site."""
    thresholds = Thresholds(micro_stop_s, startup_s)
    return await indicators.kpis(has.store, asking, since, until, level, machine, thresholds)


@router.get("/health")
async def machine_health(asking: Asking, has: WithServices) -> list[MachineHealth]:
    """Return the health index per machine."""
    return await health.machines(has.store, asking, has.clock.now())


@router.get("/clock")
async def plant_clock(asking: Asking, has: WithServices) -> dict[str, str]:
    """Return the plant time."""
    return {"plant_time": has.clock.now().isoformat()}
