"""Plans of the real machine shop: made, judged, released, refused, released over the gate in writing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from historian import plans
from historian.database import Historian
from operations import orders as order_entry
from operations import planning, plants, releases
from plant.actor import SYSTEM, Actor, Role
from plant.errors import Conflict, Denied, GateRefused, Infeasible, InvalidInput, NotFound
from plant.folder import load, load_orders
from plant.order import CustomerOrder, JobState, Priority
from plant.plan import Plan, PlannedOperation, PlanState, PlanVersion
from plant.plant import Plant
from runtime.compute import InlineCompute
from tests.operations.shop import PLANNER, RULES, Clock, at, jobs, ledger_of, order, plan_version, with_orders

FOLDER = Path(__file__).parents[2] / "plants" / "machine_shop"
SALES = Actor("sam", frozenset({Role.SALES}))


@pytest.fixture(scope="module")
def shop() -> tuple[Plant, Sequence[CustomerOrder]]:
    plant = load(FOLDER)
    return plant, load_orders(FOLDER, plant)


class Site:
    """The machine shop with a few of its orders in the database."""

    def __init__(self, historian: Historian, plant: Plant, customer_orders: Sequence[CustomerOrder]) -> None:
        self.historian = historian
        self.clock = Clock(plant.starts_at)
        # Those with most time before they are due: a plan for them passes.
        self.orders = sorted(customer_orders, key=lambda one: one.ordered_at - one.due_at)[:6]

    async def plan(self, reason: str = "test") -> PlanVersion:
        return await planning.make_plan(self.historian, InlineCompute(), self.clock, PLANNER, RULES, reason)

    async def release(self, plan_id: str, override: str | None = None, actor: Actor = PLANNER) -> PlanVersion:
        return await releases.release(self.historian, self.clock, actor, RULES, plan_id, override)

    async def state(self, plan_id: str) -> PlanState:
        return (await planning.get_plan(self.historian, PLANNER, plan_id))[1]

    async def in_force(self) -> str | None:
        version = await planning.in_force(self.historian, PLANNER)
        return version.id if version else None

    async def enter_hopeless(self) -> CustomerOrder:
        """Enter an order whose due date cannot be met: it is due a minute after it was placed."""
        base, now = self.orders[0], self.clock.now()
        hopeless = replace(
            base, id="CO-LATE", ordered_at=now, due_at=now + timedelta(minutes=1), priority=Priority.HIGH
        )
        return await order_entry.enter(self.historian, PLANNER, hopeless)


@pytest.fixture
async def site(historian: Historian, shop: tuple[Plant, Sequence[CustomerOrder]]) -> Site:
    made = Site(historian, *shop)
    await plants.import_plant(historian, SYSTEM, shop[0], made.orders)
    return made


async def test_a_plan_is_made_judged_released_and_dispatched(site: Site) -> None:
    version = await site.plan("first plan")
    assert version.judgement.passed, version.judgement.reasons
    assert version.orders == tuple(sorted(one.id for one in site.orders))
    assert set(version.plan.by_job_order) == set(await jobs(site.historian))
    assert (version.parent, version.made_at, version.reason) == (None, site.clock.now(), "first plan")
    assert [one.id for one in await planning.list_plans(site.historian, PLANNER)] == [version.id]
    assert await site.state(version.id) is PlanState.PROPOSED

    assert await site.release(version.id) == version
    assert await site.in_force() == version.id
    dispatched = {id_ for id_, one in (await jobs(site.historian)).items() if one.state is JobState.DISPATCHED}
    horizon_s = RULES.dispatch_horizon_s
    assert dispatched == {one.job_order for one in version.plan.operations if one.start_s <= horizon_s} != set()
    entries = await ledger_of(site.historian, f"plan/{version.id}")
    assert [(one.actor, one.kind) for one in entries] == [
        (PLANNER.name, "made"),
        (PLANNER.name, "released"),
        (PLANNER.name, "dispatched"),
    ]
    assert await releases.how_released(site.historian, PLANNER, version.id) == releases.Release(PLANNER.name, None)


async def test_a_due_date_that_cannot_be_met_is_refused_with_reasons_and_the_loop_goes_on(site: Site) -> None:
    await site.release((await site.plan()).id)
    hopeless = await site.enter_hopeless()
    refused = await site.plan("new orders")
    assert not refused.judgement.passed
    assert "Cheapest remedy: promise CO-LATE for" in str(refused.judgement.reasons[0])
    kept = await planning.get_plan(site.historian, PLANNER, refused.id)
    assert kept[0] == refused  # its remedies and what it paid for certainty among the rest
    assert {one.order for one in refused.judgement.remedies} == {hopeless.id}
    assert refused.robustness is not None
    with pytest.raises(GateRefused, match=hopeless.id) as refusal:
        await site.release(refused.id)
    assert refusal.value.reasons == refused.judgement.reasons
    assert await site.state(refused.id) is PlanState.REFUSED
    assert await site.in_force() == refused.parent
    (entry,) = [one for one in await ledger_of(site.historian, f"plan/{refused.id}") if one.kind == "refused"]
    assert tuple(entry.after) == refused.judgement.in_english().reasons

    # It says the same when asked again, and another plan can be made and released in its place.
    with pytest.raises(GateRefused):
        await site.release(refused.id)
    another = await site.plan("once more")
    await site.release(another.id, "agreed with the customer on the phone")
    assert await site.in_force() == another.id


async def test_a_hopeless_order_holds_up_no_plan_that_nobody_asked_for(site: Site) -> None:
    await site.release((await site.plan()).id)
    hopeless = await site.enter_hopeless()
    common = site.historian, InlineCompute(), site.clock, SYSTEM, RULES
    repaired = await planning.repair_plan(*common, "breakdown of M03")
    near = await planning.make_plan(*common, "breakdown of M03", near=True, asked_for=False)
    for version in (repaired, near):
        assert version is not None
        assert version.judgement.passed, version.judgement.reasons
        assert any(hopeless.id in str(note) for note in version.judgement.notes)


async def test_an_order_that_is_late_anyway_does_not_block(site: Site) -> None:
    hopeless = await site.enter_hopeless()
    first = await site.plan()
    assert not first.judgement.passed
    await site.release(first.id, "nothing is in force yet; better late than never")
    second = await site.plan("replanned")
    assert second.judgement.passed, second.judgement.reasons
    assert any(hopeless.id in str(note) for note in second.judgement.notes)
    await site.release(second.id)


async def test_an_override_needs_permission_and_a_written_reason_and_is_in_the_ledger(site: Site) -> None:
    await site.enter_hopeless()
    refused = await site.plan()
    with pytest.raises(Denied, match="override gate"):
        await site.release(refused.id, "because I can", SYSTEM)
    for empty in ("", "  \n"):
        with pytest.raises(InvalidInput, match="written reason"):
            await site.release(refused.id, empty)
    with pytest.raises(Denied, match="release plans"):
        await site.release(refused.id, "because I can", SALES)
    assert await site.state(refused.id) is PlanState.PROPOSED
    assert await site.in_force() is None
    await site.release(refused.id, "the customer agreed")
    (entry,) = [one for one in await ledger_of(site.historian, f"plan/{refused.id}") if one.kind == "released"]
    assert (entry.actor, entry.after) == (PLANNER.name, {"passed": False, "override": "the customer agreed"})
    how = await releases.how_released(site.historian, PLANNER, refused.id)
    assert how == releases.Release(PLANNER.name, "the customer agreed")


async def test_near_job_orders_keep_machine_and_place(site: Site) -> None:
    first = await site.plan()
    await site.release(first.id)
    site.clock.moment += timedelta(minutes=10)
    second = await site.plan("replanned")
    shift_s = 600.0
    near = {one.job_order for one in first.plan.operations if one.start_s - shift_s <= RULES.frozen_zone_s}
    assert near
    for machine, steps in first.plan.sequences.items():
        held = [one.job_order for step in steps for one in step if one.job_order in near]
        now = [one.job_order for step in second.plan.sequences.get(machine, ()) for one in step]
        assert now[: len(held)] == held


async def test_without_open_work_there_is_nothing_to_plan(historian: Historian) -> None:
    await with_orders(historian)
    with pytest.raises(InvalidInput, match="nothing to plan"):
        await planning.make_plan(historian, InlineCompute(), Clock(), PLANNER, RULES, "test")
    with pytest.raises(InvalidInput, match="say why"):
        await planning.make_plan(historian, InlineCompute(), Clock(), PLANNER, RULES, " ")


class TestRelease:
    """What the release itself promises, on plans made by hand."""

    @pytest.fixture
    async def kept(self, historian: Historian) -> Historian:
        await with_orders(historian, order("CO-1"))
        async with historian.transaction(SYSTEM, "test") as tx:
            for id_ in ("plan-1", "plan-2"):
                await plans.insert(tx, plan_version(id_, ("CO-1/1-10", "L1", 0)))
            await plans.insert(tx, plan_version("plan-3", ("CO-1/1-10", "L2", 0), parent="plan-1"))
        return historian

    async def _release(self, kept: Historian, plan_id: str) -> PlanVersion:
        return await releases.release(kept, Clock(at(0)), PLANNER, RULES, plan_id)

    async def test_a_plan_made_before_another_came_into_force_is_a_conflict(self, kept: Historian) -> None:
        await self._release(kept, "plan-1")
        with pytest.raises(Conflict, match="plan-2 is superseded already; make a new plan"):
            await self._release(kept, "plan-2")
        await self._release(kept, "plan-3")
        with pytest.raises(Conflict, match="plan-1 is superseded already"):
            await self._release(kept, "plan-1")

    async def test_a_plan_is_released_once(self, kept: Historian) -> None:
        await self._release(kept, "plan-1")
        with pytest.raises(Conflict, match="is released already"):
            await self._release(kept, "plan-1")

    async def test_of_many_who_release_at_once_one_does(self, kept: Historian) -> None:
        tries = [self._release(kept, id_) for id_ in ("plan-1", "plan-2") * 3]
        came = await asyncio.gather(*tries, return_exceptions=True)
        assert sum(isinstance(one, PlanVersion) for one in came) == 1
        assert sum(isinstance(one, Conflict) for one in came) == 5
        async with kept.transaction(SYSTEM, "test") as tx:
            assert await tx.value(b"select count(*) from plan_state where state = 'released'") == 1
            assert await tx.value(b"select count(*) from outbox") == 1

    async def test_a_plan_the_floor_cannot_carry_out_is_no_matter_of_reasons(self, kept: Historian) -> None:
        """A machine that cannot take the job: neither the gate's pass nor a written override lets it out."""
        async with kept.transaction(SYSTEM, "test") as tx:
            for id_, passed in (("plan-4", True), ("plan-5", False)):
                await plans.insert(tx, plan_version(id_, ("CO-1/1-10", "MILL", 0), passed=passed))
        for id_, override in (("plan-4", None), ("plan-5", "the customer insists on it")):
            with pytest.raises(Conflict, match="CO-1/1-10 cannot be made on MILL; make a new plan"):
                await releases.release(kept, Clock(at(0)), PLANNER, RULES, id_, override)
        assert await planning.in_force(kept, PLANNER) is None
        assert (await planning.get_plan(kept, PLANNER, "plan-4"))[1] is PlanState.PROPOSED

    async def test_an_unknown_plan_is_not_found(self, kept: Historian) -> None:
        with pytest.raises(NotFound, match="plan-9"):
            await self._release(kept, "plan-9")
        with pytest.raises(NotFound, match="plan-9"):
            await planning.get_plan(kept, PLANNER, "plan-9")
        assert await releases.how_released(kept, PLANNER, "plan-9") is None


async def test_a_plan_that_cannot_be_says_what_stands_in_the_way(historian: Historian) -> None:
    await with_orders(historian, order("CO-1", item="pump"))
    circle = [("CO-1/1-10", "L1", 0), ("CO-1/2-10", "MILL", 0), ("CO-1/1-20", "MILL", 1)]
    operations = tuple(PlannedOperation(job, name, place, 60.0, 600.0) for job, name, place in circle)
    async with historian.transaction(SYSTEM, "test") as tx:
        await plans.insert(tx, replace(plan_version("plan-1"), plan=Plan(at(0), operations)))
        await plans.release(tx, None, "plan-1")
    with pytest.raises(Infeasible) as refused:
        await planning.make_plan(historian, InlineCompute(), Clock(), PLANNER, RULES, "test")
    assert str(refused.value) == (
        "no plan can meet all of this at once: CO-1/1-20 stands behind CO-1/2-10 in the frozen zone; "
        "CO-1/2-10 waits for CO-1/1-20; change one of them"
    )
