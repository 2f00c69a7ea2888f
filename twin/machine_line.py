"""One machine's past as columns of seconds: what it did when, and what was not seen."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise

from plant.calendar import WorkingTime
from plant.checks import require
from plant.machine_state import MachineState, StateInterval
from plant.plant import Plant

UNSEEN = frozenset({MachineState.UNKNOWN, MachineState.OFFLINE})
BLINK_S = 1.0
"""A machine out of sight for no longer than this, in working time, was not out of sight."""


def lines_of(plant: Plant, intervals: Iterable[StateInterval], since: datetime, until: datetime) -> list[MachineLine]:
    """Return the past of every machine that has one in the period.

    Raises
    ------
    InvalidInput
        If intervals of a machine overlap.
    """
    return [
        MachineLine(machine, found, since, until, _working_time(plant, machine, since, until))
        for machine, found in _by_machine(intervals, since, until).items()
    ]


def _by_machine(intervals: Iterable[StateInterval], since: datetime, until: datetime) -> dict[str, list[StateInterval]]:
    found: dict[str, list[StateInterval]] = {}
    for interval in intervals:
        if interval.started_at < until and (interval.ended_at is None or interval.ended_at > since):
            found.setdefault(interval.machine, []).append(interval)
    for machine, line in found.items():
        line.sort(key=lambda interval: interval.started_at)
        for one, following in pairwise(line):
            require(
                one.ended_at is not None and one.ended_at <= following.started_at,
                f"{machine}: the interval from {following.started_at} overlaps the one from {one.started_at}",
            )
    return found


def _working_time(plant: Plant, machine: str, since: datetime, until: datetime) -> WorkingTime:
    windows = plant.calendar_of(machine).windows(since, until)
    seconds = [((begin - since).total_seconds(), (end - since).total_seconds()) for begin, end in windows]
    # Work goes on for ever in the last window of such a map: one beyond the period keeps the others to their ends.
    beyond_s = (until - since).total_seconds() + 1.0
    return WorkingTime.of([*seconds, (beyond_s, beyond_s + 1.0)])


class MachineLine:
    """One machine's intervals as columns of seconds since the period's start, cut to the period."""

    def __init__(
        self,
        machine: str,
        intervals: Sequence[StateInterval],
        since: datetime,
        until: datetime,
        working_time: WorkingTime,
    ) -> None:
        self.machine = machine
        self._working_time = working_time
        self.states = [interval.state for interval in intervals]
        self.begins_s = [max((interval.started_at - since).total_seconds(), 0.0) for interval in intervals]
        self.end_s = (until - since).total_seconds()
        self.ends_s = [
            self.end_s if interval.ended_at is None else min((interval.ended_at - since).total_seconds(), self.end_s)
            for interval in intervals
        ]
        self._begun_before = bool(intervals) and intervals[0].started_at < since

    def is_older(self, begin_s: float) -> bool:
        """Tell whether what is seen from `begin_s` on had begun before the period."""
        return begin_s == 0.0 and self._begun_before

    def worked_s(self, begin_s: float, end_s: float) -> float:
        """Return the working seconds of the machine's calendar between two moments."""
        return self._working_time.worked_at(end_s) - self._working_time.worked_at(begin_s)

    def seen(self, begin_s: float, end_s: float) -> Iterable[tuple[float, MachineState, float]]:
        """Yield (begin, state, seconds) of every interval within [begin, end), in order; holes are unknown."""
        at_s = begin_s
        for place in range(max(bisect_left(self.begins_s, begin_s) - 1, 0), len(self.states)):
            if self.begins_s[place] >= end_s:
                break
            if self.begins_s[place] > at_s:
                yield at_s, MachineState.UNKNOWN, self.begins_s[place] - at_s
                at_s = self.begins_s[place]
            until_s = min(self.ends_s[place], end_s)
            if until_s > at_s:
                yield at_s, self.states[place], until_s - at_s
                at_s = until_s
        if at_s < end_s:
            yield at_s, MachineState.UNKNOWN, end_s - at_s


class StepSeen:
    """What a machine did within a job's span.

    Attributes
    ----------
    setup_s, processing_s
        Seconds spent, up to where the machine went out of sight.
    setup_over
        It was seen executing after the changeover.
    hidden
        It was out of sight in between.
    """

    def __init__(self, line: MachineLine, begin_s: float, end_s: float) -> None:
        self.setup_s = self.processing_s = 0.0
        self.setup_over = self.hidden = False
        for at_s, state, length_s in line.seen(begin_s, end_s):
            if state in UNSEEN and line.worked_s(at_s, at_s + length_s) > BLINK_S:
                self.hidden = True
                break
            if state is MachineState.SETUP:
                self.setup_s += length_s
            elif state is MachineState.EXECUTING:
                self.processing_s += length_s
                self.setup_over = True
