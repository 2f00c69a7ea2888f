"""What tests of several packages use: an embedded PostgreSQL per session, a fresh migrated database per test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings
from psycopg import sql

from historian.database import Historian
from runtime.embedded import EmbeddedPostgres

# A slow machine is no failure; what fails is printed so that it can be run again.
settings.register_profile("forerun", deadline=None, print_blob=True)
settings.load_profile("forerun")

_TEMPLATE = "migrated"
_numbers = count(1)


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
    yield from _database(postgres_server, "template0")


@pytest.fixture
def database_url(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """URL of a fresh migrated database."""
    yield from _database(postgres_server, _TEMPLATE)


def _database(server: EmbeddedPostgres, template: str) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    made = sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template))
    _on(server, made)
    yield server.url_of(name)
    _on(server, sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
async def historian(database_url: str) -> AsyncIterator[Historian]:
    """An open historian on a fresh migrated database."""
    opened = await Historian.open(database_url)
    yield opened
    await opened.close()
