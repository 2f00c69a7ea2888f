"""What is known to be stored of each machine: the ground on which a connector tells a gap after a break."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from plant.reading import Reading, Signal, is_good

INSTANT = timedelta(microseconds=1)


class Memory:
    """The times of the last committed readings per machine.

    Only acknowledged readings count: what was read but never committed is as good as not read.

    Parameters
    ----------
    last_known
        The latest stored readings of the connection's machines, so that a gap is told over a restart, too.
    """

    def __init__(self, last_known: Iterable[Reading] = ()) -> None:
        self._state_at: dict[str, datetime] = {}
        self._lost_at: dict[str, datetime] = {}
        self._latest_at: dict[str, datetime] = {}
        self.commit(last_known)

    def copy(self) -> Memory:
        """Return a memory of the same readings that goes its own way from now on."""
        twin = Memory()
        twin._state_at, twin._lost_at, twin._latest_at = (
            dict(times) for times in (self._state_at, self._lost_at, self._latest_at)
        )
        return twin

    def commit(self, readings: Iterable[Reading]) -> None:
        """Remember readings that are stored."""
        for reading in readings:
            _raise_to(self._latest_at, reading)
            if reading.signal == Signal.PACKML_STATE:
                _raise_to(self._state_at if is_good(reading.quality) else self._lost_at, reading)

    def state_at(self, machine: str) -> datetime | None:
        """Return the time of the last good state that is stored, None if there is none."""
        return self._state_at.get(machine)

    def lost_at(self, machine: str) -> datetime | None:
        """Return from when on the stored history says that the state is not known; None where it is known."""
        lost = self._lost_at.get(machine)
        state = self._state_at.get(machine)
        return lost if lost is not None and (state is None or state < lost) else None

    def gap_at(self, machine: str, before: datetime | None = None) -> datetime | None:
        """Return where the unknown begins: an instant after the last reading, but before the state at `before`.

        None where nothing can be lost: no state is stored yet, or there is no room before `before`.
        """
        state_at = self._state_at.get(machine)
        if state_at is None:
            return None
        for begin in (self._latest_at[machine] + INSTANT, state_at + INSTANT):
            if before is None or begin < before:
                return begin
        return None


def _raise_to(times: dict[str, datetime], reading: Reading) -> None:
    times[reading.machine] = max(reading.time, times.get(reading.machine, reading.time))
