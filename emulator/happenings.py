"""What happened on the floor and was not handed out yet, and what each machine shows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from emulator.events import Event, StateChanged, event_from_dict, event_to_dict
from plant.machine_state import MachineState


@dataclass(frozen=True)
class Shown:
    """A machine shows `state` with `job_order` (or none) since a moment."""

    state: MachineState
    job_order: str | None
    since: datetime


class Happenings:
    """Collects events in order; two state changes of a machine at one moment collapse into the last."""

    def __init__(self, shown: dict[str, Shown]) -> None:
        self._shown = shown
        self._before = dict(shown)
        self._events: list[Event] = []

    def shown(self, machine: str) -> Shown:
        """Return what a machine shows."""
        return self._shown[machine]

    def add(self, event: Event) -> None:
        """Note anything but a state change."""
        self._events.append(event)

    def show(self, machine: str, at: datetime, state: MachineState, job_order: str | None) -> None:
        """Note what a machine shows now; it is an event only if it really changed."""
        if self._is(self._shown[machine], state, job_order):
            return
        if not self._retract(machine, at):
            self._before[machine] = self._shown[machine]
        elif self._is(self._before[machine], state, job_order):
            self._shown[machine] = self._before[machine]
            return
        self._shown[machine] = Shown(state, job_order, at)
        self._events.append(StateChanged(machine, at, state, job_order))

    def take(self, until: datetime) -> list[Event]:
        """Hand out what happened up to and at `until`."""
        taken = [event for event in self._events if event.at <= until]
        self._events = [event for event in self._events if event.at > until]
        return taken

    def dump(self) -> dict[str, Any]:
        """Return all as JSON-able values."""
        return {
            "shown": {machine: _plain(shown) for machine, shown in self._shown.items()},
            "before": {machine: _plain(shown) for machine, shown in self._before.items()},
            "events": [event_to_dict(event) for event in self._events],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `dump` returned."""
        self._shown = {machine: _shown(values) for machine, values in state["shown"].items()}
        self._before = {machine: _shown(values) for machine, values in state["before"].items()}
        self._events = [event_from_dict(values) for values in state["events"]]

    @staticmethod
    def _is(shown: Shown, state: MachineState, job_order: str | None) -> bool:
        return shown.state is state and shown.job_order == job_order

    def _retract(self, machine: str, at: datetime) -> bool:
        """Take back a state change of this very moment; tell whether there was one."""
        for place in _backwards(self._events, at):
            event = self._events[place]
            if isinstance(event, StateChanged) and event.machine == machine:
                del self._events[place]
                return True
        return False


def _backwards(events: list[Event], at: datetime) -> Iterable[int]:
    for place in range(len(events) - 1, -1, -1):
        if events[place].at != at:
            return
        yield place


def _plain(shown: Shown) -> list[Any]:
    return [shown.state, shown.job_order, shown.since.isoformat()]


def _shown(values: list[Any]) -> Shown:
    return Shown(MachineState(values[0]), values[1], datetime.fromisoformat(values[2]))
