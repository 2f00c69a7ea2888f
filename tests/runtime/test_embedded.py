"""The embedded PostgreSQL: durable, private, taken over after a crash; and the embedded MQTT broker."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from historian import samples
from historian.database import Historian
from plant.actor import SYSTEM
from plant.errors import Conflict, Unavailable
from plant.reading import Reading
from runtime.embedded import EmbeddedBroker, EmbeddedPostgres
from runtime.leftovers import servers_on
from tests.runtime.test_processes import wait_until_gone

_SUPERVISOR = """
import sys, time
from pathlib import Path
from runtime.embedded import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
server.start()
print(server.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Callable[..., EmbeddedPostgres]]:
    """Makes servers on one folder and ends them."""
    made: list[EmbeddedPostgres] = []

    def make(**options: bool) -> EmbeddedPostgres:
        made.append(EmbeddedPostgres(tmp_path / "postgres", **options))
        return made[-1]

    yield make
    for one in made:
        one.stop()
    assert list(servers_on(tmp_path / "postgres" / "data")) == []


def execute(server: EmbeddedPostgres, statement: bytes) -> list[tuple[object, ...]]:
    with psycopg.connect(server.url) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def test_it_keeps_its_data_from_one_start_to_the_next(server: Callable[..., EmbeddedPostgres]) -> None:
    first = server()
    first.start()
    execute(first, b"create table kept as select 42 as n")
    first.stop()
    with pytest.raises(Unavailable):
        first.child
    second = server()
    second.start()
    assert execute(second, b"select n from kept") == [(42,)]


def test_it_is_private_and_durable(server: Callable[..., EmbeddedPostgres], tmp_path: Path) -> None:
    one = server()
    one.start()
    settings = dict(
        execute(
            one,
            b"select name, setting from pg_settings where name in ('listen_addresses', 'fsync', 'full_page_writes')",
        )
    )
    assert settings == {"listen_addresses": "", "fsync": "on", "full_page_writes": "on"}
    # A socket's path is short: below a long folder it lies elsewhere.
    sockets = Path(str(psycopg.conninfo.conninfo_to_dict(one.url)["host"]))
    for path in (*(tmp_path / name for name in ("postgres", "postgres/data", "postgres/password")), sockets):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    secret = (tmp_path / "postgres" / "password").read_text().strip().rsplit(":", 1)[1]
    assert secret not in one.url
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(one.url.split("&passfile")[0])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
def test_as_root_it_also_runs_where_user_namespaces_are_forbidden(server: Callable[..., EmbeddedPostgres]) -> None:
    namespaced = server()
    namespaced.start()
    execute(namespaced, b"create table kept as select 42 as n")
    namespaced.stop()
    as_nobody = server(user_namespace=False)
    as_nobody.start()
    assert Path(f"/proc/{as_nobody.pid}").stat().st_uid not in {0, os.geteuid()}
    assert execute(as_nobody, b"select n from kept") == [(42,)]
    as_nobody.stop()
    again = server()
    again.start()
    assert execute(again, b"select n from kept") == [(42,)]


def test_a_folder_in_use_is_left_alone(server: Callable[..., EmbeddedPostgres]) -> None:
    first, second = server(), server()
    first.start()
    with pytest.raises(Conflict, match="in use"):
        second.start()
    second.stop()
    assert execute(first, b"select 1") == [(1,)]


def test_a_long_path_gets_a_short_socket(tmp_path: Path) -> None:
    one = EmbeddedPostgres(tmp_path / ("long" * 30))
    one.start()
    try:
        assert execute(one, b"select 1") == [(1,)]
    finally:
        one.stop()


@pytest.mark.parametrize("server_too", [False, True])
def test_after_kill_9_the_next_start_takes_over(
    server: Callable[..., EmbeddedPostgres], tmp_path: Path, server_too: bool
) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    folder = tmp_path / "postgres"
    killed = subprocess.Popen(
        [sys.executable, "-c", _SUPERVISOR, str(folder)], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert killed.stdout is not None
    pid = int(next(line for line in iter(killed.stdout.readline, "") if line.strip().isdigit()))
    if server_too:
        os.kill(pid, signal.SIGSTOP)  # so that it cannot leave in good order when its parent goes
    killed.kill()
    killed.wait()
    killed.stdout.close()
    if server_too:
        os.kill(pid, signal.SIGKILL)
    one = server()
    one.start()
    assert one.pid != pid
    assert execute(one, b"select 1") == [(1,)]
    wait_until_gone(pid)


def test_a_lock_file_whose_number_is_another_programs_by_now_does_not_stop_it(
    server: Callable[..., EmbeddedPostgres], tmp_path: Path
) -> None:
    one = server()
    one.start()
    lock = tmp_path / "postgres" / "data" / "postmaster.pid"
    lines = lock.read_text().splitlines()
    one.stop()
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        lock.write_text("\n".join([str(bystander.pid), *lines[1:]]) + "\n")
        again = server()
        again.start()
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


async def test_what_was_committed_survives_kill_9_and_the_historian_goes_on(
    server: Callable[..., EmbeddedPostgres],
) -> None:
    one = server()
    one.start()
    historian = await Historian.open(one.url, connections=4)
    await historian.migrate()
    start = datetime(2026, 1, 5, 6, tzinfo=UTC)
    readings = [Reading("S/A/W/M01/power_kw", start + timedelta(seconds=n), float(n)) for n in range(500)]
    for n in range(0, 500, 50):
        async with historian.transaction(SYSTEM, "test") as tx:
            await samples.write(tx, readings[n : n + 50])
    os.kill(one.pid, signal.SIGKILL)
    await one.child.ended()
    one.restart()
    async with historian.transaction(SYSTEM, "test") as tx:
        found = await samples.series(tx, ["S/A/W/M01/power_kw"], start, start + timedelta(days=1))
        assert found["S/A/W/M01/power_kw"].values.tolist() == [float(n) for n in range(500)]
        assert (await samples.write(tx, readings)).repeated == 500
    await historian.close()


def test_the_broker_starts_again_on_its_port_and_ends(tmp_path: Path) -> None:
    broker = EmbeddedBroker(tmp_path / "broker.log")
    broker.start()
    try:
        port = broker.port
        broker.child.kill()
        broker.child.wait_or_kill()
        broker.restart()
        assert broker.port == port
        assert broker.url.endswith(f"@127.0.0.1:{port}")
        pid = broker.child.pid
    finally:
        broker.stop()
    wait_until_gone(pid)
