"""A migrated database equals the committed schema, and refuses what another version made."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path

import psycopg
import pytest

import historian.database as database
from historian import migrations
from historian.database import Historian
from historian.features import StoreKind
from plant.actor import SYSTEM
from plant.errors import Conflict
from runtime.embedded import program

_SCHEMA = Path(database.__file__).parent / "sql" / "schema.sql"


def dump(url: str) -> str:
    """Return what makes the tables of a database, without comments, settings and what differs per run."""
    made = subprocess.run(
        [program("pg_dump"), "--schema-only", "--no-owner", "--no-privileges", url],
        check=True,
        capture_output=True,
        text=True,
    )
    noise = ("--", "SET ", "SELECT pg_catalog.set_config", "\\")
    lines = [line for line in made.stdout.splitlines() if line.strip() and not line.startswith(noise)]
    return "\n".join(lines) + "\n"


def test_a_migrated_database_equals_the_committed_schema(fresh_database_url: str, empty_database_url: str) -> None:
    migrated = dump(fresh_database_url)
    if os.environ.get("WRITE_SCHEMA"):
        _SCHEMA.write_text("-- Made by: WRITE_SCHEMA=1 pytest tests/historian/test_migrations.py\n" + migrated)
    with psycopg.connect(empty_database_url) as connection:
        connection.execute(_SCHEMA.read_bytes())
    assert dump(empty_database_url) == migrated


async def test_migrating_again_changes_nothing(store: Historian) -> None:
    assert await store.migrate() == []


async def test_two_processes_that_migrate_at_once_do_it_once(empty_database_url: str) -> None:
    both = [await Historian.open(empty_database_url, connections=1) for _ in range(2)]
    applied = await asyncio.gather(*(one.migrate() for one in both))
    assert sorted(map(len, applied)) == [0, len(migrations.migrations(StoreKind.PLAIN))]
    for one in both:
        await one.close()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (b"update schema_migration set checksum = 'other' where number = 1", "0001_tables was changed"),
        (b"insert into schema_migration values (9999, 'later', 'plain', '', now())", "9999.*newer"),
    ],
)
async def test_a_database_of_another_version_is_refused(fresh_database_url: str, change: bytes, message: str) -> None:
    historian = await Historian.open(fresh_database_url, connections=1)
    async with historian.transaction(SYSTEM, "test") as tx:
        await tx.execute(change)
    with pytest.raises(Conflict, match=message):
        await historian.migrate()
    await historian.close()


async def test_both_kinds_of_database_have_the_same_columns(historian: Historian, timescale_url: str) -> None:
    timescale = await Historian.open(timescale_url, connections=1)
    await timescale.migrate()
    try:
        assert await columns(historian) == await columns(timescale)
    finally:
        await timescale.close()


async def columns(store: Historian) -> set[tuple[str, str, str]]:
    async with store.transaction(SYSTEM, "test") as tx:
        rows = await tx.all(
            b"select table_name::text, column_name::text, data_type::text from information_schema.columns"
            b" where table_schema = 'public' and table_name !~ '_default$|_[0-9]{8}$'"
        )
    return {(row["table_name"], row["column_name"], row["data_type"]) for row in rows}


def test_every_migration_has_its_own_number() -> None:
    for kind in StoreKind:
        numbers = [migration.number for migration in migrations.migrations(kind)]
        assert numbers == list(range(1, len(numbers) + 1))
