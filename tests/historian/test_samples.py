"""Readings: stored once each, in order, in bulk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from historian import samples
from historian.database import Historian
from plant.actor import SYSTEM
from plant.errors import InvalidInput
from plant.reading import BAD_NO_COMMUNICATION, GOOD, Reading

START = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
TAG = "S/A/W/M01/temperature_c"
STATE = "S/A/W/M01/packml_state"
JOB = "S/A/W/M01/job_order"


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def temperatures(count: int, first: float = 0) -> list[Reading]:
    return [Reading(TAG, at(first + n), 20.0 + n) for n in range(count)]


async def write(store: Historian, *readings: Reading) -> samples.Written:
    async with store.transaction(SYSTEM, "test") as tx:
        return await samples.write(tx, readings)


async def stored(store: Historian, tag: str = TAG) -> list[tuple[datetime, int, object, int]]:
    async with store.transaction(SYSTEM, "test") as tx:
        rows = await tx.all(
            b"select s.time, s.ordinal, s.value, s.quality from sample s join tag t on t.id = s.tag_id"
            b" where t.path = %s order by 1, 2",
            (tag,),
        )
    return [(row["time"], row["ordinal"], row["value"], row["quality"]) for row in rows]


async def test_new_readings_are_stored(store: Historian) -> None:
    written = await write(store, *temperatures(1000))
    assert (written.stored, written.repeated) == (1000, 0)
    assert written.earliest == {TAG: START}
    assert await stored(store) == [(at(n), 0, 20.0 + n, GOOD) for n in range(1000)]


async def test_a_repeat_changes_nothing_and_the_rest_of_its_batch_is_stored(store: Historian) -> None:
    await write(store, *temperatures(10))
    written = await write(store, *temperatures(15))
    assert (written.stored, written.repeated) == (5, 10)
    assert written.earliest == {TAG: at(10)}
    again = await write(store, *temperatures(15))
    assert (again.stored, again.repeated, again.earliest) == (0, 15, {})
    assert len(await stored(store)) == 15


async def test_another_value_at_the_same_time_gets_the_next_ordinal(store: Historian) -> None:
    await write(store, Reading(TAG, START, 1.0))
    await write(store, Reading(TAG, START, 2.0), Reading(TAG, START, None, BAD_NO_COMMUNICATION))
    await write(store, Reading(TAG, START, 2.0), Reading(TAG, START, 1.0), Reading(TAG, START, 3.0))
    assert await stored(store) == [
        (START, 0, 1.0, GOOD),
        (START, 1, 2.0, GOOD),
        (START, 2, None, BAD_NO_COMMUNICATION),
        (START, 3, 3.0, GOOD),
    ]


async def test_repeats_within_one_batch_are_stored_once_in_their_order(store: Historian) -> None:
    written = await write(store, *[Reading(TAG, START, value) for value in (2.0, 1.0, 2.0, 1.0)])
    assert (written.stored, written.repeated) == (2, 2)
    assert [row[1:3] for row in await stored(store)] == [(0, 2.0), (1, 1.0)]


async def test_bad_readings_without_value_are_repeats_too(store: Historian) -> None:
    gap = Reading(TAG, START, None, BAD_NO_COMMUNICATION)
    await write(store, gap)
    written = await write(store, gap, Reading(TAG, START, 1.0, BAD_NO_COMMUNICATION))
    assert (written.stored, written.repeated) == (1, 1)


async def test_texts_are_kept_beside_numbers(store: Historian) -> None:
    readings = [Reading(JOB, START, "CO-1/1-10"), Reading(STATE, START, 6), Reading(JOB, at(5), "")]
    assert (await write(store, *readings)).stored == 3
    assert (await write(store, *readings)).repeated == 3
    async with store.transaction(SYSTEM, "test") as tx:
        assert await samples.state_readings(tx, "M01", START) == [
            Reading(JOB, START, "CO-1/1-10"),
            Reading(STATE, START, 6.0),
            Reading(JOB, at(5), ""),
        ]


@pytest.mark.parametrize(("tag", "value"), [(TAG, "hot"), (JOB, 7.0)])
async def test_a_value_of_the_wrong_type_is_refused_and_nothing_of_the_batch_is_stored(
    store: Historian, tag: str, value: float | str
) -> None:
    with pytest.raises(InvalidInput, match=tag):
        await write(store, *temperatures(3), Reading(tag, START, value))
    assert await stored(store) == []


async def test_the_state_before_a_time_is_each_signals_last_and_last_usable_reading(store: Historian) -> None:
    lost = Reading(STATE, at(20), None, BAD_NO_COMMUNICATION)
    await write(store, Reading(STATE, START, 4), Reading(STATE, at(10), 6), Reading(JOB, at(9), "J"), lost)
    async with store.transaction(SYSTEM, "test") as tx:
        assert await samples.state_before(tx, "M01", at(21)) == [
            Reading(JOB, at(9), "J"),
            Reading(STATE, at(10), 6.0),
            lost,
        ]
        assert await samples.state_before(tx, "M01", at(10)) == [Reading(STATE, START, 4.0), Reading(JOB, at(9), "J")]
        assert await samples.state_before(tx, "M02", at(21)) == []


async def test_a_series_is_columns_with_a_half_open_range(store: Historian) -> None:
    lost = Reading(TAG, at(2.5), None, BAD_NO_COMMUNICATION)
    await write(store, *temperatures(5), lost)
    async with store.transaction(SYSTEM, "test") as tx:
        found = await samples.series(tx, [TAG, STATE], at(1), at(4))
    assert list(found) == [TAG]
    assert found[TAG].time_s.tolist() == [START.timestamp() + second for second in (1, 2, 2.5, 3)]
    np.testing.assert_array_equal(found[TAG].values, [21.0, 22.0, np.nan, 23.0])
    assert found[TAG].quality.tolist() == [GOOD, GOOD, BAD_NO_COMMUNICATION, GOOD]


async def test_rollups_count_good_readings_and_follow_late_ones(store: Historian) -> None:
    minute, hour = timedelta(minutes=1), timedelta(hours=1)
    await write(store, *temperatures(90), Reading(TAG, at(3599), None, BAD_NO_COMMUNICATION))
    await write(store, Reading(TAG, at(30.5), 500.0))
    await store.refresh_rollups()
    async with store.transaction(SYSTEM, "test") as tx:
        minutes = await samples.rollup(tx, [TAG], START, at(7200), minute)
        hours = await samples.rollup(tx, [TAG], START, at(7200), hour)
    first = sum(20.0 + n for n in range(60)) + 500.0
    second = sum(20.0 + n for n in range(60, 90))
    assert minutes == [
        samples.Rollup(TAG, START, 61, 20.0, 500.0, first),
        samples.Rollup(TAG, at(60), 30, 80.0, 109.0, second),
    ]
    assert hours == [samples.Rollup(TAG, START, 91, 20.0, 500.0, first + second)]


async def test_readings_of_many_weeks_find_their_place(store: Historian) -> None:
    weekly = [Reading(TAG, START + timedelta(days=7 * n), float(n)) for n in range(-30, 30)]
    assert (await write(store, *weekly)).stored == 60
    assert [row[2] for row in await stored(store)] == [float(n) for n in range(-30, 30)]


async def test_a_week_begun_in_the_default_partition_moves_to_its_own(fresh_database_url: str) -> None:
    historian = await Historian.open(fresh_database_url)
    await write(historian, *temperatures(1))
    later = START + timedelta(days=70)
    async with historian.transaction(SYSTEM, "test") as tx:
        await tx.execute(b"insert into sample (tag_id, time, value) select id, %s, 7 from tag", (later,))
    assert (await write(historian, Reading(TAG, later, 7.0), Reading(TAG, later, 8.0))).stored == 1
    async with historian.transaction(SYSTEM, "test") as tx:
        assert await tx.value(b"select count(*) from sample_default") == 0
        assert await tx.value(b"select count(*) from sample_20260316") == 2
    await historian.close()


async def test_two_writers_of_the_same_readings_store_them_once(historian: Historian) -> None:
    import asyncio

    written = await asyncio.gather(*(write(historian, *temperatures(200)) for _ in range(4)))
    assert sum(one.stored for one in written) == 200
    assert len(await stored(historian)) == 200


async def test_nothing_written_is_nothing_stored(store: Historian) -> None:
    assert await write(store) == samples.Written(0, 0, {})


async def test_the_newest_readings_of_every_tag_and_the_last_value_before_a_time(store: Historian) -> None:
    lost = Reading(TAG, at(2.5), None, BAD_NO_COMMUNICATION)
    await write(store, *temperatures(3), lost, Reading(JOB, START, "J"), Reading("S/A/W/M02/packml_state", START, 4))
    async with store.transaction(SYSTEM, "test") as tx:
        assert await samples.newest(tx, ["M01"]) == [Reading(JOB, START, "J"), Reading(TAG, at(2), 22.0), lost]
        assert await samples.last_before(tx, [TAG, STATE], at(9)) == {TAG: 22.0}
        assert await samples.last_before(tx, [TAG, STATE], at(2)) == {TAG: 21.0}


async def test_moments_are_exact_to_the_microsecond(store: Historian) -> None:
    odd = [START + timedelta(microseconds=n * 333_333 + 1) for n in range(50)]
    await write(store, *[Reading(TAG, moment, 1.0) for moment in odd])
    async with store.transaction(SYSTEM, "test") as tx:
        found = await samples.series(tx, [TAG], START, at(100))
    assert found[TAG].moments() == odd
    assert found[TAG].moments(np.arange(50) < 2) == odd[:2]
