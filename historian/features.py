"""What a database and its server can do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from psycopg import AsyncConnection
from psycopg.rows import TupleRow


class StoreKind(StrEnum):
    """How readings are kept; fixed when the database is made."""

    PLAIN = "plain"
    TIMESCALE = "timescale"


@dataclass(frozen=True)
class Features:
    """What the writer must know: how readings are kept, and whether the server takes ``COPY ... FROM STDIN``."""

    kind: StoreKind
    copy: bool


async def scalar(connection: AsyncConnection[TupleRow], statement: bytes) -> object:
    """Return the first column of the first row, or None."""
    row = await (await connection.execute(statement)).fetchone()
    return None if row is None else row[0]


async def kind_of(connection: AsyncConnection[TupleRow]) -> StoreKind | None:
    """Return the kind of a database, None before its first migration."""
    if (await scalar(connection, b"select to_regclass('schema_migration')")) is None:
        return None
    found = await scalar(connection, b"select kind from schema_migration order by number limit 1")
    return None if found is None else StoreKind(str(found))


async def features_of(connection: AsyncConnection[TupleRow]) -> Features:
    """Return what a migrated database can do. PostgreSQL compiled to WebAssembly (emcc) takes no COPY."""
    version = str(await scalar(connection, b"select version()"))
    return Features(await kind_of(connection) or StoreKind.PLAIN, "emcc" not in version)
