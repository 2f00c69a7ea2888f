"""What was learned is kept once, read back equal, listed with what is in use."""

from __future__ import annotations

from dataclasses import replace

from historian import learned, plants
from historian.database import Historian
from plant.actor import SYSTEM
from plant.learned import Learned, Paired
from plant.tuning import DEFAULT, RuleKind, RuleTuning, Tuning
from tests.historian.test_plans import SHOP, START

FIRST = Learned(
    SHOP.id,
    Tuning(RuleTuning(RuleKind.RATIO, 0.1 + 0.2, 1e-7, 0.0)),
    Paired(1.5, 2.5, 1 / 3, 0.95, 40, 30, 2),
    Paired(1.5, 1.75, 0.125, 0.95, 40, 20, 9),
    "cal-1",
    START,
    START,
    44,
    32,
    7,
)
SECOND = replace(FIRST, tuning=DEFAULT, unlearned=None, used=None, calibration=None)


async def test_what_was_learned_is_read_back_equal_and_kept_once(store: Historian) -> None:
    async with store.transaction(SYSTEM, "test") as tx:
        await plants.save(tx, SHOP)
        await plants.set_current(tx, SHOP.plant.site, SHOP.id)
        assert [await learned.insert(tx, one) for one in (FIRST, SECOND, FIRST)] == [True, True, False]
    async with store.transaction(SYSTEM, "test") as tx:
        found = await learned.newest(tx)
        assert {one.learned for one in found} == {FIRST, SECOND}
        assert {one.learned.id for one in found} == {FIRST.id, SECOND.id}
        assert all(one.used_since is None and one.made_by == SYSTEM.name for one in found)
        assert len(await learned.newest(tx, limit=1)) == 1
        assert await learned.in_use(tx) is None


async def test_the_last_adoption_counts_and_is_always_listed(store: Historian) -> None:
    async with store.transaction(SYSTEM, "test") as tx:
        await plants.save(tx, SHOP)
        await plants.set_current(tx, SHOP.plant.site, SHOP.id)
        for one in (FIRST, SECOND):
            await learned.insert(tx, one)
            await learned.lock(tx)
            await learned.adopt(tx, one.id)
        assert await learned.in_use(tx) == SECOND
        assert [one.learned for one in await learned.newest(tx, limit=0)] == [SECOND]
        assert [one.used_since for one in await learned.newest(tx, limit=0)] == [tx.at]
        await learned.adopt(tx, None)
        assert await learned.in_use(tx) is None
        assert await learned.newest(tx, limit=0) == []
