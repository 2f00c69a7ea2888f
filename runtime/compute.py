"""CPU work in processes of its own: the event loop stays free, and a cancelled job is really gone."""

from __future__ import annotations

import asyncio
import ctypes
import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, TypeVar, cast

from plant.errors import ForerunError, Unavailable
from plant.ports import Progress, no_progress
from plant.text import Text, told

T = TypeVar("T")
_PR_SET_PDEATHSIG = 1


class ProcessCompute:
    """Runs each call in a fresh process forked from a clean server that has the heavy imports done.

    Parameters
    ----------
    preload
        Modules the fork server imports once.
    at_once
        Calls that may run side by side; more wait their turn.
    """

    def __init__(self, preload: tuple[str, ...] = (), at_once: int = 1) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(list(preload))
        self._turns = asyncio.Semaphore(at_once)

    async def run(self, function: Callable[..., T], *args: Any, progress: Progress = no_progress) -> T:
        """Call ``function(*args, progress=...)`` in another process; see `plant.ports.Compute`."""
        async with self._turns:
            ours, theirs = self._context.Pipe()
            process = self._context.Process(target=_work, args=(theirs, function, args), daemon=True)
            # The fork server is the child's parent, so it does not matter which of our threads asks it.
            await asyncio.to_thread(process.start)
            theirs.close()
            try:
                return cast(T, await _result(ours, progress))
            finally:
                if process.is_alive():
                    process.kill()
                await asyncio.to_thread(process.join)
                ours.close()


async def _result(connection: Connection, progress: Progress) -> Any:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(connection.fileno(), ready.set)
    try:
        while True:
            await ready.wait()
            ready.clear()
            while connection.poll():
                try:
                    kind, value = connection.recv()
                except EOFError:
                    raise Unavailable(told("the process doing this work died (out of memory?); try again")) from None
                if kind == "result":
                    return value
                if kind == "error":
                    raise value
                progress(*value)
    finally:
        loop.remove_reader(connection.fileno())


def _work(connection: Connection, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    """Run in the child: die with the fork server, which dies with us; report, answer, end."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.nice(10)  # solving takes every core there is; whoever watches the floor comes first
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides

    def report(share: float, doing: Text) -> None:
        connection.send(("progress", (share, doing)))

    try:
        connection.send(("result", function(*args, progress=report)))
    except BrokenPipeError:
        return  # whoever asked for it is gone
    except ForerunError as error:
        connection.send(("error", error))
    except Exception as error:
        connection.send(("error", RuntimeError(f"{type(error).__name__}: {error}")))
        raise


class InlineCompute:
    """Runs the call in a thread of this process: for the command line and tests that need no isolation."""

    async def run(self, function: Callable[..., T], *args: Any, progress: Progress = no_progress) -> T:
        """See `plant.ports.Compute`."""
        return await asyncio.to_thread(lambda: function(*args, progress=progress))
