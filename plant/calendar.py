"""When work is possible: shifts in local time, and the map between clock time and working time.

Shifts are given in the plant's own time zone; a night shift belongs to the day on which it begins. Everything
that leaves this module is UTC (`datetime`) or seconds since an epoch (`float`).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from math import inf
from typing import TypeVar
from zoneinfo import ZoneInfo

from plant.checks import require, require_aware, require_text

Window = tuple[datetime, datetime]
Moment = TypeVar("Moment", float, datetime)


@dataclass(frozen=True)
class Break:
    """A pause inside a shift, in local time; it belongs to the shift's day."""

    start: time
    end: time


@dataclass(frozen=True)
class Shift:
    """A recurring span of work in local time.

    Attributes
    ----------
    days
        Weekdays on which the shift begins, Monday = 0.
    start, end
        Local times; an `end` not after `start` means the shift ends on the next day.
    """

    id: str
    days: tuple[int, ...]
    start: time
    end: time
    breaks: tuple[Break, ...] = ()

    def __post_init__(self) -> None:
        require_text("shift id", self.id)
        require(bool(self.days), f"shift {self.id} needs at least one day")
        require(
            all(0 <= day <= 6 for day in self.days),
            f"shift {self.id}: days must be 0 (Monday) to 6, not {self.days}",
        )
        length = self._offset(self.end) or timedelta(days=1)
        for pause in self.breaks:
            begins, ends = self._offset(pause.start), self._offset(pause.end)
            require(
                begins < ends <= length,
                f"shift {self.id}: break {pause.start:%H:%M}-{pause.end:%H:%M} must lie inside "
                f"{self.start:%H:%M}-{self.end:%H:%M}",
            )

    def _offset(self, moment: time) -> timedelta:
        """Time of day as an offset from the shift's start, on the wall clock."""
        day = date(2000, 1, 3)
        delta = datetime.combine(day, moment) - datetime.combine(day, self.start)
        return delta % timedelta(days=1)

    def windows_on(self, day: date, zone: ZoneInfo) -> list[Window]:
        """Return the working windows, in UTC, of the shift that begins on `day`."""
        length = self._offset(self.end) or timedelta(days=1)
        edges = [timedelta(0)]
        for pause in sorted(self.breaks, key=lambda item: self._offset(item.start)):
            edges += [self._offset(pause.start), self._offset(pause.end)]
        edges.append(length)
        begin = datetime.combine(day, self.start)
        moments = [(begin + edge).replace(tzinfo=zone).astimezone(UTC) for edge in edges]
        return [(start, end) for start, end in zip(moments[::2], moments[1::2], strict=True) if start < end]


@dataclass(frozen=True)
class Calendar:
    """The shifts of a machine or a person, and the days on which none begins.

    A calendar without shifts means always open.

    Attributes
    ----------
    overtime
        Spans (UTC) that are worked besides the shifts.
    closures
        Spans (UTC) in which there is no work, whatever the shifts and the overtime say.
    """

    id: str
    timezone: str
    shifts: tuple[Shift, ...] = ()
    closed_days: tuple[date, ...] = ()
    overtime: tuple[Window, ...] = ()
    closures: tuple[Window, ...] = ()

    def __post_init__(self) -> None:
        require_text("calendar id", self.id)
        try:
            ZoneInfo(self.timezone)
        except (KeyError, ValueError, OSError):
            require(
                False,
                f"calendar {self.id}: unknown time zone {self.timezone!r}; use an IANA name such as Asia/Shanghai",
            )
        for begin, end in (*self.overtime, *self.closures):
            require_aware(f"calendar {self.id}: a span's start", begin)
            require_aware(f"calendar {self.id}: a span's end", end)
            require(begin < end, f"calendar {self.id}: the span from {begin} must end after it starts, not at {end}")

    def windows(self, start: datetime, end: datetime) -> list[Window]:
        """Return the working windows within [start, end), merged and in order, in UTC."""
        require_aware("start", start)
        require_aware("end", end)
        if start >= end:
            return []
        open_ = merge_windows([*self._shift_windows(start, end), *self.overtime])
        return clip_windows(without_windows(open_, self.closures), start, end)

    def _shift_windows(self, start: datetime, end: datetime) -> list[Window]:
        """Return the shifts that touch [start, end), and perhaps some beside it."""
        if not self.shifts:
            return [(start, end)]
        zone = ZoneInfo(self.timezone)
        day = start.astimezone(zone).date() - timedelta(days=2)
        last = end.astimezone(zone).date()
        found: list[Window] = []
        while day <= last:
            if day not in self.closed_days:
                for shift in self.shifts:
                    if day.weekday() in shift.days:
                        found += shift.windows_on(day, zone)
            day += timedelta(days=1)
        return found

    def is_open(self, moment: datetime) -> bool:
        """Tell whether work is possible at `moment`."""
        return bool(self.windows(moment, moment + timedelta(microseconds=1)))


def merge_windows(windows: Sequence[Window]) -> list[Window]:
    """Return the union of `windows`, sorted, with touching and overlapping ones joined."""
    merged: list[Window] = []
    for start, end in sorted(windows):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def clip_windows(windows: Sequence[Window], start: datetime, end: datetime) -> list[Window]:
    """Return the parts of `windows` that lie within [start, end)."""
    clipped = [(max(begin, start), min(finish, end)) for begin, finish in windows]
    return [(begin, finish) for begin, finish in clipped if begin < finish]


def without_windows(windows: Sequence[Window], closed: Sequence[Window]) -> list[Window]:
    """Return what is left of `windows`, which are disjoint and in order, outside the spans of `closed`."""
    left = list(windows)
    for begin, end in closed:
        cut = [
            part for window in left for part in ((window[0], min(window[1], begin)), (max(window[0], end), window[1]))
        ]
        left = [(start, finish) for start, finish in cut if start < finish]
    return left


def common_windows(
    mine: Sequence[tuple[Moment, Moment]], others: Sequence[tuple[Moment, Moment]]
) -> list[tuple[Moment, Moment]]:
    """Return the time that lies in both, of which each is disjoint and in order."""
    shared: list[tuple[Moment, Moment]] = []
    one = two = 0
    while one < len(mine) and two < len(others):
        start, end = max(mine[one][0], others[two][0]), min(mine[one][1], others[two][1])
        if start < end:
            shared.append((start, end))
        if mine[one][1] < others[two][1]:
            one += 1
        else:
            two += 1
    return shared


@dataclass(frozen=True)
class WorkingTime:
    """The monotone map between clock time and working time, both in seconds since one epoch.

    Every engine maps time through these same breakpoints with the same arithmetic
    (``starts[k] + (work - worked[k])``), which is what lets two of them agree to the last bit.

    Attributes
    ----------
    starts, ends
        Edges of the working windows, seconds since the epoch, increasing and disjoint. Work goes on for ever
        in the last window, whatever its end: a plan that outruns the horizon is late, not an error.
    worked
        Working seconds that have passed at each of `starts`.
    """

    starts: tuple[float, ...]
    ends: tuple[float, ...]
    worked: tuple[float, ...]

    @staticmethod
    def of(windows: Sequence[tuple[float, float]]) -> WorkingTime:
        """Build the map from windows in seconds, in order; where one touches the next, nothing stops between them.

        Raises
        ------
        InvalidInput
            If there is no window at all, since nothing could ever be finished, or they are not spans in order.
        """
        require(bool(windows), "there is no working time within the horizon; give the calendar a shift")
        require(all(start < end for start, end in windows), "every working window must end after it starts")
        starts, ends = [windows[0][0]], [windows[0][1]]
        for start, end in windows[1:]:
            require(start >= ends[-1], "working windows must follow each other; sort them and join what overlaps")
            if start == ends[-1]:
                ends[-1] = end
            else:
                starts.append(start)
                ends.append(end)
        lengths = (end - start for start, end in zip(starts[:-1], ends[:-1], strict=True))
        return WorkingTime(tuple(starts), tuple(ends), (0.0, *accumulate(lengths)))

    @staticmethod
    def always() -> WorkingTime:
        """Return the map of a calendar that is open at all times from the epoch on."""
        return WorkingTime((0.0,), (float("inf"),), (0.0,))

    def common(self, other: WorkingTime) -> WorkingTime:
        """Return the map of the time that both have: somebody's who attends a machine, say.

        The last windows go on for ever, so there always is such time.
        """
        mine = [*zip(self.starts, (*self.ends[:-1], inf), strict=True)]
        others = [*zip(other.starts, (*other.ends[:-1], inf), strict=True)]
        return WorkingTime.of(common_windows(mine, others))

    def window_at(self, clock_s: float) -> int:
        """Return the number of the last window that has begun at `clock_s`, 0 if none has."""
        return max(bisect_right(self.starts, clock_s) - 1, 0)

    def holds(self, begun_s: float, work_s: float) -> bool:
        """Tell whether work begun at `begun_s`, in open time, is done before the window closes."""
        done_s = self.worked_at(begun_s) + work_s
        return work_s <= 0 or bisect_left(self.worked, done_s) - 1 <= self.window_at(begun_s)

    def begin(self, clock_s: float) -> float:
        """Return the first moment at or after `clock_s` at which work is possible."""
        index = bisect_right(self.starts, clock_s) - 1
        if index < 0:
            return self.starts[0]
        if clock_s < self.ends[index] or index == len(self.starts) - 1:
            return clock_s
        return self.starts[index + 1]

    def worked_at(self, clock_s: float) -> float:
        """Return the working seconds that have passed at `clock_s`."""
        index = bisect_right(self.starts, clock_s) - 1
        if index < 0:
            return 0.0
        if index < len(self.starts) - 1:
            clock_s = min(clock_s, self.ends[index])
        return self.worked[index] + (clock_s - self.starts[index])

    def clock_at(self, worked_s: float) -> float:
        """Return the earliest moment at which `worked_s` working seconds have passed."""
        index = max(bisect_left(self.worked, worked_s) - 1, 0)
        return self.starts[index] + (worked_s - self.worked[index])

    def finish(self, start_s: float, work_s: float) -> float:
        """Return when `work_s` seconds of work begun at `start_s` are done (0 of work ends where it begins)."""
        begun = self.begin(start_s)
        return begun if work_s <= 0 else self.clock_at(self.worked_at(begun) + work_s)
