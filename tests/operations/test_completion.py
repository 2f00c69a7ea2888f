"""Job responses: each taken in once, in whatever order they come; what cannot be right is quarantined and counted."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from historian import orders, quarantine, responses
from historian.database import Historian
from historian.errors import Interfered
from operations import completion
from plant.actor import SYSTEM
from plant.errors import Conflict, ForerunError, InvalidInput, MessageInvalid, NotFound, Unavailable
from plant.order import JobResponse, JobState
from tests.operations.shop import MES, MONDAY, at, jobs, ledger_of, order, quarantined, report, response, with_orders

JOB = "CO-1/1-10"
SOURCE = f"job-responses/{MES.name}"


@pytest.fixture
async def shop(historian: Historian) -> Historian:
    await with_orders(historian, order(quantity=4))
    return historian


async def _redispatched(historian: Historian) -> None:
    async with historian.transaction(SYSTEM, "test") as tx:
        assert await orders.mark_dispatched(tx, [JOB], 99) == [JOB]


async def test_a_job_goes_from_started_to_completed(shop: Historian) -> None:
    started = await report(shop, response(JOB, "started", 100))
    assert (started.state, started.machine, started.started_at) == (JobState.RUNNING, "L1", at(100))
    halfway = await report(shop, response(JOB, "progress", 200, good=1, scrap=1))
    assert (halfway.state, halfway.good, halfway.scrap, halfway.started_at) == (JobState.RUNNING, 1, 1, at(100))
    done = await report(shop, response(JOB, "completed", 300, good=3, scrap=1))
    assert (done.state, done.good, done.scrap, done.completed_at) == (JobState.COMPLETED, 3, 1, at(300))
    assert (await jobs(shop))[JOB] == done
    entries = await ledger_of(shop, f"job-order/{JOB}")
    assert [(one.actor, one.kind, one.before, one.after) for one in entries] == [
        (MES.name, "started", "waiting", "running"),
        (MES.name, "completed", "running", "completed"),
    ]
    assert await quarantined(shop) == {}


async def test_a_repeated_response_changes_nothing(shop: Historian) -> None:
    told = [response(JOB, "started", 100), response(JOB, "progress", 200, good=1), response(JOB, "completed", 300, 4)]
    for one in told:
        await report(shop, one)
    before, entries = (await jobs(shop))[JOB], len(await ledger_of(shop, f"job-order/{JOB}"))
    for one in reversed(told):
        assert await report(shop, one) == before
    assert len(await ledger_of(shop, f"job-order/{JOB}")) == entries
    async with shop.transaction(SYSTEM, "test") as tx:
        assert len(await responses.of_job(tx, JOB)) == len(told)


async def test_an_id_used_for_another_response_is_a_conflict(shop: Historian) -> None:
    first = response(JOB, "progress", 100, good=1)
    await report(shop, first)
    with pytest.raises(Conflict, match="another content"):
        await report(shop, replace(first, good=2))
    assert (await jobs(shop))[JOB].good == 1
    assert await quarantined(shop) == {SOURCE: 1}


WRONG: list[tuple[JobResponse, type[ForerunError], str]] = [
    (response("ghost", "started"), NotFound, "unknown job order 'ghost'"),
    (response(JOB, "progress", good=3, scrap=2), MessageInvalid, "5 pieces reported of 4"),
    (response(JOB, "progress", good=10**30), InvalidInput, "refuses a value"),
    (response(JOB, "started", machine="M99"), MessageInvalid, "M99"),
    (response(JOB, "started", seconds=16 * 86400), MessageInvalid, "implausible time"),
    (response(JOB, "started", seconds=-90_000), MessageInvalid, "implausible time"),
    (response(JOB, "started", id="no uuid"), InvalidInput, "refuses a value"),
    (response(JOB, "started", reason="a\0b"), InvalidInput, "refuses a value"),
]


@pytest.mark.parametrize(("wrong", "error", "reason"), WRONG)
async def test_what_cannot_be_right_is_quarantined_with_its_reason(
    shop: Historian, wrong: JobResponse, error: type[ForerunError], reason: str
) -> None:
    before = await jobs(shop)
    for _ in range(2):
        with pytest.raises(error, match=reason):
            await report(shop, wrong)
    assert await jobs(shop) == before
    async with shop.transaction(SYSTEM, "test") as tx:
        (kept,) = await quarantine.newest(tx)
    assert (kept.source, kept.repeats) == (SOURCE, 2)
    assert reason in kept.reason
    assert wrong.job_order in kept.payload


async def test_late_news_of_a_completed_job_is_kept_and_changes_nothing(shop: Historian) -> None:
    done = await report(shop, response(JOB, "completed", 300, good=4))
    assert await report(shop, response(JOB, "progress", 200, good=2)) == done
    assert await report(shop, response(JOB, "started", 100)) == done
    assert (await jobs(shop))[JOB] == done
    async with shop.transaction(SYSTEM, "test") as tx:
        assert [str(one.kind) for one in await responses.of_job(tx, JOB)] == ["started", "progress", "completed"]


@pytest.mark.parametrize("kind", ["completed", "aborted"])
async def test_a_job_ends_once(shop: Historian, kind: str) -> None:
    done = await report(shop, response(JOB, "completed", 300, good=4))
    with pytest.raises(Conflict, match="is completed already"):
        await report(shop, response(JOB, kind, 400, good=4))
    assert (await jobs(shop))[JOB] == done


async def test_a_count_that_goes_back_is_late_news_but_no_completion(shop: Historian) -> None:
    counted = await report(shop, response(JOB, "progress", 200, good=3))
    assert await report(shop, response(JOB, "progress", 250, good=2)) == counted
    with pytest.raises(MessageInvalid, match="after 3 and 0 were reported"):
        await report(shop, response(JOB, "completed", 300, good=2, scrap=2))
    assert (await jobs(shop))[JOB].state is JobState.RUNNING


async def test_a_start_told_after_the_first_progress_still_says_when_it_began(shop: Historian) -> None:
    await report(shop, response(JOB, "progress", 200, good=1))
    late = await report(shop, response(JOB, "started", 100))
    assert (late.started_at, late.good) == (at(100), 1)


async def test_an_aborted_job_is_done_again_from_nothing(shop: Historian) -> None:
    await report(shop, response(JOB, "started", 100))
    await report(shop, response(JOB, "progress", 200, good=2, scrap=1))
    given_up = await report(shop, response(JOB, "aborted", 300, good=2, scrap=1, reason="tool broke"))
    assert (given_up.state, given_up.good, given_up.scrap) == (JobState.ABORTED, 2, 1)
    assert (await report(shop, response(JOB, "progress", 250, good=2))).state is JobState.ABORTED
    await _redispatched(shop)
    again = await report(shop, response(JOB, "started", 900, machine="L2"))
    assert (again.state, again.machine, again.started_at) == (JobState.RUNNING, "L2", at(900))
    assert (again.good, again.scrap) == (0, 0)
    done = await report(shop, response(JOB, "completed", 1500, good=4, machine="L2"))
    assert (done.state, done.good, done.scrap) == (JobState.COMPLETED, 4, 0)


@pytest.mark.parametrize("round_", range(3))
async def test_responses_of_one_job_at_once_end_as_if_one_came_after_the_other(shop: Historian, round_: int) -> None:
    told = [response(JOB, "progress", 100 + n, good=n) for n in range(4)]
    told.append(response(JOB, "completed", 300, good=4))
    await asyncio.gather(*(report(shop, one) for one in told))
    done = (await jobs(shop))[JOB]
    assert (done.state, done.good, done.completed_at) == (JobState.COMPLETED, 4, at(300))


async def test_of_two_completions_at_once_one_counts(shop: Historian) -> None:
    both = [response(JOB, "completed", 300, good=good, scrap=4 - good) for good in (3, 4)]
    came = await asyncio.gather(*(report(shop, one) for one in both), return_exceptions=True)
    (refused,) = [one for one in came if isinstance(one, BaseException)]
    assert isinstance(refused, Conflict)
    (counted,) = [one for one in came if not isinstance(one, BaseException)]
    assert (await jobs(shop))[JOB] == counted


async def test_a_busy_database_is_no_reason_to_refuse_for_good(
    shop: Historian, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def deadlock(*_: object) -> None:
        raise Interfered("deadlock")

    monkeypatch.setattr(orders, "lock_job", deadlock)
    with pytest.raises(Unavailable):
        await completion.record(shop, MES, response(JOB, "started"), MONDAY + timedelta(days=1))
    assert await quarantined(shop) == {}
