"""The historian's suite runs on both kinds of database: plain PostgreSQL, and TimescaleDB in WebAssembly."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from psycopg import sql

from historian.database import Historian, Transaction
from plant.actor import SYSTEM
from tests.requirements import missing

_TESTS = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def timescale_url() -> Iterator[str]:
    """A TimescaleDB of one connection, for the session; skipped where its npm parts are not installed."""
    node = shutil.which("node")
    if node is None:
        missing("node is not installed (`make test` installs what it can)")
    if not (_TESTS / "node_modules" / "@unni-craftsman" / "pglite").is_dir():
        missing("the npm parts of the TimescaleDB for tests are not installed: run `npm ci` in tests/")
    assert node is not None
    server = subprocess.Popen(
        [node, str(_TESTS / "pglite.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        yield f"postgresql://postgres:any@127.0.0.1:{port}/postgres?sslmode=disable"
    finally:
        server.communicate(timeout=10)  # closes its standard input, which ends it


@pytest.fixture(params=["plain", "timescale"])
def store_url(request: pytest.FixtureRequest) -> str:
    """URL of a database of each kind: a fresh one, or the one of the session."""
    return str(request.getfixturevalue("database_url" if request.param == "plain" else "timescale_url"))


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Historian]:
    """An open historian on an empty migrated database of each kind."""
    timescale = "127.0.0.1" in store_url
    historian = await Historian.open(store_url, connections=1 if timescale else 10)
    if timescale:
        await historian.migrate()
        async with historian.transaction(SYSTEM, "empty the tables") as tx:
            await _empty_tables(tx)
    yield historian
    await historian.close()


async def _empty_tables(tx: Transaction) -> None:
    rows = await tx.all(
        b"select tablename from pg_tables where schemaname = 'public' and tablename <> 'schema_migration'"
    )
    await tx.execute(b"deallocate all")  # all its connections are one session
    names = [sql.Identifier(row["tablename"]) for row in rows]
    await tx.execute(sql.SQL("truncate {} restart identity").format(sql.SQL(", ").join(names)))
