"""From what happened on the floor to entries of the truth log, and from those to what the machines show."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from emulator.events import (
    Counted,
    Event,
    JobAborted,
    JobCompleted,
    JobProgress,
    JobStarted,
    StateChanged,
    event_to_dict,
)
from emulator.journal import Entry
from emulator.modbus_server import RING_ENTRIES
from emulator.signals import Condition
from emulator.update import Group, Update
from plant.machine_state import MachineState, packml_of
from plant.message import new_message_id
from plant.order import ResponseKind
from plant.reading import Signal

_RESPONSE_KINDS: dict[type[Event], ResponseKind] = {
    JobStarted: ResponseKind.STARTED,
    JobProgress: ResponseKind.PROGRESS,
    JobCompleted: ResponseKind.COMPLETED,
    JobAborted: ResponseKind.ABORTED,
}


def entry_of(event: Event) -> Entry:
    """Return the log entry of a happening: kind ``state``, ``count`` or ``job``; a job entry is a job response."""
    values = event_to_dict(event)
    if isinstance(event, StateChanged | Counted):
        return values
    pieces = {"good": 0, "scrap": 0, "reason": ""}
    return {**pieces, **values, "kind": "job", "response": str(_RESPONSE_KINDS[type(event)]), "id": new_message_id()}


def update_of(entry: Entry) -> Update | None:
    """Return what a log entry makes its machine show, None when nothing."""
    if entry["kind"] == "state":
        return _state_update(entry)
    return _count_update(entry) if entry["kind"] == "count" else None


def condition_update(machine: str, condition: Condition) -> Update:
    """Return what a machine shows of its condition."""
    return Update(machine, condition.at, Group.CONDITION, condition.values)


def nothing_counted(machine: str, at: datetime) -> Update:
    """Return the counters of a machine that has made nothing yet."""
    return Update(machine, at, Group.COUNT, {Signal.PART_COUNT: 0, Signal.GOOD_COUNT: 0, Signal.SCRAP_COUNT: 0})


def _state_update(entry: Entry) -> Update:
    state, mode, interlocks = packml_of(MachineState(entry["state"]))
    values: dict[Signal, float | int | str] = {
        Signal.PACKML_STATE: state,
        Signal.PACKML_MODE: mode,
        Signal.INTERLOCKS: interlocks,
        Signal.JOB_ORDER: entry["job_order"] or "",
    }
    return Update(entry["machine"], _at(entry), Group.STATE, values, entry["n"])


def _count_update(entry: Entry) -> Update:
    values = {
        Signal.PART_COUNT: entry["part"],
        Signal.GOOD_COUNT: entry["good"],
        Signal.SCRAP_COUNT: entry["scrap"],
    }
    return Update(entry["machine"], _at(entry), Group.COUNT, values, entry["n"])


def _at(entry: Entry) -> datetime:
    return datetime.fromisoformat(entry["at"])


@dataclass
class Past:
    """What one machine has shown so far: enough to show it again after a restart.

    Attributes
    ----------
    states
        Its last changes of state, as many as a controller's ring holds.
    changes
        Number of all changes of state.
    count
        Its last count, None when it has made nothing yet.
    """

    states: deque[Update] = field(default_factory=lambda: deque(maxlen=RING_ENTRIES))
    changes: int = 0
    count: Update | None = None

    def add(self, update: Update) -> None:
        """Take in the next update."""
        if update.group is Group.STATE:
            self.states.append(update)
            self.changes += 1
        else:
            self.count = update


def pasts(entries: Iterable[Entry], machines: Collection[str]) -> dict[str, Past]:
    """Return what each machine has shown according to the log."""
    found = {machine: Past() for machine in machines}
    for entry in entries:
        update = update_of(entry)
        if update is not None:
            found[update.machine].add(update)
    return found
