"""Numbered SQL files bring a database up to date, each once and in order; a second process waits for the first."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from historian.features import StoreKind, kind_of, scalar
from plant.errors import Conflict

_FILE = re.compile(r"^(\d{4})_(\w+?)(?:\.(plain|timescale))?\.sql$")
_LOCK = 0x466F_7265_7275_6E00
_TABLE = b"""
create table if not exists schema_migration (
    number integer primary key,
    name text not null,
    kind text not null, -- how this database keeps readings
    checksum text not null,
    applied_at timestamptz not null -- wall
)
"""


@dataclass(frozen=True)
class Migration:
    """One numbered file; `kind` is None when it is the same for both kinds of database."""

    number: int
    name: str
    kind: StoreKind | None
    text: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def migrations(kind: StoreKind) -> list[Migration]:
    """Return the migrations of one kind of database in their order."""
    found = []
    for entry in files("historian").joinpath("sql", "migrations").iterdir():
        match = _FILE.match(entry.name)
        if match is None:
            continue
        only = StoreKind(match[3]) if match[3] else None
        if only in (None, kind):
            found.append(Migration(int(match[1]), match[2], only, entry.read_text(encoding="utf-8")))
    return sorted(found, key=lambda migration: migration.number)


async def migrate(connection: AsyncConnection[TupleRow], wall: datetime) -> list[str]:
    """Apply what is missing, inside the caller's transaction, and return its names."""
    await connection.execute(b"select pg_advisory_xact_lock(%s)", (_LOCK,))
    kind = await kind_of(connection)
    await connection.execute(_TABLE)
    if kind is None:
        kind = await _choose_kind(connection)
    known = migrations(kind)
    rows = await (await connection.execute(b"select number, checksum from schema_migration")).fetchall()
    applied: dict[int, str] = dict(rows)
    _check(known, applied)
    missing = [migration for migration in known if migration.number not in applied]
    for migration in missing:
        await connection.execute(migration.text.encode())
        await connection.execute(
            b"insert into schema_migration (number, name, kind, checksum, applied_at) values (%s, %s, %s, %s, %s)",
            (migration.number, migration.name, str(kind), migration.checksum, wall),
        )
    return [f"{migration.number:04}_{migration.name}" for migration in missing]


def _check(known: list[Migration], applied: dict[int, str]) -> None:
    """Refuse a database that another program version has made differently."""
    by_number = {migration.number: migration for migration in known}
    for number, checksum in applied.items():
        if number not in by_number:
            raise Conflict(
                f"the database has migration {number:04}, which this version of Forerun does not know; "
                "use the version that made it, or a newer one"
            )
        if by_number[number].checksum != checksum:
            raise Conflict(
                f"migration {number:04}_{by_number[number].name} was changed after it was applied; "
                "restore its text and put the change into a new migration"
            )


async def _choose_kind(connection: AsyncConnection[TupleRow]) -> StoreKind:
    """TimescaleDB wherever the server has it."""
    available = await scalar(connection, b"select 1 from pg_available_extensions where name = 'timescaledb'")
    if available is None:
        return StoreKind.PLAIN
    await connection.execute(b"create extension if not exists timescaledb")
    return StoreKind.TIMESCALE
