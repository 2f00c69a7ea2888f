"""What machines were doing, as columns: one form for the historian's state intervals and for simulated logs.

Moments are whole microseconds since 1970 (UTC), the resolution of `datetime` and of PostgreSQL. On that grid real
and simulated times meet, and sums of durations are sums of integers: they add up exactly, in any order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plant.calendar import Window
from plant.checks import require, require_aware
from plant.machine_state import MachineState, StateInterval
from plant.work import Work

Micros = NDArray[np.int64]
"""Moments or durations in whole microseconds."""

STATES = tuple(MachineState)
"""`StateLog.state` holds places in this tuple."""
OPEN = np.iinfo(np.int64).max
"""End of an interval that has not ended."""

_PLACE = {state: place for place, state in enumerate(STATES)}
_ZERO = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Event(Protocol):
    """A change of a machine's state, as `twin.simulate.MachineEvent`."""

    @property
    def machine(self) -> str: ...
    @property
    def at_s(self) -> float: ...
    @property
    def state(self) -> MachineState: ...
    @property
    def tasks(self) -> tuple[str, ...]: ...


def micros(moment: datetime) -> int:
    """Return a moment as microseconds since 1970 (UTC), exactly."""
    require_aware("moment", moment)
    return (moment - _ZERO) // _MICROSECOND


def micros_of_seconds(seconds: ArrayLike, epoch: datetime) -> Micros:
    """Return seconds since `epoch` as microseconds since 1970; infinity and NaN become `OPEN`.

    Rounded as `datetime` rounds: whole seconds apart, or half a microsecond could fall to either side.
    """
    column = np.asarray(seconds, dtype=np.float64)
    known = np.isfinite(column)
    part, whole = np.modf(np.where(known, column, 0.0))
    ticks = np.rint(part * 1e6).astype(np.int64) + whole.astype(np.int64) * 1_000_000 + micros(epoch)
    return np.where(known, ticks, OPEN)


@dataclass(frozen=True, eq=False)
class StateLog:
    """State intervals of machines, by machine and beginning.

    Attributes
    ----------
    machines
        Names; `machine` holds places in it.
    machine, state
        Shape (n,): which machine, and which state as a place in `STATES`.
    has_job
        Shape (n,): whether a job order was assigned.
    start_us, finish_us
        Shape (n,): the interval is [start, finish); `OPEN` while it has not ended.
    """

    machines: tuple[str, ...]
    machine: NDArray[np.intp]
    state: NDArray[np.intp]
    has_job: NDArray[np.bool_]
    start_us: Micros
    finish_us: Micros

    @staticmethod
    def of(
        machines: Sequence[str],
        machine: ArrayLike,
        state: ArrayLike,
        has_job: ArrayLike,
        start_us: ArrayLike,
        finish_us: ArrayLike,
    ) -> StateLog:
        """Return the log of columns in any order; intervals of no length and exact repeats are left out.

        Raises
        ------
        InvalidInput
            If the columns differ in length, name a machine or state that does not exist, or one ends before it
            begins.
        """
        columns = [np.asarray(one) for one in (machine, state, has_job, start_us, finish_us)]
        lengths = {one.shape for one in columns}
        require(len(lengths) == 1 and columns[0].ndim == 1, f"columns must have one length, not {sorted(lengths)}")
        log = StateLog(
            tuple(machines),
            columns[0].astype(np.intp),
            columns[1].astype(np.intp),
            columns[2].astype(np.bool_),
            columns[3].astype(np.int64),
            columns[4].astype(np.int64),
        )
        log._check()
        return log._where(log.finish_us > log.start_us)._ordered()._once()

    @staticmethod
    def of_intervals(intervals: Iterable[StateInterval]) -> StateLog:
        """Return the log of the historian's intervals."""
        rows = list(intervals)
        names = tuple(dict.fromkeys(row.machine for row in rows))
        places = {name: place for place, name in enumerate(names)}
        return StateLog.of(
            names,
            np.array([places[row.machine] for row in rows], dtype=np.intp),
            np.array([_PLACE[row.state] for row in rows], dtype=np.intp),
            np.array([row.job_order is not None for row in rows], dtype=np.bool_),
            np.array([micros(row.started_at) for row in rows], dtype=np.int64),
            np.array([OPEN if row.ended_at is None else micros(row.ended_at) for row in rows], dtype=np.int64),
        )

    @staticmethod
    def of_seconds(
        machines: Sequence[str],
        machine: ArrayLike,
        state: ArrayLike,
        has_job: ArrayLike,
        start_s: ArrayLike,
        finish_s: ArrayLike,
        epoch: datetime,
    ) -> StateLog:
        """Return the log of simulated columns; times in seconds since `epoch`, an infinite `finish_s` is open."""
        return StateLog.of(
            machines, machine, state, has_job, micros_of_seconds(start_s, epoch), micros_of_seconds(finish_s, epoch)
        )

    @staticmethod
    def of_events(events: Iterable[Event], epoch: datetime) -> StateLog:
        """Return the log of simulated changes, in order per machine; each lasts until the machine's next one."""
        rows = list(events)
        names = tuple(dict.fromkeys(row.machine for row in rows))
        places = {name: place for place, name in enumerate(names)}
        machine = np.array([places[row.machine] for row in rows], dtype=np.intp)
        start_us = micros_of_seconds([row.at_s for row in rows], epoch)
        order = np.argsort(machine, kind="stable")
        finish_us = np.full(len(rows), OPEN)
        same = machine[order][1:] == machine[order][:-1]
        finish_us[order[:-1][same]] = start_us[order[1:][same]]
        state = np.array([_PLACE[row.state] for row in rows], dtype=np.intp)
        return StateLog.of(names, machine, state, [bool(row.tasks) for row in rows], start_us, finish_us)

    def settled(self) -> StateLog:
        """Return a log without overlap: the interval that begins later ends the one before it.

        Of two that begin at once the one handed in last holds. What ended in the middle of another one leaves
        time of which nothing is known. For logs that were kept by others; the historian's own never overlap.
        """
        follows = self._follows()
        log = self._where(~np.append(follows & (self.start_us[1:] == self.start_us[:-1]), False)[: len(self)])
        if not len(log):
            return log
        finish_us = log.finish_us.copy()
        until_us = np.where(log._follows(), log.start_us[1:], OPEN)
        finish_us[:-1] = np.minimum(finish_us[:-1], until_us)
        return StateLog(log.machines, log.machine, log.state, log.has_job, log.start_us, finish_us)

    def require_disjoint(self) -> None:
        """Raise `InvalidInput` naming the first two intervals that overlap."""
        wrong = np.flatnonzero(self._follows() & (self.finish_us[:-1] > self.start_us[1:]))
        if len(wrong):
            first, second = (moment_of(int(self.start_us[row])) for row in (wrong[0], wrong[0] + 1))
            name = self.machines[self.machine[wrong[0]]]
            require(False, f"{name}: the interval from {second} overlaps the one from {first}")

    def rows_of(self, machine: str) -> slice:
        """Return where a machine's intervals are; empty for one that the log does not name."""
        if machine not in self.machines:
            return slice(0, 0)
        place = self.machines.index(machine)
        return slice(*(int(at) for at in np.searchsorted(self.machine, [place, place + 1])))

    def __len__(self) -> int:
        return len(self.start_us)

    def _follows(self) -> NDArray[np.bool_]:
        """Tell of each interval but the first whether the one before it is of the same machine, shape (n - 1,)."""
        follows: NDArray[np.bool_] = self.machine[1:] == self.machine[:-1]
        return follows

    def _where(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> StateLog:
        return StateLog(
            self.machines,
            self.machine[rows],
            self.state[rows],
            self.has_job[rows],
            self.start_us[rows],
            self.finish_us[rows],
        )

    def _check(self) -> None:
        if not len(self):
            return
        require(
            self.machine.min() >= 0 and self.machine.max() < len(self.machines),
            f"a machine's place must be 0 to {len(self.machines) - 1}",
        )
        require(self.state.min() >= 0 and self.state.max() < len(STATES), f"a state must be 0 to {len(STATES) - 1}")
        wrong = np.flatnonzero(self.finish_us < self.start_us)
        if len(wrong):
            at = moment_of(int(self.start_us[wrong[0]]))
            require(False, f"{self.machines[self.machine[wrong[0]]]}: the interval from {at} ends before it begins")

    def _ordered(self) -> StateLog:
        later = self.start_us[1:] >= self.start_us[:-1]
        if ((self.machine[1:] > self.machine[:-1]) | (self._follows() & later)).all():
            return self
        return self._where(np.lexsort((self.start_us, self.machine)))

    def _once(self) -> StateLog:
        """Leave out what repeats the interval before it."""
        repeats = self._follows() & (self.start_us[1:] == self.start_us[:-1])
        repeats &= (self.finish_us[1:] == self.finish_us[:-1]) & (self.state[1:] == self.state[:-1])
        repeats &= self.has_job[1:] == self.has_job[:-1]
        return self._where(~np.append(False, repeats)[: len(self)]) if repeats.any() else self


def moment_of(micros_us: int) -> datetime:
    """Return the moment of microseconds since 1970."""
    return _ZERO + timedelta(microseconds=micros_us)


def windows_of_work(work: Work, until_s: float) -> dict[str, list[Window]]:
    """Return the working windows of a work's machines from its epoch on, as the simulation lives through them.

    Parameters
    ----------
    until_s
        Clock seconds since the epoch at which the last window, which never ends in a work, is cut off.
    """
    found = {}
    for name, machine in work.machines.items():
        known = machine.working_time
        ends = (*known.ends[:-1], max(until_s, known.starts[-1]))
        pairs = [(work.moment(a), work.moment(b)) for a, b in zip(known.starts, ends, strict=True) if a < b]
        found[name] = pairs
    return found
