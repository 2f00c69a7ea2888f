"""What keeps the tables in shape: rollups, partitions ahead of time, old readings into the columnstore.

It goes by plant time, which policies inside the database cannot: they know the server's clock only.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from historian.features import Features, StoreKind
from historian.queries import query

_MAKE_WEEKS = query("maintenance", "make_weeks")
_COMPRESS = query("maintenance", "compress")

COLUMNSTORE_AFTER = timedelta(days=14)
"""Readings older than this are kept by column where TimescaleDB can; late ones still find their place."""


async def keep_in_shape(connection: AsyncConnection[TupleRow], features: Features, plant_now: datetime) -> None:
    """Make the partitions of the weeks to come, or move chunks that are done with to the columnstore."""
    if features.kind is StoreKind.PLAIN:
        await connection.execute(_MAKE_WEEKS, {"now": plant_now})
    else:
        await connection.execute(_COMPRESS, {"before": plant_now - COLUMNSTORE_AFTER})


async def refresh_rollups(connection: AsyncConnection[TupleRow], features: Features) -> None:
    """Materialise the continuous aggregates; on plain PostgreSQL the writer has kept the rollups already."""
    if features.kind is not StoreKind.TIMESCALE:
        return
    await connection.set_autocommit(True)
    try:
        for name in (b"sample_1m", b"sample_1h"):
            await connection.execute(b"call refresh_continuous_aggregate('" + name + b"', null, null)")
    finally:
        await connection.set_autocommit(False)
