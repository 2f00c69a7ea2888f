"""Orders and their progress; job responses, each once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from historian import orders, responses
from historian.database import Historian
from plant.actor import SYSTEM
from plant.errors import Conflict, InvalidInput, NotFound
from plant.message import new_message_id
from plant.order import (
    CustomerOrder,
    JobOrder,
    JobProgress,
    JobResponse,
    JobState,
    Priority,
    ProductionOrder,
    ResponseKind,
)

START = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
ORDER = CustomerOrder("CO-1", "Ada", "shaft", 10, START, START + timedelta(days=3), Priority.HIGH)
PRODUCTION = [
    ProductionOrder("CO-1/2", "CO-1", "blank", 10, START),
    ProductionOrder("CO-1/1", "CO-1", "shaft", 10, START, ("CO-1/2",)),
]
JOBS = [
    JobOrder("CO-1/2-10", "CO-1/2", "CO-1", "blank", "10", 10, START),
    JobOrder("CO-1/1-10", "CO-1/1", "CO-1", "shaft", "10", 10, START, ("CO-1/2-10",)),
]


async def enter(store: Historian, order: CustomerOrder = ORDER) -> None:
    async with store.transaction(SYSTEM, "test") as tx:
        await orders.insert(tx, order, PRODUCTION if order is ORDER else [], JOBS if order is ORDER else [])


async def test_what_was_inserted_is_read_back_in_order(store: Historian) -> None:
    sooner = CustomerOrder("CO-2", "Bob", "shaft", 1, START, START + timedelta(days=1))
    await enter(store)
    await enter(store, sooner)
    async with store.transaction(SYSTEM, "test") as tx:
        assert await orders.customer_orders(tx) == [sooner, ORDER]
        assert await orders.find_customer_order(tx, "CO-1") == ORDER
        assert await orders.find_customer_order(tx, "CO-9") is None
        assert await orders.production_orders(tx, "CO-1") == PRODUCTION
        assert await orders.jobs(tx) == [JobProgress(job, JobState.WAITING) for job in JOBS]
        assert await orders.jobs(tx, "CO-2") == []


async def test_an_order_id_that_exists_is_refused_whole(store: Historian) -> None:
    await enter(store)
    with pytest.raises(Conflict, match="exists already"):
        await enter(store, replace(ORDER, customer="Eve"))
    async with store.transaction(SYSTEM, "test") as tx:
        assert await orders.customer_orders(tx) == [ORDER]


async def test_progress_is_kept(store: Historian) -> None:
    await enter(store)
    done = JobProgress(JOBS[0], JobState.COMPLETED, "M01", START, START + timedelta(hours=1), 9, 1)
    async with store.transaction(SYSTEM, "test") as tx:
        assert await orders.lock_job(tx, "CO-1/2-10") == JobProgress(JOBS[0], JobState.WAITING)
        await orders.save_progress(tx, done)
        with pytest.raises(NotFound, match="CO-9"):
            await orders.lock_job(tx, "CO-9")
    async with store.transaction(SYSTEM, "test") as tx:
        assert await orders.jobs(tx) == [done, JobProgress(JOBS[1], JobState.WAITING)]
        assert await orders.jobs(tx, open_only=True) == [JobProgress(JOBS[1], JobState.WAITING)]


async def test_a_release_dispatches_a_job_once_and_never_one_that_runs(store: Historian) -> None:
    ids = [job.id for job in JOBS]
    await enter(store)
    async with store.transaction(SYSTEM, "test") as tx:
        assert await orders.mark_dispatched(tx, ids[:1], 1) == ids[:1]
        assert await orders.mark_dispatched(tx, ids, 1) == ids[1:]
        assert await orders.mark_dispatched(tx, ids, 1) == []
        await orders.save_progress(tx, JobProgress(JOBS[0], JobState.RUNNING, "M01", START))
        assert await orders.mark_dispatched(tx, ids, 2) == ids[1:]
        states = {progress.job.id: progress.state for progress in await orders.jobs(tx)}
    assert states == {ids[0]: JobState.RUNNING, ids[1]: JobState.DISPATCHED}


RESPONSE = JobResponse(new_message_id(), "CO-1/1-10", ResponseKind.PROGRESS, START, "M01", 4, 1, "tool worn")


async def test_a_response_is_kept_once(store: Historian) -> None:
    await enter(store)
    async with store.transaction(SYSTEM, "test") as tx:
        assert await responses.insert(tx, RESPONSE)
    async with store.transaction(SYSTEM, "test") as tx:
        assert not await responses.insert(tx, RESPONSE)
        assert not await responses.insert(tx, replace(RESPONSE, id=RESPONSE.id.upper()))
        assert await responses.of_job(tx, "CO-1/1-10") == (RESPONSE,)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"good": 5}, Conflict),
        ({"id": new_message_id(), "job_order": "CO-9/1-10"}, Conflict),
        ({"id": "not a uuid"}, InvalidInput),
    ],
)
async def test_another_content_under_the_same_id_or_an_unknown_job_is_refused(
    store: Historian, change: dict[str, object], error: type[Exception]
) -> None:
    await enter(store)
    async with store.transaction(SYSTEM, "test") as tx:
        await responses.insert(tx, RESPONSE)
    with pytest.raises(error):
        async with store.transaction(SYSTEM, "test") as tx:
            await responses.insert(tx, replace(RESPONSE, **change))  # type: ignore[arg-type]
    async with store.transaction(SYSTEM, "test") as tx:
        assert await responses.of_job(tx, "CO-1/1-10") == (RESPONSE,)
