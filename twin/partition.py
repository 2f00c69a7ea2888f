"""The time model of ISO 22400-2 as a partition of calendar time: every moment of a period is in exactly one class.

The moments at which anything changes - the period, the shifts, the machine's states - cut the period into pieces,
and each piece gets one class by a table of machine state, whether a job is assigned, and shift. So there is no
overlap and no hole, whatever is handed in.

What is not said of working time is `TimeClass.UNKNOWN`; what is not working time is `TimeClass.CLOSED` unless the
machine worked there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from plant.calendar import Window, clip_windows, merge_windows
from plant.checks import require
from plant.machine_state import MachineState
from twin.state_log import OPEN, STATES, Micros, StateLog, micros

Rows = NDArray[np.bool_]


class TimeClass(IntEnum):
    """Where a moment of a machine's calendar time belongs.

    The first three lie outside of the shift, all others make up the planned busy time (PBT).
    """

    CLOSED = 0
    OVERTIME = 1
    OVERTIME_SETUP = 2
    UNKNOWN = 3
    PRODUCTION = 4
    """APT, actual production time."""
    SETUP = 5
    """AUST, actual unit setup time."""
    DELAY_IDLE = 6
    """The first of the parts of ADET, actual unit delay time: a job is assigned but not processed."""
    DELAY_STARVED = 7
    DELAY_BLOCKED = 8
    DELAY_HELD = 9
    DELAY_PLANNED_STOP = 10
    DELAY_BREAKDOWN = 11
    DELAY_MICRO_STOP = 12
    DOWN_IDLE = 13
    """The first of the parts of ADOT, actual unit down time: within PBT and without a job."""
    DOWN_STARVED = 14
    DOWN_BLOCKED = 15
    DOWN_HELD = 16
    DOWN_PLANNED_STOP = 17
    DOWN_BREAKDOWN = 18

    @property
    def in_shift(self) -> bool:
        """Whether it is part of the planned busy time."""
        return self >= TimeClass.UNKNOWN


DELAYS = tuple(one for one in TimeClass if one.name.startswith("DELAY_"))
DOWNS = tuple(one for one in TimeClass if one.name.startswith("DOWN_"))


def class_of(state: MachineState, has_job: bool, in_shift: bool) -> TimeClass:
    """Return the class of time in a state, micro-stops aside: the second table of the design.

    The first, from PackML tuples to states, is `plant.machine_state.state_of`.
    """
    if not in_shift:
        outside = {MachineState.EXECUTING: TimeClass.OVERTIME, MachineState.SETUP: TimeClass.OVERTIME_SETUP}
        return outside.get(state, TimeClass.CLOSED)
    if state in _WITH_OR_WITHOUT_JOB:
        return _WITH_OR_WITHOUT_JOB[state]
    return TimeClass[f"{'DELAY' if has_job else 'DOWN'}_{state.name}"]


_WITH_OR_WITHOUT_JOB = {
    MachineState.EXECUTING: TimeClass.PRODUCTION,
    MachineState.SETUP: TimeClass.SETUP,
    MachineState.UNKNOWN: TimeClass.UNKNOWN,
    MachineState.OFFLINE: TimeClass.UNKNOWN,
}
_TABLE = np.array(
    [[[class_of(state, job, shift) for shift in (False, True)] for job in (False, True)] for state in STATES],
    dtype=np.intp,
)
"""Shape (states, with a job, in shift)."""


def _is_one_of(*states: MachineState) -> Rows:
    return np.array([state in states for state in STATES])


_STOPPED = ~_is_one_of(*_WITH_OR_WITHOUT_JOB)
_NEVER_MICRO = _is_one_of(MachineState.BREAKDOWN, MachineState.PLANNED_STOP)
_MAY_BE_MICRO = _is_one_of(MachineState.IDLE, MachineState.HELD)
_NOTHING_KNOWN = _is_one_of(MachineState.UNKNOWN, MachineState.OFFLINE)
_BROKEN = _is_one_of(MachineState.BREAKDOWN)
_SETUP = _is_one_of(MachineState.SETUP)


@dataclass(frozen=True, eq=False)
class Partition:
    """A period of one machine, cut into pieces of one class each.

    Attributes
    ----------
    edges_us
        Shape (n + 1,), strictly increasing from the period's start to its end.
    classes
        Shape (n,): `TimeClass` of the time from one edge to the next.
    """

    edges_us: Micros
    classes: NDArray[np.intp]

    def sums_us(self) -> Micros:
        """Return how long each class lasted, shape (classes,), in microseconds: they sum to the period."""
        # Whole numbers below 2**53 (285 years) stay exact in the float weights.
        total = np.bincount(self.classes, weights=np.diff(self.edges_us), minlength=len(TimeClass))
        return total.astype(np.int64)


def micro_stops(log: StateLog, threshold_s: float) -> Rows:
    """Tell of each interval whether it is (part of) a micro-stop, shape (n,).

    A stop lasts from where a machine with a job left processing or setup to where it took it up again, in clock
    time and whole, also where it reaches past a period or a break. If it is shorter than the threshold, and
    neither a breakdown nor a planned stop is in it, its idle and held time is a micro-stop. Starved and blocked
    time keeps its name however short it is: its cause lies elsewhere. A stop that has not ended is none yet.
    """
    if not len(log):
        return np.zeros(0, dtype=np.bool_)
    stopped = _STOPPED[log.state]
    goes_on = (log.machine[1:] == log.machine[:-1]) & (log.finish_us[:-1] == log.start_us[1:])
    goes_on &= stopped[1:] & stopped[:-1] & (log.has_job[1:] == log.has_job[:-1])
    first = np.flatnonzero(np.append(True, ~goes_on))
    threshold_us = round(threshold_s * 1e6)
    lasts_us = np.where(log.finish_us == OPEN, threshold_us, log.finish_us - log.start_us)
    short = np.add.reduceat(lasts_us, first) < threshold_us
    short &= ~np.logical_or.reduceat(_NEVER_MICRO[log.state], first)
    stop = np.repeat(short, np.diff(np.append(first, len(log))))
    return stop & _MAY_BE_MICRO[log.state] & log.has_job


def failure_starts_us(log: StateLog, machine: str) -> Micros:
    """Return when a machine failed: it broke down, and was not down before as far as is known."""
    rows = log.rows_of(machine)
    state, start_us = log.state[rows], log.start_us[rows]
    known = ~_NOTHING_KNOWN[state]
    broken = _BROKEN[state[known]]
    fresh: Micros = start_us[known][broken & ~np.append(False, broken[:-1])[: len(broken)]]
    return fresh


def setup_ends_us(log: StateLog, machine: str) -> Micros:
    """Return when the changeovers of a machine ended, in order."""
    rows = log.rows_of(machine)
    ends: Micros = log.finish_us[rows][_SETUP[log.state[rows]]]
    return ends


@dataclass(frozen=True, eq=False)
class Shifts:
    """Working windows within a period, shape (n,) each, disjoint and in order."""

    start_us: Micros
    end_us: Micros

    @staticmethod
    def of(windows: Sequence[Window], period: Window) -> Shifts:
        """Merge the windows and cut them to the period."""
        pairs = [(micros(a), micros(b)) for a, b in clip_windows(merge_windows(windows), *period)]
        columns = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        return Shifts(columns[:, 0], columns[:, 1])

    def hold(self, moments_us: Micros) -> Rows:
        """Tell of moments whether the time right after them is working time."""
        return _covered(self.start_us, self.end_us, moments_us)[1]

    def hold_before(self, moments_us: Micros) -> Rows:
        """Tell of moments whether the time right before them is working time."""
        return self.hold(moments_us - 1)


def partition(log: StateLog, machine: str, shifts: Shifts, period: Window, micro: Rows) -> Partition:
    """Return the partition of one machine's period.

    Parameters
    ----------
    log
        Without overlap (`StateLog.require_disjoint`).
    micro
        `micro_stops` of the log.
    """
    rows = log.rows_of(machine)
    start_us, finish_us = log.start_us[rows], log.finish_us[rows]
    begin, end = micros(period[0]), micros(period[1])
    require(begin <= end, f"a period must not end before it starts: {period[0]} to {period[1]}")
    cuts = np.concatenate([start_us, finish_us, shifts.start_us, shifts.end_us])
    # Made of sorted runs, which a stable sort merges in one pass.
    edges_us = np.sort(np.append(cuts[(cuts > begin) & (cuts < end)], [begin, end]), kind="stable")
    edges_us = edges_us[np.append(True, edges_us[1:] > edges_us[:-1])]
    at_us = edges_us[:-1]
    index, said = _covered(start_us, finish_us, at_us)
    working = shifts.hold(at_us).astype(np.intp)
    classes = np.where(working, TimeClass.UNKNOWN, TimeClass.CLOSED)
    told = index[said]
    classes[said] = _TABLE[log.state[rows][told], log.has_job[rows][told].astype(np.intp), working[said]]
    classes[said] = np.where(micro[rows][told] & working[said].astype(np.bool_), _MICRO, classes[said])
    return Partition(edges_us, classes)


_MICRO = TimeClass.DELAY_MICRO_STOP


def _covered(start_us: Micros, end_us: Micros, at_us: Micros) -> tuple[NDArray[np.intp], Rows]:
    """Return for each moment the last interval begun by then, and whether it holds the moment."""
    index = np.searchsorted(start_us, at_us, side="right") - 1
    if not len(start_us):
        return index, np.zeros(len(at_us), dtype=np.bool_)
    return index, (index >= 0) & (at_us < end_us[np.maximum(index, 0)])
