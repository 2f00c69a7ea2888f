"""`plant.calendar.WorkingTime` over rows: the same map with the same arithmetic, R moments at a time.

Most rows lie inside one working window from end to end, so the window is looked up for the row's least and
greatest moment only, and every entry is searched for just when the two differ.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Protocol

import numpy as np

from plant.calendar import WorkingTime
from twin.draws import Row


class WorkingRows(Protocol):
    """Maps rows of clock seconds through a machine's working time. `out` may be the row that is read."""

    def begin(self, clock_s: Row, out: Row) -> None:
        """Write the first moments at or after `clock_s` at which work is possible."""
        ...

    def finish(self, start_s: Row, work_s: Row | float, out: Row) -> None:
        """Write when `work_s` of work is done that begins at `start_s`, moments at which work is possible."""
        ...


def rows_of(working_time: WorkingTime) -> WorkingRows:
    """Return the map of rows that agrees with `working_time` to the last bit for moments from 0 on."""
    if len(working_time.starts) == 1 and working_time.starts[0] == 0:
        return AlwaysOpen()
    return Windows(working_time)


class AlwaysOpen:
    """Work is possible at all times from the epoch on."""

    def begin(self, clock_s: Row, out: Row) -> None:
        """Any moment will do."""
        if out is not clock_s:
            np.copyto(out, clock_s)

    def finish(self, start_s: Row, work_s: Row | float, out: Row) -> None:
        """Working time is clock time."""
        np.add(start_s, work_s, out=out)


class Windows:
    """Work is possible in windows."""

    def __init__(self, working_time: WorkingTime) -> None:
        self._map = working_time
        self._starts = np.array(working_time.starts)
        # Work goes on for ever in the last window.
        self._ends = np.array([*working_time.ends[:-1], np.inf])
        self._next_starts = np.array([*working_time.starts[1:], np.inf])
        self._worked = np.array(working_time.worked)

    def begin(self, clock_s: Row, out: Row) -> None:
        """Move the moments that lie in closed time to the next opening."""
        low, high = float(clock_s.min()), float(clock_s.max())
        first, last = self._window_at(low), self._window_at(high)
        if first == last and first >= 0 and high < self._ends[first]:
            if out is not clock_s:
                np.copyto(out, clock_s)
        elif first == last:
            edge = self._starts[0] if first < 0 else self._next_starts[first]
            closed = True if first < 0 else clock_s >= self._ends[first]
            np.copyto(out, np.where(closed, edge, clock_s))
        else:
            index = self._starts[max(first, 0) + 1 : last + 1].searchsorted(clock_s, side="right")
            index += max(first, 0)
            opened = np.where(clock_s < self._ends[index], clock_s, self._next_starts[index])
            np.maximum(opened, self._starts[0], out=out)

    def finish(self, start_s: Row, work_s: Row | float, out: Row) -> None:
        """Add the work in working time; entries without any work end where they begin."""
        done = self._worked_at(start_s)
        np.add(done, work_s, out=done)
        if np.min(work_s) > 0:
            self._clock_at(done, out)
        else:
            idle = np.broadcast_to(np.asarray(work_s) <= 0, start_s.shape)
            begun = start_s[idle]
            self._clock_at(done, out)
            out[idle] = begun

    def _window_at(self, clock_s: float) -> int:
        return bisect_right(self._map.starts, clock_s) - 1

    def _worked_at(self, clock_s: Row) -> Row:
        """Working seconds passed at moments inside windows, as a new row."""
        first, last = self._window_at(float(clock_s.min())), self._window_at(float(clock_s.max()))
        if first == last:
            row: Row = clock_s - self._map.starts[first]
            row += self._map.worked[first]
            return row
        index = self._starts[first + 1 : last + 1].searchsorted(clock_s, side="right")
        index += first
        passed: Row = self._worked[index] + (clock_s - self._starts[index])
        return passed

    def _clock_at(self, worked_s: Row, out: Row) -> None:
        """Write the earliest moments at which `worked_s` has passed; `worked_s` may be overwritten."""
        first, last = self._before(float(worked_s.min())), self._before(float(worked_s.max()))
        if first == last:
            worked_s -= self._map.worked[first]
            np.add(worked_s, self._map.starts[first], out=out)
            return
        index = self._worked[first + 1 : last + 1].searchsorted(worked_s, side="left")
        index += first
        np.add(self._starts[index], worked_s - self._worked[index], out=out)

    def _before(self, worked_s: float) -> int:
        return max(bisect_left(self._map.worked, worked_s) - 1, 0)
