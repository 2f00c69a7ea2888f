"""How a plan loads the plant, as people were when it was made."""

from __future__ import annotations

from datetime import timedelta

import pytest

from historian import plans
from historian.database import Historian
from operations import disturbances, plan_load
from plant.actor import SYSTEM, Actor, Role
from plant.errors import Denied, NotFound
from tests.operations.shop import PLANNER, Clock, at, order, plan_version, with_orders


async def test_machines_are_loaded_with_what_is_planned_on_them(historian: Historian) -> None:
    await with_orders(historian, order("CO-1"))
    await disturbances.report_absence(historian, Clock(), PLANNER, "P1", at(0), at(0) + timedelta(days=1))
    async with historian.transaction(SYSTEM, "test") as tx:
        await plans.insert(tx, plan_version("plan-1", ("CO-1/1-10", "L1", 3600.0), ("CO-1/1-20", "MILL", 7200.0)))
    found = await plan_load.load(historian, PLANNER, "plan-1")
    assert {one.resource: one.work_s for one in found.machines} == {
        "L1": (600.0,), "L2": (0.0,), "MILL": (600.0,), "OVEN": (0.0,),
    }  # fmt: skip
    assert found.skills == ()  # nothing needs anybody


async def test_only_who_may_see_plans_sees_their_load_and_only_of_plans_there_are(historian: Historian) -> None:
    await with_orders(historian)
    with pytest.raises(Denied):
        await plan_load.load(historian, Actor("sue", frozenset({Role.SUPPLIER})), "plan-1")
    with pytest.raises(NotFound):
        await plan_load.load(historian, PLANNER, "plan-1")
