"""Clock time and working time, compiled: the arithmetic of `plant.calendar.WorkingTime`, to the last bit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from plant.calendar import WorkingTime
from scheduler.compiled import Records, Whole, compiled, inlined

_GRID = 4
"""Points of a grid per window: enough that most windows hold one."""


CLOCK = np.dtype([("window", "i8"), ("point", "i8"), ("points", "i8"), ("per_s", "f8")])
"""A working time: its first window, the first of its points on the grid, how many there are, and how many a second."""

WINDOW = np.dtype([("start", "f8"), ("end", "f8"), ("worked", "f8")])
"""As in `WorkingTime`, but the last window of each has no end, and behind it stands one that never begins."""


class Clocks(NamedTuple):
    """Many working times, laid out one after the other.

    Attributes
    ----------
    each, windows
        Records of `CLOCK` and `WINDOW`.
    grid
        The window open at each point of a grid over a working time's starts.
    """

    each: Records
    windows: Records
    grid: Whole


def clocks_of(times: Sequence[WorkingTime]) -> Clocks:
    """Lay out working times."""
    each = np.zeros(len(times), CLOCK)
    windows: list[tuple[float, float, float]] = []
    grid = [np.zeros(0, np.int64)]
    for clock, one in zip(each, times, strict=True):
        starts = np.array(one.starts)
        span_s, points = float(starts[-1] - starts[0]), _GRID * len(starts)
        at_s = starts[0] + np.arange(points if span_s > 0 else 1) * (span_s / points)
        clock["window"], clock["point"], clock["points"] = len(windows), sum(map(len, grid)), len(at_s)
        clock["per_s"] = points / span_s if span_s > 0 else 0.0
        grid.append(len(windows) + (starts.searchsorted(at_s, side="right") - 1).clip(0))
        windows += [
            *zip(one.starts, (*one.ends[:-1], math.inf), one.worked, strict=True),
            (math.inf, math.inf, math.inf),
        ]
    return Clocks(each, np.array(windows, WINDOW), np.concatenate(grid))


@inlined
def window_at(clocks: Clocks, clock: int, at_s: float) -> int:
    """Return the last window that has begun at `at_s`, the first one if none has."""
    one, windows = clocks.each[clock], clocks.windows
    place = int(max(at_s - windows[one.window].start, 0.0) * one.per_s)
    window = clocks.grid[one.point + min(place, one.points - 1)]
    while windows[window + 1].start <= at_s:
        window += 1
    while window > one.window and windows[window].start > at_s:
        window -= 1
    return int(window)


@inlined
def opens(clocks: Clocks, clock: int, at_s: float) -> tuple[float, int]:
    """As `WorkingTime.begin`; returns the window, too."""
    window = window_at(clocks, clock, at_s)
    if at_s >= clocks.windows[window].end:
        window += 1
    return max(at_s, clocks.windows[window].start), window


@inlined
def ends(clocks: Clocks, clock: int, window: int, begun_s: float, work_s: float) -> tuple[float, int]:
    """As `WorkingTime.finish` of work begun in open time, in `window`; returns the window it ends in, too."""
    if work_s <= 0:
        return begun_s, window
    first, windows = clocks.each[clock].window, clocks.windows
    done_s = windows[window].worked + (begun_s - windows[window].start) + work_s
    while windows[window + 1].worked < done_s:
        window += 1
    while window > first and windows[window].worked >= done_s:
        window -= 1
    return windows[window].start + (done_s - windows[window].worked), window


@inlined
def worked_at(clocks: Clocks, clock: int, at_s: float) -> float:
    """As `WorkingTime.worked_at`."""
    window = clocks.windows[window_at(clocks, clock, at_s)]
    if at_s < window.start:
        return 0.0
    return float(window.worked + (min(at_s, window.end) - window.start))


@compiled
def fits_from(clocks: Clocks, changing: int, working: int, ready_s: float, setup_s: float, work_s: float) -> float:
    """Return the first moment from `ready_s` on from which changeover and work run without an interruption.

    Parameters
    ----------
    changing, working
        Working times of the changeover and of the work; the first lies within the second, and is the same where
        there is no changeover.
    """
    begun_s, window = opens(clocks, changing, ready_s)
    while True:
        open_ = window_at(clocks, working, begun_s)
        fits, set_up_s, at = True, begun_s, open_
        if setup_s > 0:
            set_s, last = ends(clocks, changing, window, begun_s, setup_s)
            set_up_s, at = opens(clocks, working, set_s)
            fits = last <= window and at == open_
        if work_s > 0:
            _, at = ends(clocks, working, open_, set_up_s, work_s)
        if fits and at <= open_:
            return begun_s
        window += 1
        begun_s = clocks.windows[window].start
