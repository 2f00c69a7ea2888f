"""The floor as it is now: one row a machine, kept with the readings, so that a page reads nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from historian.database import Channel, Transaction
from historian.documents import jsonb
from historian.queries import query
from plant.machine_state import MachineState, StateInterval
from plant.reading import CONDITION_SIGNALS, COUNTER_SIGNALS, Reading

_ROWS = query("latest", "rows")
_SAVE = query("latest", "save")


@dataclass(frozen=True)
class Newest:
    """The newest reading of one signal."""

    time: datetime
    value: float | str | None
    quality: int


@dataclass(frozen=True)
class FloorRow:
    """A machine as it stands.

    Attributes
    ----------
    since
        Start of the state interval that goes on.
    signals
        The newest reading per signal.
    updated_at
        Time of the newest reading of all.
    """

    machine: str
    state: MachineState = MachineState.UNKNOWN
    since: datetime | None = None
    reason: str = ""
    job_order: str | None = None
    signals: Mapping[str, Newest] = field(default_factory=dict)
    updated_at: datetime | None = None

    @property
    def counters(self) -> dict[str, float]:
        """Newest value per counter that is known."""
        return self._numbers(COUNTER_SIGNALS)

    @property
    def conditions(self) -> dict[str, float]:
        """Newest value per condition signal that is known."""
        return self._numbers(CONDITION_SIGNALS)

    def _numbers(self, names: Sequence[str]) -> dict[str, float]:
        known = {str(name): self.signals[name].value for name in names if name in self.signals}
        return {name: value for name, value in known.items() if isinstance(value, (int, float))}


async def rows(tx: Transaction, machines: Sequence[str] | None = None) -> list[FloorRow]:
    """Return the machines that were heard of, by id; of all by default."""
    found = await tx.all(_ROWS, {"machines": None if machines is None else list(machines)})
    return [_floor_row(row) for row in found]


async def update(tx: Transaction, readings: Sequence[Reading], last: Mapping[str, StateInterval]) -> list[str]:
    """Bring the rows of the machines that `readings` touch up to date and return their ids.

    Parameters
    ----------
    readings
        What was stored; one older than what a row holds already changes nothing.
    last
        Last state interval per machine; one without any stays unknown.
    """
    machines = sorted({reading.machine for reading in readings})
    known = {row.machine: row for row in await rows(tx, machines)}
    signals = {machine: dict(known[machine].signals) if machine in known else {} for machine in machines}
    for reading in readings:
        held = signals[reading.machine].get(reading.signal)
        if held is None or held.time <= reading.time:
            signals[reading.machine][reading.signal] = Newest(reading.time, reading.value, reading.quality)
    await tx.execute_many(_SAVE, [_saved(machine, last.get(machine), signals[machine]) for machine in machines])
    await tx.notify(Channel.FLOOR, " ".join(machines))
    return machines


def _saved(machine: str, interval: StateInterval | None, signals: Mapping[str, Newest]) -> dict[str, Any]:
    held = {name: [one.time.isoformat(), one.value, one.quality] for name, one in sorted(signals.items())}
    return {
        "machine": machine,
        "state": MachineState.UNKNOWN if interval is None else interval.state,
        "since": None if interval is None else interval.started_at,
        "reason": "" if interval is None else interval.reason,
        "job_order": None if interval is None else interval.job_order,
        "signals": jsonb(held),
        "updated_at": max(one.time for one in signals.values()),
    }


def _floor_row(row: dict[str, Any]) -> FloorRow:
    signals = {
        name: Newest(datetime.fromisoformat(time), value, quality)
        for name, (time, value, quality) in row["signals"].items()
    }
    return FloorRow(**{**row, "state": MachineState(row["state"]), "signals": signals})
