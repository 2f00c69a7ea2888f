"""What tests of several packages use: an embedded PostgreSQL per session, an empty migrated database per test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
import pytest
import structlog
from hypothesis import settings
from psycopg import sql

from historian.database import Historian
from runtime.embedded import EmbeddedPostgres

# A slow machine is no failure; what fails is printed so that it can be run again.
# `make test` asks the same examples of everybody, `make test-long` looks for new ones.
settings.register_profile("forerun", deadline=None, print_blob=True)
settings.register_profile("steady", settings.get_profile("forerun"), derandomize=True)
settings.load_profile("forerun")

_TEMPLATE = "migrated"
_numbers = count(1)


@pytest.fixture(autouse=True)
def _plain_logs() -> Iterator[None]:
    """Undo how a command that was run in this process set up the logs."""
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests and fixtures run on asyncio."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """One server for all tests; what a test must keep over a crash it starts a server of its own for."""
    folder: Path = tmp_path_factory.mktemp("postgres")
    server = EmbeddedPostgres(folder, {"fsync": "off", "synchronous_commit": "off", "autovacuum": "off"})
    server.start()
    try:
        _make_template(server)
        yield server
    finally:
        server.stop()


def _make_template(server: EmbeddedPostgres) -> None:
    _on(server, sql.SQL("create database {}").format(sql.Identifier(_TEMPLATE)))

    async def migrate() -> None:
        historian = await Historian.open(server.url_of(_TEMPLATE), connections=1)
        await historian.migrate()
        await historian.close()

    with ThreadPoolExecutor(1) as apart:  # an event loop may be running in this thread
        apart.submit(asyncio.run, migrate()).result()


def _on(server: EmbeddedPostgres, statement: sql.Composed) -> None:
    with psycopg.connect(server.url_of("postgres"), autocommit=True) as connection:
        connection.execute(statement)


@pytest.fixture
def empty_database_url(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """URL of a fresh database without tables."""
    with _database(postgres_server, "template0") as url:
        yield url


@pytest.fixture
def fresh_database_url(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """URL of a fresh migrated database, for tests that change more than rows."""
    with _database(postgres_server, _TEMPLATE) as url:
        yield url


@contextmanager
def _database(server: EmbeddedPostgres, template: str) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    made = sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template))
    _on(server, made)
    yield server.url_of(name)
    _on(server, sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def _shared_database_url(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    with _database(postgres_server, _TEMPLATE) as url:
        yield url


@pytest.fixture
def database_url(_shared_database_url: str) -> str:
    """URL of a migrated database without a row. It is the session's: making one takes ten times as long."""
    with psycopg.connect(_shared_database_url, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
        _empty(connection)
    return _shared_database_url


def _empty(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Delete every row and count from 1 again. Truncating makes files, which takes eight times as long."""
    tables = connection.execute(
        "select relname, pg_table_size(oid) > 1000000 from pg_class where relnamespace = 'public'::regnamespace"
        " and relkind in ('r', 'p') and not relispartition and relname <> 'schema_migration'"
    ).fetchall()
    connection.execute("set session_replication_role = replica")  # in whatever order they refer to each other
    for name, is_large in tables:
        statement = "truncate {} cascade" if is_large else "delete from {}"
        connection.execute(sql.SQL(statement).format(sql.Identifier(str(name))))
    connection.execute(
        "select setval(oid::regclass, 1, false) from pg_class"
        " where relnamespace = 'public'::regnamespace and relkind = 'S'"
    )


@pytest.fixture
async def historian(database_url: str) -> AsyncIterator[Historian]:
    """An open historian on a migrated database without a row."""
    opened = await Historian.open(database_url)
    yield opened
    await opened.close()
