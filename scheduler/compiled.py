"""How this package compiles its inner loops: kept on disk, without the interpreter's lock; and its own dice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

from plant.compiled_code import inherit

Function = TypeVar("Function", bound=Callable[..., object])

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]
Records = Any
"""A numpy array of records, whose fields are read as attributes in compiled code: ``tasks[3].release``."""
Dice = NDArray[np.uint64]
"""State of the random numbers of one search, shape (1,): the same wherever and by whichever thread it runs."""


def compiled(function: Function) -> Function:
    """Return `function` compiled by numba at its first call; it may not make arrays.

    Without reference counts (`_nrt`), that is: with them, each look at an array in a tuple would cost two atomic
    operations, and a search several times its time.
    """
    return _kept(function, _nrt=False)


def inlined(function: Function) -> Function:
    """Return `function` compiled into the functions that call it: what is called for every step of every plan."""
    return _kept(function, _nrt=False, forceinline=True)


def compiled_any(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function`, which may make arrays, compiled by numba at its first call."""
    return _kept(function)


def _kept(function: Function, **options: bool) -> Function:
    njit: Any = numba.njit
    try:
        kept: Any = njit(function, cache=True, nogil=True, **options)
        inherit(function.__code__.co_filename, kept.stats.cache_path)
    except RuntimeError:  # no folder to keep it in: compiled anew by every process
        kept = njit(function, nogil=True, **options)
    return cast(Function, kept)


def inlined_any(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function` compiled into each of its callers, which may make arrays."""
    found: Callable[..., Any] = numba.njit(function, inline="always")
    return found


def dice(seed: int, number: int = 0) -> Dice:
    """Return dice for search `number` of a seed; those of neighbouring seeds have nothing to do with each other."""
    return np.random.SeedSequence((seed % 2**64, number)).generate_state(1, np.uint64).astype(np.uint64)


@inlined
def draw(state: Dice) -> float:
    """Return a number in [0, 1) (splitmix64: Steele, Lea and Flood, OOPSLA 2014)."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return float(z >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@inlined
def below(state: Dice, count: int) -> int:
    """Return a whole number from 0 to below `count`."""
    return int(draw(state) * count)
