"""The live floor: readings become state intervals, intervals become what every machine is doing now.

`derive` is pure and repeatable: given what was in force before a moment and all state readings from that moment
on, it yields the intervals from there on, whatever the order in which the readings arrived. Ingest calls it again
from the earliest changed time whenever readings are late.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from itertools import groupby
from operator import attrgetter

from plant.checks import require
from plant.machine_state import MachineState, PackMLMode, StateInterval, state_of
from plant.reading import GOOD, STATE_SIGNALS, Reading, Signal

_PLACES: Mapping[str, int] = {
    Signal.PACKML_STATE.value: 0,
    Signal.PACKML_MODE.value: 1,
    Signal.INTERLOCKS.value: 2,
}
_JOB_ORDER = Signal.JOB_ORDER.value
_BAD = 0x8000_0000
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
_TIME = attrgetter("time")
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
        told = [self.packml_state, self.mode, self.interlocks]
        job_order, quality = self.job_order, GOOD
        for reading in group:
            signal = reading.signal
            if _is_bad(reading.quality):
                quality = _BAD
            elif signal == _JOB_ORDER:
                job_order = str(reading.value) if reading.value else None
            else:
                told[_PLACES[signal]] = _whole(reading.value)
        if quality == _BAD:
            quality = _quality(group)
        packml_state, mode, interlocks = told
        assert mode is not None
        assert interlocks is not None
        return StateTuple(packml_state, mode, interlocks, job_order, quality, self.since)

    @property
    def state(self) -> MachineState:
        """The machine state these values mean."""
        return _told_by(self.packml_state, self.mode, self.interlocks, self.quality)[0]

    @property
    def reason(self) -> str:
        """Why the state is offline or unknown; empty for any other."""
        return _told_by(self.packml_state, self.mode, self.interlocks, self.quality)[1]


def _quality(group: Sequence[Reading]) -> int:
    """Return the quality of readings of which one at least was bad: that of the first state signal left bad."""
    last = {reading.signal: reading.quality for reading in group}
    return next((last[signal] for signal in STATE_SIGNALS if _is_bad(last.get(signal, GOOD))), GOOD)


@lru_cache(maxsize=4096)
def _told_by(packml_state: int | None, mode: int, interlocks: int, quality: int) -> tuple[MachineState, str]:
    """Return the machine state and its reason; few tuples ever occur, and a history asks for them again and again."""
    if quality != GOOD:
        return MachineState.OFFLINE, _status(quality)
    if packml_state is None:
        return MachineState.UNKNOWN, "no PackML state received yet"
    state = state_of(packml_state, mode, interlocks)
    if state is not MachineState.UNKNOWN:
        return state, ""
    number = "not a whole number" if packml_state == _NO_STATE else str(packml_state)
    return state, f"PackML state {number} is outside the standard"


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
    known, meaning = prior, _meaning(prior)
    for moment, group in _groups(_checked(machine, prior, readings)):
        following = known.after(group)
        meant = _meaning(following)
        if known.since is None:
            following = replace(following, since=moment)
        elif meant != meaning:
            intervals.append(_interval(machine, known, moment))
            following = replace(following, since=moment)
        known, meaning = following, meant
    if known.since is not None:
        intervals.append(_interval(machine, known, None))
    return intervals


def _checked(machine: str, prior: StateTuple, readings: Iterable[Reading]) -> list[Reading]:
    found = list(readings)
    tags = {reading.tag: reading for reading in found}
    for reading in tags.values():
        require(
            reading.machine == machine and reading.signal in STATE_SIGNALS,
            f"{reading.tag} is no state signal of {machine}; hand in {', '.join(STATE_SIGNALS)} of it only",
        )
    if prior.since is not None and found:
        first = min(found, key=_TIME)
        require(
            first.time > prior.since,
            f"{first.tag} at {first.time} is not after {prior.since}; start from what was in force before it",
        )
    return found


def _groups(readings: Iterable[Reading]) -> Iterator[tuple[datetime, list[Reading]]]:
    """Group by moment, exact repeats dropped; within a moment the given order stays (it is that of ordinals)."""
    for moment, readings_then in groupby(sorted(readings, key=_TIME), key=_TIME):
        group = list(readings_then)
        if len({reading.tag for reading in group}) < len(group):
            group = list(dict.fromkeys(group))
        yield moment, group


def _meaning(known: StateTuple) -> tuple[MachineState, str | None, str]:
    state, reason = _told_by(known.packml_state, known.mode, known.interlocks, known.quality)
    return state, known.job_order, reason


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
        by_tag: dict[str, Reading] = {}
        for reading in readings:
            newest = by_tag.get(reading.tag)
            if not _is_bad(reading.quality) and (newest is None or reading.time >= newest.time):
                by_tag[reading.tag] = reading
        last = dict(self.last)
        for reading in by_tag.values():
            known = last.get(reading.signal)
            if known is None or reading.time >= known.time:
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
        by_tag: dict[str, list[Reading]] = {}
        for reading in readings:
            by_tag.setdefault(reading.tag, []).append(reading)
        by_machine: dict[str, list[Reading]] = {}
        for own in by_tag.values():
            by_machine.setdefault(own[0].machine, []).extend(own)
        machines = dict(self.machines)
        for name in dict.fromkeys([*intervals, *by_machine]):
            live = machines.get(name, LiveMachine(name))
            machines[name] = live.fold(intervals.get(name, ()), by_machine.get(name, ()))
        return LiveFloor(machines)
