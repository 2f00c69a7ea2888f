"""The embedded PostgreSQL: starts, keeps what was committed over `kill -9`, leaves no process."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psycopg
import pytest

from runtime.embedded import EmbeddedPostgres


def test_keeps_what_was_committed_over_a_kill_and_a_second_start(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "postgres")
    server.start()
    with psycopg.connect(server.url) as connection:
        connection.execute("create table kept (n int)")
        connection.execute("insert into kept values (42)")
    pid = server.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert server._process is not None
    server._process.wait()

    again = EmbeddedPostgres(tmp_path / "postgres")
    again.start()
    try:
        with psycopg.connect(again.url) as connection:
            assert connection.execute("select n from kept").fetchall() == [(42,)]
    finally:
        again.stop()
    assert again.pid is None


def test_nobody_else_can_reach_its_socket(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "postgres")
    server.start()
    try:
        folder = Path(psycopg.conninfo.conninfo_to_dict(server.url)["host"])
        assert folder.stat().st_mode & 0o077 == 0
        with psycopg.connect(server.url) as connection:
            assert connection.execute("show listen_addresses").fetchone() == ("",)
    finally:
        server.stop()


def test_a_first_start_that_was_cut_off_is_begun_again(tmp_path: Path) -> None:
    (tmp_path / "postgres" / "making").mkdir(parents=True)
    (tmp_path / "postgres" / "making" / "half").write_text("made")
    server = EmbeddedPostgres(tmp_path / "postgres")
    server.start()
    server.stop()


def test_says_why_it_cannot_start(tmp_path: Path) -> None:
    from plant.errors import Unavailable

    server = EmbeddedPostgres(tmp_path / "postgres")
    server.start()
    server.stop()
    (tmp_path / "postgres" / "data" / "postgresql.conf").write_text("no_such_option = 1\n")
    with pytest.raises(Unavailable, match="no_such_option"):
        server.start()
