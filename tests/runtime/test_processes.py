"""Children are started, watched and ended, and never outlive whoever started them."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from plant.errors import Unavailable
from runtime.processes import Child, Command, CommandPart, Supervisor

DEADLINE_S = 20

_OBEDIENT = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
print("ready", flush=True)
time.sleep(600)
"""
_STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(grandchild.pid, flush=True)
time.sleep(600)
"""
_PARENT = """
import sys, time
from pathlib import Path
from runtime.processes import Child, Command
child = Child.start(Command("sleeper", [sys.executable, "-c", "import time; time.sleep(600)"]))
print(child.pid, flush=True)
time.sleep(600)
"""


def command(script: str, log: Path, stop_timeout_s: float = DEADLINE_S) -> Command:
    return Command(
        "child", [sys.executable, "-c", script], {"PYTHONUNBUFFERED": "1"}, log, stop_timeout_s=stop_timeout_s
    )


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "child.log"


@pytest.fixture
def children() -> Iterator[list[Child]]:
    started: list[Child] = []
    yield started
    for child in started:
        child.kill()


def wait_for_line(log: Path, child: Child) -> str:
    """Wait until the child has written a line."""
    watched = select.poll()
    for _ in range(DEADLINE_S * 100):
        text = log.read_text()
        if "\n" in text:
            return text.splitlines()[-1]
        assert child.exit_code is None, text
        watched.poll(10)
    raise AssertionError("no line in time")


def wait_until_gone(pid: int) -> None:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        watched = select.poll()
        watched.register(handle, select.POLLIN)
        assert watched.poll(DEADLINE_S * 1000), f"process {pid} goes on"
    finally:
        os.close(handle)


def test_a_child_has_its_own_group_and_ends_when_asked(log: Path, children: list[Child]) -> None:
    child = Child.start(command(_OBEDIENT, log))
    children.append(child)
    assert wait_for_line(log, child) == "ready"
    assert os.getpgid(child.pid) == child.pid != os.getpgrp()
    assert child.exit_code is None
    assert child.stop() == 7
    assert child.stop() == 7


def test_a_stubborn_child_is_killed_with_what_it_started(log: Path, children: list[Child]) -> None:
    child = Child.start(command(_STUBBORN, log, stop_timeout_s=0.1))
    children.append(child)
    grandchild = int(wait_for_line(log, child))
    assert child.stop() == -signal.SIGKILL
    wait_until_gone(grandchild)


def test_a_child_ends_with_a_parent_that_was_killed() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    parent = subprocess.Popen([sys.executable, "-c", _PARENT], stdout=subprocess.PIPE, text=True, env=environment)
    assert parent.stdout is not None
    lines = iter(parent.stdout.readline, "")
    child = int(next(line for line in lines if line.strip().isdigit()))
    parent.kill()
    parent.wait()
    wait_until_gone(child)
    parent.stdout.close()


def test_a_program_that_does_not_exist_is_said_so(log: Path) -> None:
    with pytest.raises(Unavailable, match=r"child cannot be started.*no-such-program"):
        Child.start(Command("child", ["/no-such-program"], log=log))


def test_children_are_started_from_the_main_thread_only(log: Path) -> None:
    errors: list[Exception] = []

    def start() -> None:
        try:
            Child.start(command(_OBEDIENT, log))
        except RuntimeError as error:
            errors.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert "main thread" in str(errors[0])


async def test_ended_waits_for_the_end(log: Path, children: list[Child]) -> None:
    child = Child.start(command(_OBEDIENT, log))
    children.append(child)
    waiting = asyncio.ensure_future(child.ended())
    await asyncio.sleep(0)
    assert not waiting.done()
    child.kill()
    assert await asyncio.wait_for(waiting, DEADLINE_S) == -signal.SIGKILL
    assert await child.ended() == -signal.SIGKILL


class Counting:
    """A part whose restart fails the first time."""

    def __init__(self, first: Child, next_: Command) -> None:
        self.child = first
        self.tries = 0
        self.restarted = asyncio.Event()
        self._next = next_

    def restart(self) -> None:
        self.tries += 1
        if self.tries == 1:
            raise Unavailable("not yet")
        self.child = Child.start(self._next)
        self.restarted.set()

    def stop(self) -> None:
        self.child.stop()


async def test_what_ends_by_itself_is_started_again_until_it_is_stopped(log: Path) -> None:
    supervisor = Supervisor()
    part = Counting(Child.start(command(_OBEDIENT, log)), command(_OBEDIENT, log))
    supervisor.keep("part", part)
    killed = supervisor.child("part")
    killed.kill()
    await asyncio.wait_for(part.restarted.wait(), DEADLINE_S)
    assert part.tries == 2
    again = supervisor.child("part")
    assert again.pid != killed.pid
    assert again.exit_code is None
    await supervisor.stop()
    assert again.exit_code is not None


async def test_foundations_end_last_and_in_reverse_order(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    supervisor = Supervisor()
    real = Child.stop
    monkeypatch.setattr(Child, "stop", lambda child: (order.append(child.command.name), real(child))[1])
    for name in ("ground", "cellar"):
        part = CommandPart(Command(name, [sys.executable, "-c", _OBEDIENT], log=log))
        supervisor.keep(name, part, foundation=True)
    for name in ("first", "second"):
        supervisor.add(Command(name, [sys.executable, "-c", _OBEDIENT], log=log))
    await supervisor.stop()
    assert set(order[:2]) == {"first", "second"}
    assert order[2:] == ["cellar", "ground"]


def test_a_child_dies_as_told_when_we_die_first(tmp_path: Path) -> None:
    deaf = "import signal, threading; signal.signal(signal.SIGTERM, signal.SIG_IGN); threading.Event().wait()"
    script = (
        "import os, signal, sys; from runtime.processes import Child, Command;"
        f"child = Child.start(Command('deaf', [sys.executable, '-c', {deaf!r}], death_signal=signal.SIGKILL));"
        "print(child.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    parent = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    pid = int(parent.stdout.split()[-1])
    deadline = time.monotonic() + 20
    while _alive(pid):
        assert time.monotonic() < deadline, "the child outlived its parent"
        time.sleep(0.02)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
