"""The one place that starts and ends child processes.

A child gets its own process group, so that Ctrl-C on the terminal reaches only us and we end our children in order.
It is sent a signal when the thread that started it ends (``PR_SET_PDEATHSIG``), so that it does not outlive a parent
that was killed: start children from the main thread, which lives as long as the process.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import structlog

from plant.errors import Unavailable

log = structlog.get_logger()

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Command:
    """What to run and how to end it.

    Attributes
    ----------
    name
        What logs and errors call it.
    arguments
        Program and arguments.
    environment
        Variables on top of ours.
    log
        File its output is appended to; None: it shares ours.
    stop_signal
        Asks it to end.
    death_signal
        What it gets when we die first; the stop signal by default.
    stop_timeout_s
        Seconds it has to end before it is killed.
    """

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    log: Path | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals | None = None
    stop_timeout_s: float = 10.0


class Child:
    """A running child process. `start` it from the main thread."""

    def __init__(self, command: Command, process: subprocess.Popen[bytes]) -> None:
        self.command = command
        self._process = process

    @classmethod
    def start(cls, command: Command) -> Child:
        """Start a child process.

        Raises
        ------
        Unavailable
            When the program cannot be started.
        """
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError(f"start {command.name} from the main thread: it would end with this one")
        output = None if command.log is None else command.log.open("ab")
        try:
            process = subprocess.Popen(  # noqa: S603 - commands are put together by us
                list(command.arguments),
                env={**os.environ, **command.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=None if output is None else subprocess.STDOUT,
                process_group=0,
                preexec_fn=_die_with(os.getpid(), command.death_signal or command.stop_signal),
            )
        except OSError as error:
            raise Unavailable(f"{command.name} cannot be started: {error}") from error
        finally:
            if output is not None:
                output.close()
        log.info("process started", process=command.name, pid=process.pid)
        return cls(command, process)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How it ended (negative: by which signal), None while it runs."""
        return self._process.poll()

    def stop(self) -> int:
        """Ask it to end, wait, kill it if it does not, and return how it ended; harmless when it has."""
        self.ask_to_stop()
        return self.wait_or_kill()

    def ask_to_stop(self) -> None:
        """Send it its stop signal; several children can be asked before any is waited for."""
        if self.exit_code is None:
            self._process.send_signal(self.command.stop_signal)

    def wait_or_kill(self) -> int:
        """Wait for it to end for its time, then kill it with what it started, and return how it ended."""
        try:
            code = self._process.wait(self.command.stop_timeout_s)
        except subprocess.TimeoutExpired:
            log.warning("process killed", process=self.command.name, pid=self.pid, after_s=self.command.stop_timeout_s)
            self.kill()
            code = self._process.wait()
        log.info("process ended", process=self.command.name, pid=self.pid, exit_code=code)
        return code

    def kill(self) -> None:
        """Kill it, and what it started in its process group."""
        if self.exit_code is None:
            os.killpg(self.pid, signal.SIGKILL)

    async def ended(self) -> int:
        """Wait until it has ended and return how."""
        loop = asyncio.get_running_loop()
        code = self.exit_code
        if code is not None:  # its number may be another process' by now
            return code
        handle = os.pidfd_open(self.pid)
        gone = asyncio.Event()
        loop.add_reader(handle, gone.set)
        try:
            await gone.wait()
        finally:
            loop.remove_reader(handle)
            os.close(handle)
        return self._process.wait()


def _die_with(parent: int, stop_signal: signal.Signals) -> Callable[[], None]:
    """Return what the child does before it becomes the program: tie its life to the thread that started it."""

    def tie() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(stop_signal), 0, 0, 0)
        if os.getppid() != parent:  # the parent died before the line above
            os._exit(1)

    return tie


def module_command(module: str, *arguments: str) -> tuple[str, ...]:
    """Return the command line that runs a module of ours with this Python."""
    return (sys.executable, "-m", module, *arguments)


BACK_OFF_S = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Waits before the restarts of a child that keeps ending, the last one repeated."""

_HEALTHY_AFTER_S = 60.0


class Part(Protocol):
    """Something that runs as a child process and can be started again when that ended by itself."""

    @property
    def child(self) -> Child:
        """The process that runs, or ran last."""
        ...

    def restart(self) -> None:
        """Start it again, from the main thread; `Unavailable` when that fails now."""
        ...

    def stop(self) -> None:
        """End it."""
        ...


class CommandPart:
    """The plainest part: a command."""

    def __init__(self, command: Command) -> None:
        self._command = command
        self.child = Child.start(command)

    def restart(self) -> None:
        """Run the command again."""
        self.child = Child.start(self._command)

    def stop(self) -> None:
        """End it in its own time."""
        self.child.stop()


class Supervisor:
    """Keeps parts running: starts again with growing waits what ended by itself, ends all together, foundations last.

    Used on the main thread's event loop.
    """

    def __init__(self) -> None:
        self._parts: dict[str, Part] = {}
        self._foundations: list[str] = []
        self._watchers: list[asyncio.Task[None]] = []

    def add(self, command: Command) -> Child:
        """Start a command and keep it running from now on."""
        part = CommandPart(command)
        self.keep(command.name, part)
        return part.child

    def keep(self, name: str, part: Part, *, foundation: bool = False) -> None:
        """Keep a part running that is started already; a foundation is what the others need to end in good order."""
        self._parts[name] = part
        if foundation:
            self._foundations.append(name)
        self._watchers.append(asyncio.get_running_loop().create_task(self._watch(name, part)))

    def child(self, name: str) -> Child:
        """Return the child that runs, or ran last, under this name."""
        return self._parts[name].child

    async def stop(self) -> None:
        """End all parts side by side, then the foundations, the last one first; each has its own time for it."""
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        self._watchers.clear()
        others = [part for name, part in self._parts.items() if name not in self._foundations]
        await asyncio.gather(*(asyncio.to_thread(part.stop) for part in others))
        for name in reversed(self._foundations):
            await asyncio.to_thread(self._parts[name].stop)
        self._parts.clear()
        self._foundations.clear()

    async def _watch(self, name: str, part: Part) -> None:
        failures = 0
        while True:
            started = time.monotonic()
            code = await part.child.ended()
            if time.monotonic() - started > _HEALTHY_AFTER_S:
                failures = 0
            wait_s = BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)]
            log.warning("process ended by itself", process=name, exit_code=code, restart_in_s=wait_s)
            await asyncio.sleep(wait_s)
            failures += 1
            try:
                part.restart()
            except Unavailable as error:
                log.error("process does not start again", process=name, reason=str(error))
