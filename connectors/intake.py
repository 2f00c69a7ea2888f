"""What every protocol's input must pass before it is a reading: known machine, known signal, right type, real time."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from plant.connection import Connection
from plant.errors import MessageInvalid
from plant.plant import Plant
from plant.ports import PlantClock
from plant.reading import (
    BAD_NO_COMMUNICATION,
    CONDITION_SIGNALS,
    COUNTER_SIGNALS,
    GOOD,
    TEXT_SIGNALS,
    GapCause,
    Reading,
    Rejected,
    Signal,
    is_good,
)

MAX_AHEAD = timedelta(days=14)
"""How far a stamp may lie ahead of the plant clock: closed hours are skipped, and two processes never skip them at
the same instant, so a source may be one works holiday ahead."""
MAX_BEFORE = timedelta(days=1)
"""How far a stamp may lie before the plant's first moment."""
MAX_TEXT = 200
MAX_PAYLOAD = 1000
"""Characters of a rejected payload that are kept."""
OVERFLOW = 0x0000_0480
"""InfoType DataValue with the overflow bit (OPC UA part 4, 7.39): values were lost before this one."""
_WHOLE = 2**53


class Intake:
    """Turns what a connection's machines send into readings; what cannot be one is refused with its reason.

    Parameters
    ----------
    clock
        Tells which stamps are plausible: a controller clock at 2000-01-01, or in the next century, would poison
        the history.
    """

    def __init__(self, connection: Connection, plant: Plant, clock: PlantClock) -> None:
        self._connection = connection
        self._plant = plant
        self._clock = clock
        self._paths = {machine: plant.machine_path(machine) for machine in connection.machines}

    @property
    def source(self) -> str:
        """Id of the connection, as rejections name it."""
        return self._connection.id

    def now(self) -> datetime:
        """Return the plant time."""
        return self._clock.now()

    def require_machine(self, machine: str) -> None:
        """Raise `MessageInvalid` unless this connection serves `machine`."""
        if machine in self._paths:
            return
        elsewhere = [other.id for other in self._plant.connections if machine in other.machines]
        known = f"it belongs to connection {elsewhere[0]}" if elsewhere else "the plant does not have it"
        raise MessageInvalid(f"unknown machine {machine[:80]!r}: {known}; add it to connection {self.source}")

    def time(self, moment: datetime) -> datetime:
        """Return a stamp in UTC.

        Raises
        ------
        MessageInvalid
            When it has no time zone, or lies where no stamp of this plant can.
        """
        if moment.tzinfo is None:
            raise MessageInvalid(f"the time {moment.isoformat()} has no time zone; send it in UTC, with Z")
        try:
            moment = moment.astimezone(UTC)
        except OverflowError as error:
            raise MessageInvalid(f"the time {moment.isoformat()} lies outside the calendar") from error
        earliest, latest = self._plant.starts_at - MAX_BEFORE, self._clock.now() + MAX_AHEAD
        if not earliest <= moment <= latest:
            raise MessageInvalid(
                f"the time {moment.isoformat()} is not plausible: it must lie between {earliest.isoformat()} and "
                f"{latest.isoformat()}; set the controller's clock"
            )
        return moment

    def reading(self, machine: str, signal: Signal, moment: datetime, raw: object, quality: int = GOOD) -> Reading:
        """Return one reading; `moment` has passed `time`, and the value of a bad one is left out.

        Raises
        ------
        MessageInvalid
            When the value is not of the signal's type.
        """
        value = value_of(signal, raw) if is_good(quality) else None
        return Reading(f"{self._paths[machine]}/{signal}", moment, value, quality)

    def gap(self, machine: str, moment: datetime, cause: GapCause = GapCause.CONNECTION_LOST) -> Reading:
        """Return the reading that says: from `moment` on, nothing is known of the machine's state.

        The StatusCode of an overflow says so in its own info bits.
        """
        quality = BAD_NO_COMMUNICATION | (OVERFLOW if cause is GapCause.BUFFER_OVERFLOW else 0)
        return self.reading(machine, Signal.PACKML_STATE, moment, None, quality)

    def reject(self, payload: bytes | str, reason: str) -> Rejected:
        """Return the payload, cut to what can be kept, with the reason."""
        return Rejected(self.source, printable(payload), reason)


def signal_of(name: str) -> Signal:
    """Return the signal of this name, or raise `MessageInvalid`."""
    try:
        return Signal(name)
    except ValueError as error:
        raise MessageInvalid(f"unknown signal {name[:80]!r}; known are {', '.join(Signal)}") from error


def value_of(signal: Signal, raw: object) -> float | str:
    """Return a signal's value as readings hold it: numbers as float, the job order as text.

    Raises
    ------
    MessageInvalid
        When the type is wrong, the number is not finite or too large to be exact, a count or state is no whole number,
        a count is negative, or the text cannot be stored.
    """
    if signal in TEXT_SIGNALS:
        return _text(signal, raw)
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise MessageInvalid(f"{signal} must be a number, not {_show(raw)}")
    if isinstance(raw, float) and not math.isfinite(raw):
        raise MessageInvalid(f"{signal} must be a finite number, not {raw}")
    if abs(raw) > _WHOLE:  # a sum over such a number would overflow, or be nothing but it
        raise MessageInvalid(f"{signal} is beyond the whole numbers that are kept exactly (2^53)")
    if signal not in CONDITION_SIGNALS and raw != int(raw):
        raise MessageInvalid(f"{signal} must be a whole number, not {raw}")
    if signal in COUNTER_SIGNALS and raw < 0:
        raise MessageInvalid(f"{signal} counts from 0 on, it cannot be {raw}")
    return float(raw)


def _text(signal: Signal, raw: object) -> str:
    if not isinstance(raw, str):
        raise MessageInvalid(f"{signal} must be a text, not {_show(raw)}")
    if len(raw) > MAX_TEXT:
        raise MessageInvalid(f"{signal} is {len(raw)} characters long; at most {MAX_TEXT} are taken")
    if any(not character.isprintable() for character in raw):
        raise MessageInvalid(f"{signal} holds characters that cannot be printed: {_show(raw)}")
    return raw


def _show(raw: object) -> str:
    return f"{type(raw).__name__} {repr(raw)[:60]}"


def printable(payload: bytes | str) -> str:
    """Return a payload as text that any database can hold: escaped where it must be, cut where it is long."""
    raw = payload[: MAX_PAYLOAD + 1]
    text = raw if isinstance(raw, str) else raw.decode("utf-8", "backslashreplace")
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text[:MAX_PAYLOAD])
    return shown + (f" ... ({len(payload)} in all)" if len(payload) > MAX_PAYLOAD else "")
