"""What keeps the tables in shape: rollups, partitions ahead of time, old readings into the columnstore."""

from __future__ import annotations

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from historian.features import Features, StoreKind


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
