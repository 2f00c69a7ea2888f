"""The one place that starts and ends child processes. None outlives us, however we end."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from plant.errors import Unavailable

_PR_SET_PDEATHSIG = 1
_STOP_S = 10.0
_RESTART_S = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_STEADY_S = 30.0

log = structlog.get_logger()
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(parent: int, death_signal: int) -> None:
    """Run in a child before it executes: have the kernel send it `death_signal` when `parent` is gone.

    The kernel means the *thread* that forked: fork from the main thread.
    """
    _libc.prctl(_PR_SET_PDEATHSIG, death_signal)
    if os.getppid() != parent:  # it died before the kernel knew
        os._exit(1)


def spawn(
    argv: Sequence[str],
    env: Mapping[str, str] | None = None,
    output: Path | None = None,
    death_signal: int = signal.SIGKILL,
    before_exec: Callable[[], None] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own, so that Ctrl-C reaches us alone and we decide the order of the end.

    Parameters
    ----------
    env
        Variables to add to ours.
    output
        File its output is appended to; ours when left out.
    death_signal
        What it gets when we die.
    before_exec
        Runs in the child just before it executes.

    Raises
    ------
    Unavailable
        If the program cannot be started.
    """
    parent = os.getpid()

    def prepare() -> None:
        if before_exec is not None:
            before_exec()
        # Last: a change of credentials would clear it.
        die_with_parent(parent, death_signal)

    sink = output.open("ab") if output is not None else None
    try:
        return subprocess.Popen(  # noqa: S603
            list(argv),
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT if sink else None,
            start_new_session=True,
            preexec_fn=prepare,  # noqa: PLW1509
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise Unavailable(f"cannot start {argv[0]}: {error}") from error
    finally:
        if sink is not None:
            sink.close()


def stop(process: subprocess.Popen[bytes], how: int = signal.SIGTERM, patience_s: float = _STOP_S) -> None:
    """Ask a child to end, wait, and kill it if it does not."""
    if process.poll() is not None:
        return
    process.send_signal(how)
    try:
        process.wait(patience_s)
    except subprocess.TimeoutExpired:
        log.warning("killed", pid=process.pid, after_s=patience_s)
        process.kill()
        process.wait()


@dataclass
class Child:
    """A child that is kept running."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    output: Path | None = None
    process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self.process.pid if self.process and self.process.poll() is None else None


class Supervisor:
    """Keeps children running: one that ends is started again, ever more slowly if it keeps ending.

    Use it from the main thread's event loop; see `die_with_parent`.
    """

    def __init__(self) -> None:
        self.children: list[Child] = []
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, child: Child) -> None:
        """Start a child and keep it running."""
        child.process = spawn(child.argv, child.env, child.output)
        self.children.append(child)
        self._tasks.append(asyncio.create_task(self._keep(child), name=f"keep {child.name}"))

    async def _keep(self, child: Child) -> None:
        failures = 0
        while True:
            assert child.process is not None
            started = time.monotonic()
            while child.process.poll() is None:
                await asyncio.sleep(0.1)
            failures = 0 if time.monotonic() - started > _STEADY_S else failures + 1
            wait = _RESTART_S[min(failures, len(_RESTART_S) - 1)]
            log.warning("child ended", child=child.name, status=child.process.returncode, restart_in_s=wait)
            await asyncio.sleep(wait)
            child.process = spawn(child.argv, child.env, child.output)

    async def stop(self) -> None:
        """End all children, the last started first."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for child in reversed(self.children):
            if child.process is not None:
                await asyncio.to_thread(stop, child.process)
        self.children.clear()
        self._tasks.clear()
