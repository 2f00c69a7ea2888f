"""Ctrl-C as a wish: what is there so far is taken, and only a second one throws it away."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType

from rich.console import Console


@contextmanager
def interruptible(console: Console, told: str) -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl-C into a wish to be done, answered with `told`; the second one interrupts as usual."""
    wished = False

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal wished
        if wished:
            raise KeyboardInterrupt
        wished = True
        console.print(told)

    if current_thread() is not main_thread():  # only the main thread may handle signals
        yield lambda: False
        return
    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield lambda: wished
    finally:
        signal.signal(signal.SIGINT, before)
