"""How the scheduler's inner loops are compiled: once, kept on disk, and without holding the interpreter's lock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile `function` with numba on its first call; it releases the interpreter's lock while it runs."""
    try:
        kept: Callable[..., Any] = numba.njit(function, cache=True, nogil=True)
    except RuntimeError:  # no folder to keep it in: compiled anew by every process
        kept = numba.njit(function, nogil=True)
    return kept


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile `function` into each of its callers."""
    found: Callable[..., Any] = numba.njit(function, inline="always")
    return found
