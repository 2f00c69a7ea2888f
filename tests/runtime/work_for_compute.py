"""Functions for `test_compute` to run elsewhere: importable by name."""

from __future__ import annotations

import os
import threading

from plant.errors import InvalidInput
from plant.ports import Progress


def add(left: int, right: int, progress: Progress) -> int:
    progress(0.5, "adding")
    progress(1.0, "added")
    return left + right


def refuse(thing: int, progress: Progress) -> None:
    raise InvalidInput(f"no such thing: {thing}")


def never_ends(progress: Progress) -> None:
    progress(0.0, str(os.getpid()))
    threading.Event().wait()


def die(progress: Progress) -> None:
    os._exit(9)
