"""The live floor: readings become state intervals, intervals become what every machine is doing now.

`derive` is pure and repeatable: given what was in force before a moment and all state readings from that moment
on, it yields the intervals from there on, whatever the order in which the readings arrived. Ingest calls it again
from the earliest changed time whenever readings are late.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby

from plant.checks import require
from plant.machine_state import MachineState, PackMLMode, StateInterval, state_of
from plant.reading import GOOD, STATE_SIGNALS, Reading, Signal

_NUMBERS = {Signal.PACKML_STATE: "packml_state", Signal.PACKML_MODE: "mode", Signal.INTERLOCKS: "interlocks"}
_NO_STATE = -1
"""Stands for a value that is no whole number: outside the standard, so the state is unknown."""

_STATUS_NAMES = {
    0x8000_0000: "bad",
    0x8005_0000: "communication error",
    0x8031_0000: "no communication",
    0x8032_0000: "waiting for initial data",
    0x808A_0000: "not connected",
    0x808B_0000: "device failure",
    0x808C_0000: "sensor failure",
    0x808D_0000: "out of service",
}
_OVERFLOW = 0x0480
"""Info type "data value" and its overflow bit (OPC UA part 4, 7.39): values were lost between two readings."""


@dataclass(frozen=True)
class StateTuple:
    """The last known value of each state signal of one machine, and since when what they mean has been in force.

    Attributes
    ----------
    packml_state
        None until the first one is received.
    quality
        OPC UA StatusCode of the last readings: good, or the bad one that makes the machine offline.
    since
        Start of the interval in force, None before the first reading.
    """

    packml_state: int | None = None
    mode: int = PackMLMode.PRODUCTION
    interlocks: int = 0
    job_order: str | None = None
    quality: int = GOOD
    since: datetime | None = None

    @staticmethod
    def of(readings: Iterable[Reading], since: datetime | None = None) -> StateTuple:
        """Return what is in force after `readings`, said to have begun at `since`.

        Of each state signal the last reading and the last good reading are enough.
        """
        known = StateTuple()
        for _, group in _groups(readings):
            known = known.after(group)
        return replace(known, since=since)

    def after(self, group: Sequence[Reading]) -> StateTuple:
        """Return the values after readings of one moment, in the order of their ordinals; `since` stays."""
        values: dict[str, int | str | None] = {}
        quality: dict[str, int] = {}
        for reading in group:
            quality[reading.signal] = reading.quality if _is_bad(reading.quality) else GOOD
            if _is_bad(reading.quality):
                continue
            if reading.signal == Signal.JOB_ORDER:
                values["job_order"] = str(reading.value) if reading.value else None
            else:
                values[_NUMBERS[Signal(reading.signal)]] = _whole(reading.value)
        bad = [quality[signal] for signal in STATE_SIGNALS if quality.get(signal, GOOD) != GOOD]
        return replace(self, quality=bad[0] if bad else GOOD, **values)  # type: ignore[arg-type]

    @property
    def state(self) -> MachineState:
        """The machine state these values mean."""
        if self.quality != GOOD:
            return MachineState.OFFLINE
        if self.packml_state is None:
            return MachineState.UNKNOWN
        return state_of(self.packml_state, self.mode, self.interlocks)

    @property
    def reason(self) -> str:
        """Why the state is offline or unknown; empty for any other."""
        if self.quality != GOOD:
            return _status(self.quality)
        if self.packml_state is None:
            return "no PackML state received yet"
        if self.state is MachineState.UNKNOWN:
            number = "not a whole number" if self.packml_state == _NO_STATE else str(self.packml_state)
            return f"PackML state {number} is outside the standard"
        return ""


def derive(machine: str, prior: StateTuple, readings: Iterable[Reading]) -> list[StateInterval]:
    """Return the state intervals of a machine from `prior.since` on.

    Parameters
    ----------
    prior
        What was in force before the first of `readings` (see `StateTuple.of`); ``StateTuple()`` if nothing was.
    readings
        All readings of the machine's state signals from some moment after `prior.since` on, in any order and
        possibly repeated. Of several values of one tag at one time the order is that of their ordinals, and the
        last one holds.

    Returns
    -------
    list of StateInterval
        Without gap or overlap. The first begins at `prior.since` (it is the interval that was in force before),
        or at the first reading if there was none; the last is open. State, job and reason differ from one
        interval to the next.

    Raises
    ------
    InvalidInput
        If a reading is not of this machine's state, or not after `prior.since`.
    """
    intervals: list[StateInterval] = []
    known = prior
    for moment, group in _groups(_checked(machine, prior, readings)):
        following = known.after(group)
        if known.since is None:
            following = replace(following, since=moment)
        elif _meaning(following) != _meaning(known):
            intervals.append(_interval(machine, known, moment))
            following = replace(following, since=moment)
        known = following
    if known.since is not None:
        intervals.append(_interval(machine, known, None))
    return intervals


def _checked(machine: str, prior: StateTuple, readings: Iterable[Reading]) -> list[Reading]:
    found = list(readings)
    for reading in found:
        require(
            reading.machine == machine and reading.signal in STATE_SIGNALS,
            f"{reading.tag} is no state signal of {machine}; hand in {', '.join(STATE_SIGNALS)} of it only",
        )
        require(
            prior.since is None or reading.time > prior.since,
            f"{reading.tag} at {reading.time} is not after {prior.since}; start from what was in force before it",
        )
    return found


def _groups(readings: Iterable[Reading]) -> Iterable[tuple[datetime, list[Reading]]]:
    """Group by moment, exact repeats dropped; within a moment the given order stays (it is that of ordinals)."""
    distinct = sorted(dict.fromkeys(readings), key=lambda reading: reading.time)
    for moment, group in groupby(distinct, key=lambda reading: reading.time):
        yield moment, list(group)


def _meaning(known: StateTuple) -> tuple[MachineState, str | None, str]:
    return known.state, known.job_order, known.reason


def _interval(machine: str, known: StateTuple, ended_at: datetime | None) -> StateInterval:
    assert known.since is not None
    return StateInterval(machine, known.since, ended_at, known.state, known.reason, known.job_order)


def _is_bad(quality: int) -> bool:
    """Tell whether a StatusCode says that there is no usable value; an uncertain one is usable."""
    return bool(quality & 0x8000_0000)


def _whole(value: float | str | None) -> int:
    if isinstance(value, int | float) and value == value and abs(value) < 2**31 and int(value) == value:
        return int(value)
    return _NO_STATE


def _status(quality: int) -> str:
    name = _STATUS_NAMES.get(quality & 0xFFFF_0000, f"status 0x{quality & 0xFFFF_0000:08X}")
    return f"{name}, buffer overflow" if quality & _OVERFLOW == _OVERFLOW else name


@dataclass(frozen=True)
class LiveMachine:
    """What one machine is doing now.

    Attributes
    ----------
    since
        When this state (with this job) began; None before the first reading.
    job_order
        Running job order, None without one.
    last_job_order
        The running job order or, without one, the last that ran: it tells what the machine is set up for.
    last
        Newest usable reading of every signal.
    """

    machine: str
    state: MachineState = MachineState.UNKNOWN
    reason: str = ""
    since: datetime | None = None
    job_order: str | None = None
    last_job_order: str | None = None
    last: Mapping[str, Reading] = field(default_factory=dict)

    def fold(self, intervals: Sequence[StateInterval], readings: Iterable[Reading] = ()) -> LiveMachine:
        """Return the machine after newly derived intervals (in order, the last one open) and any readings of it.

        Restoring is the same: fold the stored intervals and the latest readings into ``LiveMachine(machine)``.
        """
        last = dict(self.last)
        for reading in readings:
            known = last.get(reading.signal)
            if not _is_bad(reading.quality) and (known is None or reading.time >= known.time):
                last[reading.signal] = reading
        if not intervals:
            return replace(self, last=last)
        now = intervals[-1]
        jobs = [interval.job_order for interval in intervals if interval.job_order is not None]
        return LiveMachine(
            self.machine,
            now.state,
            now.reason,
            now.started_at,
            now.job_order,
            jobs[-1] if jobs else self.last_job_order,
            last,
        )

    def value(self, signal: Signal) -> float | None:
        """Return the newest value of a numeric signal, None if there is none."""
        reading = self.last.get(signal)
        return float(reading.value) if reading is not None and isinstance(reading.value, int | float) else None


@dataclass(frozen=True)
class LiveFloor:
    """What every machine is doing now."""

    machines: Mapping[str, LiveMachine] = field(default_factory=dict)

    def fold(self, intervals: Mapping[str, Sequence[StateInterval]], readings: Iterable[Reading] = ()) -> LiveFloor:
        """Return the floor after newly derived intervals by machine and any readings; see `LiveMachine.fold`."""
        by_machine: dict[str, list[Reading]] = {}
        for reading in readings:
            by_machine.setdefault(reading.machine, []).append(reading)
        machines = dict(self.machines)
        for name in dict.fromkeys([*intervals, *by_machine]):
            live = machines.get(name, LiveMachine(name))
            machines[name] = live.fold(intervals.get(name, ()), by_machine.get(name, ()))
        return LiveFloor(machines)
