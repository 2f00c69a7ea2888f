"""`plant.calendar.WorkingTime` over rows: the same map with the same arithmetic, R moments at a time.

A row often lies inside one working window from end to end, so the window is looked up for its least and greatest
moment only; every entry is searched for just when the two differ, and only among the windows between them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

import numpy as np
from numpy.typing import NDArray

from plant.calendar import WorkingTime
from twin.draws import Row

Index = int | NDArray[np.intp]
"""Window of each entry of a row, or the one window that all of them are in."""


def rows_of(working_time: WorkingTime) -> WorkingRows | None:
    """Return the map of rows, or None where working time is clock time: always open from the epoch on."""
    if len(working_time.starts) == 1 and working_time.starts[0] == 0:
        return None
    return WorkingRows(working_time)


def worked_at(working_time: WorkingTime, clock_s: Row) -> Row:
    """Return the working seconds that have passed at moments anywhere on the clock, shape as `clock_s`."""
    starts, worked = np.array(working_time.starts), np.array(working_time.worked)
    ends = np.array([*working_time.ends[:-1], np.inf])
    index = np.maximum(starts.searchsorted(clock_s, side="right") - 1, 0)
    passed: Row = worked[index] + np.maximum(np.minimum(clock_s, ends[index]) - starts[index], 0.0)
    return passed


class WorkingRows:
    """Maps rows of clock seconds through one machine's working time."""

    def __init__(self, working_time: WorkingTime) -> None:
        self._map = working_time
        self._starts = np.array(working_time.starts)
        # Work goes on for ever in the last window.
        self._ends = np.array([*working_time.ends[:-1], np.inf])
        self._worked = np.array(working_time.worked)

    def run(self, start_s: Row, setup_s: float, work_s: Row, finish_s: Row) -> None:
        """Do a changeover and then work, as ``finish(finish(start, setup), work)`` of `WorkingTime` does.

        Parameters
        ----------
        start_s
            When both could begin; afterwards when the work begins, a moment at which work is possible.
        setup_s, work_s
            Working seconds; 0 takes no time at all.
        finish_s
            Where the end of the work is written.
        """
        index = self.begin(start_s)
        if setup_s > 0:
            self._add(start_s, index, setup_s, start_s)
            index = self.begin(start_s)
        self._add(start_s, index, work_s, finish_s)
        if work_s.min() <= 0:
            np.copyto(finish_s, start_s, where=work_s <= 0)

    def begin(self, clock_s: Row) -> Index:
        """Move the moments that lie in closed time to the next opening; return the windows they are in then."""
        first, last = self._window_at(float(clock_s.min())), self._window_at(float(clock_s.max()))
        if first < 0:
            np.maximum(clock_s, self._starts[0], out=clock_s)
            first, last = 0, max(last, 0)
        if first == last and clock_s.max() < self._ends[first]:
            return first
        index = self._starts[first + 1 : last + 1].searchsorted(clock_s, side="right")
        index += first
        closed = clock_s >= self._ends[index]
        index += closed
        np.copyto(clock_s, self._starts[index], where=closed)
        return index

    def _add(self, start_s: Row, index: Index, work_s: Row | float, out: Row) -> None:
        """Write when `work_s` is done that begins at `start_s`, which lies in the windows `index`."""
        done_s = start_s - self._starts[index]
        done_s += self._worked[index]
        done_s += work_s
        first, last = self._before(float(done_s.min())), self._before(float(done_s.max()))
        ended: Index = first
        if first < last:
            ended = self._worked[first + 1 : last + 1].searchsorted(done_s, side="left")
            ended += first
        done_s -= self._worked[ended]
        np.add(done_s, self._starts[ended], out=out)

    def _window_at(self, clock_s: float) -> int:
        return bisect_right(self._map.starts, clock_s) - 1

    def _before(self, worked_s: float) -> int:
        return max(bisect_left(self._map.worked, worked_s) - 1, 0)
