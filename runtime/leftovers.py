"""Ends what a killed Forerun left running on a PostgreSQL data folder."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path


def end_leftovers(data: Path, socket_folder: Path) -> None:
    """End the server, or what is left of one, on a folder whose lock is ours: nobody needs it any more."""
    lock_file = data / "postmaster.pid"
    postmaster = _named_in(lock_file)
    for signal_number, wait_s in ((signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
        left = list(servers_on(data))
        if not left:
            break
        # A postmaster ends its backends itself; backends without one are asked directly.
        _signal_and_wait([postmaster] if postmaster in left else left, signal_number, wait_s)
    for file in (lock_file, *socket_folder.glob(".s.PGSQL.*.lock")):
        _drop_if_misleading(file, data)


def _named_in(lock_file: Path) -> int | None:
    try:
        return int(lock_file.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def _drop_if_misleading(lock_file: Path, data: Path) -> None:
    """Drop a lock file whose number is not a server's any more, but still somebody's.

    PostgreSQL would take it for a server that runs: a process that has ended but was not waited for yet, or another
    program that got the number since. Where nobody has the number, PostgreSQL sees for itself that the file is stale.
    """
    pid = _named_in(lock_file)
    if pid is not None and pid not in servers_on(data) and _is_alive(pid):
        lock_file.unlink(missing_ok=True)


def servers_on(data: Path) -> Iterator[int]:
    """Yield the PostgreSQL processes that work in this folder."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                program, folder = (entry / "exe").readlink(), (entry / "cwd").readlink()
            except OSError:
                continue  # ended meanwhile, or not ours to look at
            if program.name.removesuffix(" (deleted)") == "postgres" and folder == data:
                yield int(entry.name)


def _signal_and_wait(pids: list[int], signal_number: signal.Signals, wait_s: float) -> None:
    deadline = time.monotonic() + wait_s
    with ExitStack() as handles:
        for pid in pids:
            try:
                handle = os.pidfd_open(pid)
            except ProcessLookupError:
                continue
            handles.callback(os.close, handle)
            signal.pidfd_send_signal(handle, signal_number)
            waiter = select.poll()
            waiter.register(handle, select.POLLIN)
            waiter.poll(max(deadline - time.monotonic(), 0) * 1000)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
