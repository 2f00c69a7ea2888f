"""Calibrations are kept once, read back equal, listed with the one in use."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from historian import calibrations, plants
from historian.database import Historian
from plant.actor import SYSTEM
from plant.calibration import Calibration, Estimate, Fit, Parameter
from plant.errors import Conflict, NotFound
from tests.historian.test_plans import SHOP, START

FIT = Fit("anderson-darling", 0.1 + 0.2, 1e-7, 12)
FIRST = Calibration(
    SHOP.id,
    START,
    START + timedelta(days=30),
    (
        Estimate(Parameter.DURATION, "L1", "shaft/10", 1.1, 1.0, 1.2, 12, 1, 1.0, FIT, (1.05, 1.15)),
        Estimate(Parameter.SCRAP, None, "shaft/10", 1e-5, 0.0, 0.02, 500, 0, 0.0),
    ),
)
SECOND = replace(FIRST, until=START + timedelta(days=31))


async def keep(store: Historian, *made: Calibration) -> list[bool]:
    async with store.transaction(SYSTEM, "test") as tx:
        await plants.save(tx, SHOP)
        await plants.set_current(tx, SHOP.plant.site, SHOP.id)
        return [await calibrations.insert(tx, one) for one in made]


async def test_a_calibration_is_read_back_equal_and_kept_once(store: Historian) -> None:
    assert await keep(store, FIRST, SECOND, FIRST) == [True, True, False]
    async with store.transaction(SYSTEM, "test") as tx:
        found = await calibrations.get(tx, FIRST.id)
        assert found == FIRST
        assert found.id == FIRST.id
        assert {one.id for one in await calibrations.newest(tx)} == {FIRST.id, SECOND.id}
        assert len(await calibrations.newest(tx, limit=1)) == 1
        assert await calibrations.newest_until(tx) == SECOND.until
        with pytest.raises(NotFound, match="unknown calibration"):
            await calibrations.get(tx, "cal-none")


async def test_before_the_first_there_is_none(store: Historian) -> None:
    async with store.transaction(SYSTEM, "test") as tx:
        assert await calibrations.newest(tx) == []
        assert await calibrations.newest_until(tx) is None
        assert await calibrations.in_use(tx) is None


async def test_the_last_adoption_is_the_one_in_use(store: Historian) -> None:
    await keep(store, FIRST, SECOND)
    async with store.transaction(SYSTEM, "test") as tx:
        await calibrations.lock(tx)
        await calibrations.adopt(tx, FIRST.id, None)
        first = await calibrations.in_use(tx)
        assert first is not None
        await calibrations.adopt(tx, SECOND.id, first.number)
        second = await calibrations.in_use(tx)
        assert second is not None
        assert (second.calibration, second.previous) == (SECOND.id, first.number)
        assert await calibrations.adoption(tx, first.number) == first
        (listed,) = [one for one in await calibrations.newest(tx) if one.adopted]
        assert (listed.id, listed.estimates, listed.made_by) == (SECOND.id, 2, SYSTEM.name)
        await calibrations.adopt(tx, None, None)
        assert not any(one.adopted for one in await calibrations.newest(tx))


async def test_a_calibration_of_an_unknown_plant_is_refused(store: Historian) -> None:
    with pytest.raises(Conflict):
        await keep(store, replace(FIRST, plant_version="pv-unknown"))


async def test_the_one_in_use_is_listed_however_old_it_is(store: Historian) -> None:
    later = replace(FIRST, until=START + timedelta(days=40))
    await keep(store, FIRST)
    await keep(store, SECOND, later)
    async with store.transaction(SYSTEM, "test") as tx:
        await calibrations.adopt(tx, FIRST.id, None)
    async with store.transaction(SYSTEM, "test") as tx:
        listed = await calibrations.newest(tx, limit=1)
    assert [one.adopted for one in listed] == [False, True]
    assert listed[1].id == FIRST.id


async def test_how_far_the_calibration_in_use_knows_a_version_of_the_plant(store: Historian) -> None:
    await keep(store, FIRST)
    async with store.transaction(SYSTEM, "test") as tx:
        assert await calibrations.used_until(tx, SHOP.id) is None
        await calibrations.adopt(tx, FIRST.id, None)
        assert await calibrations.used_until(tx, SHOP.id) == FIRST.until
        assert await calibrations.used_until(tx, "another version") is None
        await calibrations.adopt(tx, None, None)
        assert await calibrations.used_until(tx, SHOP.id) is None
