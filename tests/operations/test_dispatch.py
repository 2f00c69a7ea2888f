"""Dispatch: the released plan's next job orders, each once per release, in the transaction that decides it."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from historian import plans
from historian.database import Historian
from operations import dispatch, planning, releases
from plant.actor import SYSTEM
from plant.errors import Conflict
from plant.order import JobState
from plant.plan import PlanVersion
from tests.operations.shop import (
    PLANNER,
    RULES,
    Clock,
    at,
    jobs,
    ledger_of,
    order,
    plan_version,
    report,
    response,
    take_messages,
    with_orders,
)

HOUR = 3600.0
FIRST = plan_version("plan-1", ("CO-1/1-10", "L1", 0), ("CO-1/1-20", "MILL", 5 * HOUR), ("CO-2/1-10", "L1", 10 * HOUR))
SECOND = plan_version(
    "plan-2",
    ("CO-1/1-10", "L2", 0),
    ("CO-1/1-20", "MILL", 20 * HOUR),
    ("CO-2/1-10", "L2", 30 * HOUR),
    parent="plan-1",
    made_s=HOUR,
)


@pytest.fixture
async def shop(historian: Historian) -> Historian:
    await with_orders(historian, order("CO-1"), order("CO-2"))
    return historian


async def _release(shop: Historian, version: PlanVersion, now: datetime) -> None:
    async with shop.transaction(SYSTEM, "test") as tx:
        await plans.insert(tx, version)
    await releases.release(shop, Clock(now), PLANNER, RULES, version.id)


async def _due(shop: Historian, now: datetime, horizon_s: float = 8 * HOUR) -> int:
    return await dispatch.dispatch_due(shop, SYSTEM, now, horizon_s)


async def _sent(shop: Historian) -> list[tuple[str, str, int]]:
    """Return (job order, machine, revision) of all messages, the first of each subject."""
    payloads = [message.payload for message in await take_messages(shop)]
    return [(payload["id"], payload["machine"], payload["revision"]) for payload in payloads]


async def test_without_a_plan_in_force_nothing_is_dispatched(shop: Historian) -> None:
    assert await _due(shop, at(0)) == 0
    async with shop.transaction(SYSTEM, "test") as tx:
        await plans.insert(tx, FIRST)
    assert await _due(shop, at(0)) == 0


async def test_a_release_dispatches_what_starts_within_the_horizon(shop: Historian) -> None:
    await _release(shop, FIRST, at(0))
    states = {id_: progress.state for id_, progress in (await jobs(shop)).items()}
    assert states == {
        "CO-1/1-10": JobState.DISPATCHED,
        "CO-1/1-20": JobState.DISPATCHED,
        "CO-2/1-10": JobState.WAITING,
        "CO-2/1-20": JobState.WAITING,
    }
    first, second = await take_messages(shop)
    assert (first.subject, second.subject) == ("job-order/CO-1/1-10", "job-order/CO-1/1-20")
    revision = second.payload["revision"]
    assert second.payload == {
        "id": "CO-1/1-20",
        "revision": revision,
        "machine": "MILL",
        "item": "shaft",
        "operation": "20",
        "quantity": 4,
        "setup_family": "milling",
        "planned_start": at(5 * HOUR).isoformat(),
        "planned_end": at(5 * HOUR + 600).isoformat(),
        "sequence": 1,
        "batch": None,
        "predecessors": ["CO-1/1-10"],
        "release_at": at(HOUR).isoformat(),
        "production_order": "CO-1/1",
        "customer_order": "CO-1",
    }
    entries = [entry.after for entry in await ledger_of(shop, "plan/plan-1") if entry.kind == "dispatched"]
    assert entries == [["CO-1/1-10", "CO-1/1-20"]]


async def test_the_rest_follows_when_the_horizon_reaches_it_and_nothing_twice(shop: Historian) -> None:
    await _release(shop, FIRST, at(0))
    assert await _due(shop, at(0)) == 0
    assert await _due(shop, at(2 * HOUR - 1)) == 0
    assert await _due(shop, at(2 * HOUR)) == 1
    assert await _due(shop, at(9 * HOUR)) == 0
    assert [id_ for id_, _, _ in await _sent(shop)] == ["CO-1/1-10", "CO-1/1-20", "CO-2/1-10"]


async def test_two_workers_at_once_dispatch_everything_once(shop: Historian) -> None:
    await _release(shop, FIRST, at(0))
    counts = await asyncio.gather(*(_due(shop, at(3 * HOUR)) for _ in range(4)))
    assert sorted(counts) == [0, 0, 0, 1]
    assert len(await _sent(shop)) == 3


async def test_a_new_plan_tells_what_an_older_one_dispatched_its_new_place_however_late(shop: Historian) -> None:
    await _release(shop, FIRST, at(0))
    before = await _sent(shop)
    await _release(shop, SECOND, at(HOUR))
    async with shop.transaction(SYSTEM, "test") as tx:  # those of the first plan stand before them
        await tx.execute(
            b"update outbox set state = 'delivered' where payload ->> 'revision' = %s", [str(before[0][2])]
        )
    after = await _sent(shop)
    assert [(id_, machine) for id_, machine, _ in after] == [("CO-1/1-10", "L2"), ("CO-1/1-20", "MILL")]
    assert {revision for _, _, revision in after} != {revision for _, _, revision in before}
    assert min(revision for _, _, revision in after) > max(revision for _, _, revision in before)


async def test_running_and_completed_jobs_are_left_alone(shop: Historian) -> None:
    await _release(shop, FIRST, at(0))
    await report(shop, response("CO-1/1-10", "completed", 600, good=4))
    await report(shop, response("CO-1/1-20", "started", 700, machine="MILL"))
    await _release(shop, SECOND, at(HOUR))
    states = {id_: progress.state for id_, progress in (await jobs(shop)).items()}
    assert (states["CO-1/1-10"], states["CO-1/1-20"]) == (JobState.COMPLETED, JobState.RUNNING)
    assert {id_ for id_, _, _ in await _sent(shop)} == {"CO-1/1-10", "CO-1/1-20"}  # of the first plan
    async with shop.transaction(SYSTEM, "test") as tx:
        assert await tx.value(b"select count(*) from outbox") == 2


async def test_an_aborted_job_goes_out_again_with_the_next_plan_only(shop: Historian) -> None:
    await _release(shop, FIRST, at(0))
    await report(shop, response("CO-1/1-10", "aborted", 600, good=1))
    assert await _due(shop, at(700)) == 0
    await _release(shop, SECOND, at(HOUR))
    assert (await jobs(shop))["CO-1/1-10"].state is JobState.DISPATCHED


async def test_a_job_the_plan_names_but_nobody_knows_is_left_out(shop: Historian) -> None:
    await _release(shop, plan_version("plan-9", ("CO-1/1-10", "L1", 0), ("CO-9/1-10", "L1", 0)), at(0))
    assert [id_ for id_, _, _ in await _sent(shop)] == ["CO-1/1-10"]


async def test_what_is_dispatched_and_that_it_was_stand_or_fall_together(
    shop: Historian, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise Conflict("no room in the outbox")

    monkeypatch.setattr("historian.outbox.add", fail)
    with pytest.raises(Conflict, match="no room"):
        await _release(shop, FIRST, at(0))
    assert {progress.state for progress in (await jobs(shop)).values()} == {JobState.WAITING}
    assert await planning.in_force(shop, PLANNER) is None
