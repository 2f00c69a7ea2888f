"""The floor as it stands, taken from the database."""

from __future__ import annotations

from datetime import timedelta

from historian import latest, plans, states
from historian.database import Historian
from operations import situation
from plant.actor import SYSTEM
from plant.machine_state import MachineState, StateInterval
from plant.reading import Reading
from tests.operations.shop import (
    MONDAY,
    PLANNER,
    VERSION,
    Clock,
    at,
    order,
    plan_version,
    report,
    response,
    with_orders,
)
from twin.snapshot_file import read_snapshot, snapshot_text


async def test_a_snapshot_of_the_live_floor_is_saved_and_read_back(historian: Historian) -> None:
    await with_orders(historian, order("CO-1"), order("CO-2"))
    planned = plan_version("plan-1", ("CO-1/1-10", "L1", 0), ("CO-2/1-10", "L2", 0))
    spans = [(0, 600, MachineState.BREAKDOWN, None), (600, 900, MachineState.SETUP, "CO-1/1-10")]
    intervals = [StateInterval("L1", at(a), at(b), state, "", job) for a, b, state, job in spans]
    last = StateInterval("L1", at(900), None, MachineState.EXECUTING, "", "CO-1/1-10")
    async with historian.transaction(SYSTEM, "test") as tx:
        await plans.insert(tx, planned)
        await plans.release(tx, None, planned.id)
        await states.replace_from(tx, "L1", [*intervals, last])
        for name in ("L1", "L2"):
            await latest.update(tx, [Reading(f"site/hall/cell/{name}/packml_state", at(900), 6.0)], {"L1": last})
    await report(historian, response("CO-1/1-10", "started", 900))

    version, taken = await situation.take(historian, PLANNER, Clock(MONDAY + timedelta(seconds=4000)))
    assert (version.id, version.plant) == (VERSION.id, VERSION.plant)
    lathe = taken.machines["L1"]
    assert (lathe.running, lathe.setup_family, lathe.operated_s) == (("CO-1/1-10",), "turning", 3100.0)
    assert taken.machines["L2"].queue == ("CO-2/1-10",)
    assert taken.worked_s == {"CO-1/1-10": 3100.0}
    assert (taken.people, [one.id for one in taken.orders]) == (("P1",), ["CO-1", "CO-2"])
    assert read_snapshot(snapshot_text(taken), VERSION) == taken
