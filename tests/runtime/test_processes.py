"""Children end with us, in whatever way we end, and are started again when they end without being asked."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from plant.errors import Unavailable
from runtime.processes import Child, Supervisor, spawn, stop

FOR_EVER = [sys.executable, "-c", "import threading; threading.Event().wait()"]


def until(condition: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s for: {what}"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_a_child_dies_with_a_killed_parent(tmp_path: Path) -> None:
    script = (
        "import sys; from runtime.processes import spawn; import threading;"
        f"print(spawn({FOR_EVER!r}).pid, flush=True); threading.Event().wait()"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert alive(child)
    parent.kill()
    parent.wait()
    until(lambda: not alive(child), "the child to die with its parent")


def test_a_child_that_does_not_listen_is_killed() -> None:
    deaf = (
        "import signal, threading; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print('deaf', flush=True); threading.Event().wait()"
    )
    process = subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"deaf\n"
    stop(process, patience_s=0.2)
    assert process.returncode == -signal.SIGKILL


def test_a_program_that_does_not_exist_is_named() -> None:
    with pytest.raises(Unavailable, match="no-such-program"):
        spawn(["no-such-program"])


def test_a_child_that_ends_is_started_again_and_all_end_with_the_supervisor() -> None:
    async def run() -> tuple[int, int]:
        supervisor = Supervisor()
        child = Child("one", FOR_EVER)
        supervisor.start(child)
        first = child.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        async with asyncio.timeout(20):
            while child.pid in {None, first}:
                await asyncio.sleep(0.02)
        second = child.pid
        assert second is not None
        await supervisor.stop()
        return first, second

    first, second = asyncio.run(run())
    assert not alive(first)
    assert not alive(second)
