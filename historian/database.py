"""The door to the database: connections, transactions, retries, migrations and notifications."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncConnection, sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import AsyncRowFactory, TupleRow, dict_row, tuple_row
from psycopg_pool import AsyncConnectionPool

from historian.errors import Interfered, translated
from historian.features import Features, features_of
from historian.maintenance import keep_in_shape, refresh_rollups
from historian.migrations import migrate
from plant.actor import Actor
from plant.clock import wall_now
from plant.errors import InvalidInput, Unavailable

T = TypeVar("T")
Params = Mapping[str, Any] | Sequence[Any] | None

_ATTEMPTS = 5
_POOL_TIMEOUT_S = 10.0
_RECONNECT_S = (0.1, 0.5, 1.0, 2.0, 5.0)


class Channel(StrEnum):
    """What the database notifies of, in the transaction that changed it; the payload names what changed."""

    FLOOR = "floor"
    PLANS = "plans"
    ORDERS = "orders"
    JOBS = "jobs"
    CLOCK = "clock"
    OUTBOX = "outbox"
    TWIN = "twin"
    """Calibrations and measurements of the twin's error."""


@dataclass(frozen=True)
class Notice:
    """Something changed. An empty payload means: anything may have, look at all of it."""

    channel: Channel
    payload: str


@dataclass(frozen=True)
class Transaction:
    """One open transaction and on whose behalf it runs; the subject modules' functions take it first.

    Attributes
    ----------
    at
        Wall time (UTC) at which it began: what the ledger and the outbox stamp with.
    """

    connection: AsyncConnection[TupleRow]
    actor: Actor
    use_case: str
    at: datetime
    features: Features

    async def execute(self, statement: bytes | sql.Composed, params: Params = None) -> int:
        """Run a statement and return how many rows it touched."""
        return (await self.connection.execute(statement, params)).rowcount

    async def execute_many(self, statement: bytes, params: Sequence[Mapping[str, Any]]) -> int:
        """Run a statement once per set of parameters and return how many rows it touched in all."""
        async with self.connection.cursor() as cursor:
            await cursor.executemany(statement, params)
            return cursor.rowcount

    async def all(self, statement: bytes, params: Params = None) -> list[dict[str, Any]]:
        """Return every row."""
        return await self.rows(dict_row, statement, params)

    async def first(self, statement: bytes, params: Params = None) -> dict[str, Any] | None:
        """Return the first row, or None."""
        rows = await self.all(statement, params)
        return rows[0] if rows else None

    async def value(self, statement: bytes, params: Params = None) -> Any:
        """Return the first column of the first row, or None."""
        rows = await self.rows(tuple_row, statement, params)
        return rows[0][0] if rows else None

    async def rows(self, factory: AsyncRowFactory[T], statement: bytes, params: Params = None) -> list[T]:
        """Return every row as `factory` makes it, read in binary."""
        async with self.connection.cursor(binary=True, row_factory=factory) as cursor:
            await cursor.execute(statement, params)
            return await cursor.fetchall()

    async def notify(self, channel: Channel, payload: str = "") -> None:
        """Tell the listeners of `channel`, when and if this transaction commits."""
        await self.connection.execute(b"select pg_notify(%s, %s)", (str(channel), payload))


def _check_url(url: str) -> None:
    try:
        conninfo_to_dict(url)
    except psycopg.ProgrammingError:  # its words may hold the password
        raise InvalidInput(
            "setting database_url (FORERUN_DATABASE_URL): that is no PostgreSQL URL; write it as "
            "postgresql://user@host:5432/database"
        ) from None


class Historian:
    """A pool of connections to one database. Made by `open`; only operations open transactions."""

    def __init__(self, url: str, pool: AsyncConnectionPool[AsyncConnection[TupleRow]], wall: Callable[[], datetime]):
        self._url = url
        self._pool = pool
        self._wall = wall
        self._features: Features | None = None

    @classmethod
    async def open(
        cls, url: str, connections: int = 10, wall: Callable[[], datetime] = wall_now, patience_s: float = 10.0
    ) -> Historian:
        """Connect to the database at `url` (a libpq URL).

        Parameters
        ----------
        connections
            The most that are open at once; listeners hold one more each.
        wall
            The wall clock.
        patience_s
            Seconds to wait for a database that is only just starting.

        Raises
        ------
        InvalidInput
            When that is no URL of a database.
        Unavailable
            When it does not answer in time, or does not let us in.
        """
        _check_url(url)
        pool = AsyncConnectionPool(
            url,
            connection_class=AsyncConnection[TupleRow],
            kwargs={"options": "-c timezone=UTC"},
            check=AsyncConnectionPool.check_connection,  # a server that was restarted costs no request
            min_size=min(2, connections),
            max_size=connections,
            timeout=_POOL_TIMEOUT_S,
            open=False,
            name="historian",
        )
        historian = cls(url, pool, wall)
        try:
            with translated("opening the database"):
                await pool.open(wait=True, timeout=patience_s)
        except Unavailable:
            await pool.close()
            with translated("opening the database"):  # the pool does not say why; this does
                await (await AsyncConnection.connect(url, connect_timeout=5)).close()
            raise
        return historian

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.close()

    async def migrate(self) -> list[str]:
        """Bring the tables up to date and return the names of the migrations that were applied.

        Raises
        ------
        Conflict
            When an applied migration's text has changed since, or the database is newer than this program.
        """
        with translated("migrating the database"):
            async with self._pool.connection() as connection, connection.transaction():
                applied = await migrate(connection, self._wall())
        self._features = None
        return applied

    @asynccontextmanager
    async def transaction(self, actor: Actor, use_case: str) -> AsyncIterator[Transaction]:
        """Open a transaction on behalf of `actor`; leaving the block commits, an exception rolls back.

        Raises
        ------
        Unavailable, Conflict, InvalidInput
            What the driver says, translated.
        """
        with translated(use_case):
            async with self._pool.connection() as connection, connection.transaction():
                features = await self._known_features(connection)
                yield Transaction(connection, actor, use_case, self._wall(), features)

    async def run(self, actor: Actor, use_case: str, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Run `work` in a transaction, and again if another transaction got in its way: the one place that retries.

        `work` must have no effect but through its transaction.
        """
        for attempt in range(_ATTEMPTS):
            try:
                async with self.transaction(actor, use_case) as tx:
                    return await work(tx)
            except Interfered:
                if attempt == _ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")

    async def keep_in_shape(self, plant_now: datetime) -> None:
        """Do what the tables need now and then, at plant time `plant_now`; once an hour is enough."""
        with translated("keeping the tables in shape"):
            async with self._pool.connection() as connection, connection.transaction():
                await keep_in_shape(connection, await self._known_features(connection), plant_now)

    async def refresh_rollups(self) -> None:
        """Bring `sample_1m` and `sample_1h` up to date where the server does not do so by itself in the writer."""
        with translated("refreshing the rollups"):
            async with self._pool.connection() as connection:
                await refresh_rollups(connection, await self._known_features(connection))

    async def listen(self, channels: Sequence[Channel]) -> AsyncGenerator[Notice, None]:
        """Yield what is notified on `channels`, for ever, reconnecting by itself.

        After each connection, the first included, it yields one notice with an empty payload per channel: whatever
        was notified before was not heard. Close the iterator (`contextlib.aclosing`) to stop listening.
        """
        failures = 0
        while True:
            try:
                async with aclosing(self._notices(channels)) as notices:
                    async for notice in notices:
                        failures = 0
                        yield notice
            except (psycopg.OperationalError, psycopg.InterfaceError):
                pass
            await asyncio.sleep(_RECONNECT_S[min(failures, len(_RECONNECT_S) - 1)])
            failures += 1

    async def _notices(self, channels: Sequence[Channel]) -> AsyncGenerator[Notice, None]:
        async with await AsyncConnection.connect(self._url, autocommit=True, connect_timeout=10) as connection:
            for channel in channels:
                await connection.execute(sql.SQL("listen {}").format(sql.Identifier(channel)))
            for channel in channels:
                yield Notice(channel, "")
            async for notify in connection.notifies():
                yield Notice(Channel(notify.channel), notify.payload)

    async def _known_features(self, connection: AsyncConnection[TupleRow]) -> Features:
        if self._features is None:
            self._features = await features_of(connection)
        return self._features
