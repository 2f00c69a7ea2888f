"""Forecasts are kept once, released ones come back in their order, and measurements are read newest first."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from historian import fidelity, plans
from historian.database import Historian
from plant.actor import SYSTEM
from plant.errors import Conflict
from tests.historian.test_plans import FIRST, SECOND, START, keep

DOCUMENT = {"orders": {"CO-1": [0.1 + 0.2, 1e-9]}, "job_orders": {}}


async def test_forecasts_of_released_plans_come_back_in_the_order_of_release(store: Historian) -> None:
    await keep(store, FIRST, SECOND, replace(SECOND, id="plan-3"))
    async with store.transaction(SYSTEM, "test") as tx:
        await fidelity.keep_forecast(tx, "plan-1", DOCUMENT)
        await plans.release(tx, None, "plan-1")
        await plans.release(tx, "plan-1", "plan-2")
        found = await fidelity.released(tx, START)
        later = await fidelity.released(tx, START + timedelta(minutes=1))
    assert [(one.plan, one.made_at, one.expected_oee, one.forecast) for one in found] == [
        ("plan-1", FIRST.made_at, {"L1": 0.4}, DOCUMENT),
        ("plan-2", SECOND.made_at, {"L1": 0.4}, None),
    ]
    assert [one.plan for one in later] == ["plan-2"]


async def test_a_forecast_is_kept_once_and_of_a_plan_that_is_there(store: Historian) -> None:
    await keep(store, FIRST)
    async with store.transaction(SYSTEM, "test") as tx:
        await fidelity.keep_forecast(tx, "plan-1", DOCUMENT)
    for plan in ("plan-1", "plan-9"):
        with pytest.raises(Conflict):
            async with store.transaction(SYSTEM, "test") as tx:
                await fidelity.keep_forecast(tx, plan, DOCUMENT)


async def test_the_newest_measurement_is_read(store: Historian) -> None:
    async with store.transaction(SYSTEM, "test") as tx:
        assert await fidelity.newest(tx) is None
        await fidelity.insert(tx, START, {"n": 1})
        await fidelity.insert(tx, START, {"n": 2})
        assert await fidelity.newest(tx) == {"n": 2}
        assert await fidelity.executed(tx) == []
