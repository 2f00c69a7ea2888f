"""Upkeep goes by plant time and takes nothing away from what is stored."""

from __future__ import annotations

from datetime import timedelta

from historian import samples
from historian.database import Historian
from plant.actor import SYSTEM
from plant.reading import BAD_NO_COMMUNICATION, Reading
from tests.historian.test_samples import JOB, START, TAG, stored, temperatures, write


async def test_readings_in_the_columnstore_are_still_stored_once_and_late_ones_find_their_place(
    store: Historian,
) -> None:
    old = [*temperatures(200), Reading(JOB, START, "J1")]
    await write(store, *old)
    for _ in range(2):
        await store.keep_in_shape(START + timedelta(days=60))
    late = [Reading(TAG, START, 99.0), Reading(TAG, START + timedelta(seconds=0.5), None, BAD_NO_COMMUNICATION)]
    written = await write(store, *old, *late, Reading(JOB, START, "J2"))
    assert (written.stored, written.repeated) == (3, 201)
    found = await stored(store)
    assert len(found) == 202
    assert [row[1:3] for row in found[:3]] == [(0, 20.0), (1, 99.0), (0, None)]
    async with store.transaction(SYSTEM, "test") as tx:
        texts = await samples.state_readings(tx, "M01", START)
    assert [one.value for one in texts] == ["J1", "J2"]


async def test_the_weeks_to_come_have_partitions_or_old_chunks_are_in_the_columnstore(store: Historian) -> None:
    await write(store, *temperatures(5), Reading(TAG, START + timedelta(days=58), 1.0))
    await store.keep_in_shape(START + timedelta(days=60))
    async with store.transaction(SYSTEM, "test") as tx:
        if tx.features.copy:  # plain PostgreSQL: the weeks to come have their partitions
            weeks = {
                row["name"] for row in await tx.all(b"select relname::text as name from pg_class where relkind = 'r'")
            }
            assert {"sample_20260302", "sample_20260309", "sample_20260316", "sample_text_20260316"} <= weeks
            return
        chunks = await tx.all(
            b"select is_compressed from timescaledb_information.chunks"
            b" where hypertable_name = 'sample' order by range_start"
        )
    assert [row["is_compressed"] for row in chunks] == [True, False]
