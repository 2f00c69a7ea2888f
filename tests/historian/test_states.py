"""Machine states: intervals that never overlap, repaired from any moment on; hours add up."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from historian import states
from historian.database import Historian
from plant.actor import SYSTEM
from plant.machine_state import MachineState, StateInterval

START = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def interval(start: float, end: float | None, state: MachineState, machine: str = "M01") -> StateInterval:
    return StateInterval(machine, at(start), None if end is None else at(end), state, "", None)


FIRST = [
    interval(0, 100, MachineState.IDLE),
    StateInterval("M01", at(100), at(4000), MachineState.EXECUTING, "why", "CO-1/1-10"),
    interval(4000, None, MachineState.IDLE),
]


async def replace(store: Historian, *fresh: StateInterval) -> list[StateInterval]:
    async with store.transaction(SYSTEM, "test") as tx:
        await states.lock(tx, {"M01"})
        await states.replace_from(tx, "M01", fresh)
    async with store.transaction(SYSTEM, "test") as tx:
        return await states.intervals(tx, START - timedelta(days=1), START + timedelta(days=9), ["M01"])


async def test_intervals_are_kept_as_they_are(store: Historian) -> None:
    assert await replace(store, *FIRST) == FIRST
    assert await replace(store, *FIRST) == FIRST


async def test_what_began_at_or_after_the_first_fresh_one_is_replaced_and_the_one_before_ends_there(
    store: Historian,
) -> None:
    await replace(store, *FIRST)
    late = [interval(2000, 5000, MachineState.BREAKDOWN), interval(5000, None, MachineState.HELD)]
    cut = StateInterval("M01", at(100), at(2000), MachineState.EXECUTING, "why", "CO-1/1-10")
    assert await replace(store, *late) == [FIRST[0], cut, *late]


async def test_an_interval_that_ended_goes_on_until_the_fresh_one(store: Historian) -> None:
    await replace(store, *FIRST)
    found = await replace(store, interval(9000, None, MachineState.SETUP))
    assert found[-2:] == [interval(4000, 9000, MachineState.IDLE), interval(9000, None, MachineState.SETUP)]


async def test_only_what_touches_the_period_is_returned(store: Historian) -> None:
    await replace(store, *FIRST)
    async with store.transaction(SYSTEM, "test") as tx:
        assert await states.intervals(tx, at(50), at(100)) == FIRST[:1]
        assert await states.intervals(tx, at(100), at(101)) == FIRST[1:2]
        assert await states.intervals(tx, at(9999), at(10000)) == FIRST[2:]
        assert await states.intervals(tx, at(0), at(9999), ["M02"]) == []


async def test_before_and_last(store: Historian) -> None:
    await replace(store, *FIRST)
    async with store.transaction(SYSTEM, "test") as tx:
        assert await states.before(tx, "M01", at(100)) == FIRST[0]
        assert await states.before(tx, "M01", at(0)) is None
        assert await states.last(tx, ["M01", "M02"]) == {"M01": FIRST[2]}


async def test_hours_hold_each_ended_interval_split_at_the_hour_and_follow_a_repair(store: Historian) -> None:
    hour = MachineState.IDLE, MachineState.EXECUTING
    await replace(store, *FIRST)
    async with store.transaction(SYSTEM, "test") as tx:
        assert await states.hours(tx, START, at(99_999)) == [
            states.StateHour("M01", START, hour[1], 3500.0),
            states.StateHour("M01", START, hour[0], 100.0),
            states.StateHour("M01", at(3600), hour[1], 400.0),
        ]
    await replace(store, interval(3700, 3700 + 7200, MachineState.BREAKDOWN), interval(3700 + 7200, None, hour[0]))
    async with store.transaction(SYSTEM, "test") as tx:
        found = [(one.hour, one.state, one.duration_s) for one in await states.hours(tx, at(3600), at(99_999), ["M01"])]
    broken = MachineState.BREAKDOWN
    assert found == [
        (at(3600), broken, 3500.0),
        (at(3600), hour[1], 100.0),
        (at(7200), broken, 3600.0),
        (at(10_800), broken, 100.0),
    ]


async def test_a_second_writer_waits_for_the_first(historian: Historian) -> None:
    order: list[str] = []
    locked, may_end = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with historian.transaction(SYSTEM, "first") as tx:
            await states.lock(tx, {"M02", "M01"})
            locked.set()
            await may_end.wait()
            order.append("first")

    async def second() -> None:
        await locked.wait()
        async with historian.transaction(SYSTEM, "second") as tx:
            waiting = asyncio.ensure_future(states.lock(tx, {"M01", "M03"}))
            await until_a_lock_is_waited_for(historian)
            may_end.set()
            await waiting
            order.append("second")

    await asyncio.wait_for(asyncio.gather(first(), second()), 20)
    assert order == ["first", "second"]


async def until_a_lock_is_waited_for(historian: Historian) -> None:
    while True:
        async with historian.transaction(SYSTEM, "look") as tx:
            if await tx.value(
                b"select count(*) from pg_locks l join pg_database d on d.oid = l.database"
                b" where not granted and locktype = 'advisory' and d.datname = current_database()"
            ):
                return
