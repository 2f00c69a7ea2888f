"""Transactions, retries, translated errors, notifications."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from historian.database import Channel, Historian, Transaction
from historian.errors import Interfered
from plant.actor import SYSTEM
from plant.errors import Conflict, InvalidInput, Unavailable

DEADLINE_S = 20


async def count_keys(historian: Historian) -> int:
    async with historian.transaction(SYSTEM, "test") as tx:
        return int(await tx.value(b"select count(*) from api_key"))


async def add_key(tx: Transaction, name: str) -> None:
    await tx.execute(b"insert into api_key values (%s, %s, '{}', %s)", (name, name.encode(), tx.at))


async def test_an_exception_rolls_everything_back(historian: Historian) -> None:
    async def fail() -> None:
        async with historian.transaction(SYSTEM, "test") as tx:
            await add_key(tx, "one")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await count_keys(historian) == 0


@pytest.mark.parametrize(
    ("statement", "error", "message"),
    [
        (
            b"insert into api_key values ('a', 'a', '{}', now()), ('a', 'b', '{}', now())",
            Conflict,
            "use case: it exists",
        ),
        (b"insert into session values ('a', 'nobody', now(), now())", Conflict, "does not exist"),
        (b"insert into api_key values (null, 'a', '{}', now())", InvalidInput, "refuses"),
        (b"select 1 / 0", InvalidInput, "division by zero"),
        (b"do 'begin raise disk_full; end'", Unavailable, "disk of the database is full"),
        (b"insert into api_key values ('a', 'a', '{}', 'yesterday evening')", InvalidInput, "yesterday evening"),
        (b"do $$ begin raise exception using errcode = '40P01'; end $$", Interfered, "try again"),
    ],
)
async def test_the_drivers_errors_become_ours(
    historian: Historian, statement: bytes, error: type[Exception], message: str
) -> None:
    async def run() -> None:
        async with historian.transaction(SYSTEM, "use case") as tx:
            await tx.execute(statement)

    with pytest.raises(error, match=message) as caught:
        await run()
    assert isinstance(caught.value.__cause__, psycopg.Error)


async def test_a_programming_error_is_not_hidden(historian: Historian) -> None:
    async def run() -> None:
        async with historian.transaction(SYSTEM, "use case") as tx:
            await tx.execute(b"select nonsense")

    with pytest.raises(psycopg.errors.UndefinedColumn):
        await run()


async def test_a_deadlock_is_tried_again_and_both_get_through(historian: Historian) -> None:
    tries, met = 0, asyncio.Barrier(2)

    async def work(tx: Transaction, first: int, second: int) -> int:
        nonlocal tries
        tries += 1
        await tx.execute(b"select pg_advisory_xact_lock(%s)", (first,))
        if tries <= 2:
            await met.wait()  # each holds what the other wants next
        await tx.execute(b"select pg_advisory_xact_lock(%s)", (second,))
        return first

    both = [historian.run(SYSTEM, "test", lambda tx, a=a, b=b: work(tx, a, b)) for a, b in ((1, 2), (2, 1))]
    assert await asyncio.wait_for(asyncio.gather(*both), DEADLINE_S) == [1, 2]
    assert tries == 3


async def test_what_always_interferes_is_given_up_in_the_end(historian: Historian) -> None:
    tries = 0

    async def work(tx: Transaction) -> None:
        nonlocal tries
        tries += 1
        await tx.execute(b"do $$ begin raise exception using errcode = '40001'; end $$")

    with pytest.raises(Conflict):
        await historian.run(SYSTEM, "test", work)
    assert tries == 5


async def test_other_errors_are_not_tried_again(historian: Historian) -> None:
    tries = 0

    async def work(tx: Transaction) -> None:
        nonlocal tries
        tries += 1
        await tx.execute(b"select 1 / 0")

    with pytest.raises(InvalidInput):
        await historian.run(SYSTEM, "test", work)
    assert tries == 1


async def test_a_database_that_does_not_let_us_in_is_said_so(database_url: str) -> None:
    with pytest.raises(Unavailable, match="no_such_database"):
        await Historian.open(
            database_url.replace(database_url.split("?")[0].rsplit("/", 1)[1], "no_such_database"), patience_s=0.1
        )


@pytest.mark.parametrize("url", ["s3cret", "postgrseql://me:s3cret@db/forerun", "postgresql://me:s3cret@db/x?no=1"])
async def test_what_is_no_url_is_told_without_it(url: str) -> None:
    with pytest.raises(InvalidInput, match="FORERUN_DATABASE_URL") as told:
        await Historian.open(url)
    assert "s3cret" not in str(told.value)


async def test_what_is_no_character_is_refused(historian: Historian) -> None:
    with pytest.raises(InvalidInput, match=r"test: 'a\\udcff' holds what is no character"):
        async with historian.transaction(SYSTEM, "test") as tx:
            await add_key(tx, "a\udcff")


async def test_times_come_back_in_utc_and_transactions_know_the_wall_time(database_url: str) -> None:
    then = datetime(2026, 11, 23, tzinfo=UTC)
    historian = await Historian.open(database_url, connections=1, wall=lambda: then)
    async with historian.transaction(SYSTEM, "test") as tx:
        assert tx.at == then
        found = await tx.value(b"select timestamptz '2026-01-01 08:00+08'")
    assert (found, found.utcoffset()) == (datetime(2026, 1, 1, tzinfo=UTC), timedelta(0))
    await historian.close()


async def test_a_listener_that_was_cut_off_listens_again_and_says_so(historian: Historian) -> None:
    notices = historian.listen([Channel.PLANS, Channel.FLOOR])
    assert {(await anext(notices)).channel for _ in range(2)} == {Channel.PLANS, Channel.FLOOR}
    async with historian.transaction(SYSTEM, "test") as tx:
        await tx.notify(Channel.PLANS, "p-1")
    assert (await asyncio.wait_for(anext(notices), DEADLINE_S)).payload == "p-1"
    async with historian.transaction(SYSTEM, "test") as tx:
        cut = await tx.value(
            b"select count(pg_terminate_backend(pid)) from pg_stat_activity"
            b" where datname = current_database() and query like 'listen%%' and pid <> pg_backend_pid()"
        )
    assert cut == 1
    again = [await asyncio.wait_for(anext(notices), DEADLINE_S) for _ in range(2)]
    assert {(notice.channel, notice.payload) for notice in again} == {(Channel.PLANS, ""), (Channel.FLOOR, "")}
    async with historian.transaction(SYSTEM, "test") as tx:
        await tx.notify(Channel.FLOOR, "M01")
    assert (await asyncio.wait_for(anext(notices), DEADLINE_S)).payload == "M01"
    await notices.aclose()
