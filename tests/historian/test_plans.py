"""Plan versions are immutable, and one of them at a time is in force."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from historian import plans, plants
from historian.database import Historian
from plant.actor import SYSTEM
from plant.errors import Conflict, NotFound
from plant.plan import Plan, PlannedOperation, PlanState, PlanVersion, SolverReport
from plant.text import told
from plant.trouble import Abort, Troubles
from plant.verdict import Judgement, MachineVerdict, OrderVerdict, Verdict
from plant.version import PlantVersion, version_of
from tests.plant.shops import bought, made, operation, small_shop

START = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
SHOP = version_of(
    small_shop((made("shaft", operation("10", "turning"), bom=(("bar", "0.25"),)), bought("bar", 3.5, 7)))
)
FIRST = PlanVersion(
    id="plan-1",
    parent=None,
    plant_version=SHOP.id,
    made_at=START + timedelta(microseconds=1),
    reason="first plan",
    seed=7,
    plan=Plan(START, (PlannedOperation("CO-1/1-10", "L1", 0, 0.1 + 0.2, 600.0, 30.0, "B1"),)),
    solver=SolverReport("cp-sat", "optimal", 1.5, 600.0, 0.25, 7, None),
    verdict=Verdict(
        "replay",
        1000,
        7,
        (OrderVerdict("CO-1", START, 0.98, 0.97, START, START, START, 0.0),),
        (MachineVerdict("L1", 0.5, 0.4, 1.0),),
        0.4,
        "L1",
    ),
    judgement=Judgement(True, (), (told("{order} is late anyway", order="CO-2"), "kept before texts had templates")),
    orders=("CO-1",),
    labels={"what": "base"},
    knew=Troubles({"L1": START}, {"CO-1/1-10": Abort(2, START)}),
)
SECOND = replace(FIRST, id="plan-2", parent="plan-1", made_at=START + timedelta(hours=1))


async def keep(store: Historian, *versions: PlanVersion) -> None:
    async with store.transaction(SYSTEM, "test") as tx:
        await plants.save(tx, SHOP)
        await plants.set_current(tx, SHOP.plant.site, SHOP.id)
        for version in versions:
            await plans.insert(tx, version)


async def test_a_plan_version_is_read_back_equal(store: Historian) -> None:
    await keep(store, FIRST)
    async with store.transaction(SYSTEM, "test") as tx:
        assert await plans.get(tx, "plan-1") == FIRST
        assert await plans.state(tx, "plan-1") is PlanState.PROPOSED
        assert await plans.released(tx) is None
        for unknown in (plans.get, plans.state):
            with pytest.raises(NotFound, match="plan-9"):
                await unknown(tx, "plan-9")


async def test_a_release_supersedes_and_its_revision_grows(store: Historian) -> None:
    await keep(store, FIRST, SECOND)
    async with store.transaction(SYSTEM, "test") as tx:
        await plans.release(tx, None, "plan-1")
        first = await plans.revision(tx, "plan-1")
        await plans.release(tx, "plan-1", "plan-2")
        assert await plans.revision(tx, "plan-2") > first
        assert await plans.released(tx) == SECOND
        assert [(one.id, one.state) for one in await plans.newest(tx)] == [
            ("plan-2", PlanState.RELEASED),
            ("plan-1", PlanState.SUPERSEDED),
        ]
        history = await plans.states(tx, "plan-1")
    assert [change.state for change in history] == [PlanState.PROPOSED, PlanState.RELEASED, PlanState.SUPERSEDED]
    assert {change.actor for change in history} == {"forerun"}


async def test_a_release_that_expects_another_plan_in_force_changes_nothing(store: Historian) -> None:
    await keep(store, FIRST, SECOND)
    async with store.transaction(SYSTEM, "test") as tx:
        await plans.release(tx, None, "plan-1")
    with pytest.raises(Conflict, match="plan-1 is in force"):
        async with store.transaction(SYSTEM, "test") as tx:
            await plans.release(tx, None, "plan-2")
    async with store.transaction(SYSTEM, "test") as tx:
        assert await plans.released_id(tx) == "plan-1"
        assert await plans.state(tx, "plan-2") is PlanState.PROPOSED


async def test_a_release_supersedes_what_was_to_follow_the_same_plan(store: Historian) -> None:
    rival, refused = replace(SECOND, id="plan-3"), replace(SECOND, id="plan-4")
    await keep(store, FIRST, replace(FIRST, id="plan-0"), SECOND, rival, refused)
    async with store.transaction(SYSTEM, "test") as tx:
        await plans.release(tx, None, "plan-1")
        assert await plans.state(tx, "plan-0") is PlanState.SUPERSEDED
        assert await plans.state(tx, "plan-3") is PlanState.PROPOSED
        await plans.refuse(tx, "plan-4")
        await plans.release(tx, "plan-1", "plan-2")
        for overtaken in ("plan-0", "plan-1", "plan-3", "plan-4"):
            assert await plans.state(tx, overtaken) is PlanState.SUPERSEDED
        assert len(await plans.states(tx, "plan-0")) == 2, "told once"


async def test_of_two_releases_at_once_one_wins(historian: Historian) -> None:
    others = [replace(SECOND, id=f"plan-{n}", parent=None) for n in range(2, 6)]
    await keep(historian, *others)

    async def release(plan_id: str) -> str:
        async with historian.transaction(SYSTEM, "test") as tx:
            await plans.release(tx, None, plan_id)
        return plan_id

    came = await asyncio.gather(*(release(version.id) for version in others), return_exceptions=True)
    won = [one for one in came if isinstance(one, str)]
    assert len(won) == 1
    assert sum(isinstance(one, Conflict) for one in came) == len(others) - 1
    async with historian.transaction(SYSTEM, "test") as tx:
        assert await plans.released_id(tx) == won[0]


async def test_a_refused_plan_says_so(store: Historian) -> None:
    await keep(store, FIRST)
    async with store.transaction(SYSTEM, "test") as tx:
        await plans.refuse(tx, "plan-1")
        assert await plans.state(tx, "plan-1") is PlanState.REFUSED
        with pytest.raises(Conflict, match="never released"):
            await plans.revision(tx, "plan-1")


async def test_a_plan_must_name_a_parent_and_a_plant_that_are_kept(store: Historian) -> None:
    await keep(store)
    with pytest.raises(Conflict, match="does not exist"):
        async with store.transaction(SYSTEM, "test") as tx:
            await plans.insert(tx, SECOND)


async def test_a_plant_version_is_kept_once_and_read_back_equal(store: Historian) -> None:
    later = PlantVersion(SHOP.id, SHOP.document_hash, SHOP.plant, SHOP.imported_at + timedelta(days=1))
    async with store.transaction(SYSTEM, "test") as tx:
        assert await plants.current_id(tx) is None
        with pytest.raises(NotFound, match="import one"):
            await plants.current(tx)
        assert await plants.save(tx, SHOP)
        assert not await plants.save(tx, later)
        await plants.set_current(tx, SHOP.plant.site, SHOP.id)
        assert await plants.current(tx) == SHOP
    with pytest.raises(Conflict):
        async with store.transaction(SYSTEM, "test") as tx:
            await plants.set_current(tx, "another site", SHOP.id)


async def test_plant_versions_are_told_apart_however_often_they_are_read(store: Historian) -> None:
    versions = [version_of(replace(SHOP.plant, name=f"Shop {n}"), START) for n in range(10)]
    async with store.transaction(SYSTEM, "test") as tx:
        for version in versions:
            await plants.save(tx, version)
        for version in [*versions, *versions, *reversed(versions)]:
            assert await plants.get(tx, version.id) == version


async def test_what_the_newest_plan_knew_is_told_without_the_plan(store: Historian) -> None:
    await keep(store)
    async with store.transaction(SYSTEM, "test") as tx:
        assert await plans.newest_knew(tx) == Troubles()
    await keep(store, FIRST, replace(SECOND, knew=Troubles()))
    async with store.transaction(SYSTEM, "test") as tx:
        assert await plans.newest_knew(tx) == Troubles()
        await plans.insert(tx, replace(FIRST, id="plan-3", made_at=START + timedelta(hours=2)))
        assert await plans.newest_knew(tx) == FIRST.knew
        # A plan of an earlier program does not say.
        await tx.execute(b"update plan_version set document = document - 'knew'")
        assert await plans.newest_knew(tx) == Troubles()
        assert (await plans.get(tx, "plan-1")).knew == Troubles()
