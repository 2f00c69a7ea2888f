"""The emulated factory at work: it moves the floor on with the clock, keeps the log, and lets the machines speak."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from emulator.events import DispatchedJob, Event, FloorJob, StateChanged, StoreResult, job_from_dict, to_dict
from emulator.floor import EmulatedFloor
from emulator.journal import Entry, Journal
from emulator.signals import ConditionModel
from emulator.telling import Past, condition_update, entry_of, nothing_counted, pasts, update_of
from emulator.timekeeper import Timekeeper
from emulator.update import Update
from plant.clock import Anchor
from plant.plant import Plant

Positions = Callable[[], Mapping[str, Any]]
"""How far others have come with the log: kept in the dump, so that the next start hands on what they lack."""


@dataclass
class Step:
    """What happened and may be told now: what the machines show, and the job responses to send, both in order."""

    updates: list[Update] = field(default_factory=list)
    responses: list[Entry] = field(default_factory=list)


class Factory:
    """One emulated plant: floor, clock, log and conditions.

    Each `step` happens altogether or not at all: the floor is moved on, what happened is logged, and the log is
    committed together with the floor's state. Only what a step returned may be published.

    Parameters
    ----------
    check
        Refuses a job order that a machine could not show (`InvalidInput`).
    positions
        Called at each commit.
    """

    def __init__(
        self,
        plant: Plant,
        floor: EmulatedFloor,
        journal: Journal,
        timekeeper: Timekeeper,
        conditions: ConditionModel,
        check: Callable[[DispatchedJob], None],
        positions: Positions,
    ) -> None:
        self._plant, self._floor, self._journal = plant, floor, journal
        self._timekeeper, self._conditions = timekeeper, conditions
        self._check, self._positions = check, positions
        self._notes: list[Entry] = []
        self._keys = {entry["key"] for entry in journal.entries() if entry["kind"] == "dispatch"}
        self._saved_positions: Mapping[str, Any] = {}

    @property
    def anchor(self) -> Anchor:
        """The plant clock's anchor."""
        return self._timekeeper.anchor

    def now(self) -> datetime:
        """Return the plant time."""
        return self._timekeeper.now()

    def resume(self) -> None:
        """Carry out what was commanded before a crash, log the beginning at the very first start, and step once."""
        if self._journal.state is None:
            for machine in self._plant.machines:
                status = self._floor.status(machine.id)
                self._log(StateChanged(machine.id, status.since, status.state, status.job_order))
        for command in self._journal.commands:
            self._carry_out(command)
        self.step()

    def step(self) -> Step:
        """Move on to the present plant time, commit, and return what came of it."""
        step = self._advance(self._timekeeper.now())
        for note in self._notes:
            self._journal.append(note)
        positions = self._positions()
        if (
            step.updates
            or step.responses
            or self._notes
            or positions != self._saved_positions
            or self._timekeeper.must_renew()
        ):
            self._save(self._timekeeper.lease(), positions)
        self._notes.clear()
        return step

    def rest(self) -> None:
        """Commit a last time, so that the next start goes on at exactly this plant time."""
        self._save(self._timekeeper.now(), self._positions())

    def pasts(self) -> dict[str, Past]:
        """Return what each machine has shown so far."""
        return pasts(self._journal.entries(), [machine.id for machine in self._plant.machines])

    def present(self, machine: str, past: Past) -> list[Update]:
        """Return what a machine shows now: state, counters, condition; each stamped with when it began."""
        count = past.count or nothing_counted(machine, self._plant.starts_at)
        condition = self._conditions.last(machine)
        return [past.states[-1], count, *([condition_update(machine, condition)] if condition else [])]

    def shown_since(self, numbers: Mapping[str, int]) -> list[Update]:
        """Return what machines have shown since the log entries of these numbers, in order."""
        found: list[Update] = []
        for entry in self._journal.entries(min(numbers.values(), default=self._journal.last)):
            update = update_of(entry)
            if update is not None and entry["n"] > numbers.get(update.machine, self._journal.last):
                found.append(update)
        return found

    def store(self, job: DispatchedJob, key: str | None) -> StoreResult:
        """Store or update a job order and have it on disk; the same idempotency key again changes nothing."""
        if key is not None and key in self._keys:
            return StoreResult.STORED
        self._check(job)
        at = self._timekeeper.now()
        result = self._floor.store(job, at)
        if result is StoreResult.STORED:
            self._journal.append({"kind": "dispatch", "at": _text(at), "key": key, "job": to_dict(job)})
            if key is not None:
                self._keys.add(key)
        return result

    def jobs(self) -> tuple[FloorJob, ...]:
        """Return all job orders the floor knows."""
        return tuple(self._floor.jobs())

    def break_machine(self, machine: str, duration_s: float | None) -> None:
        """Break a machine now; raise `NotFound` for an unknown one."""
        self._command(
            {"kind": "break", "at": _text(self._timekeeper.now()), "machine": machine, "duration_s": duration_s}
        )

    def repair(self, machine: str) -> None:
        """Repair a machine now; raise `NotFound` for an unknown one."""
        self._command({"kind": "repair", "at": _text(self._timekeeper.now()), "machine": machine})

    def abort(self, job_order: str, reason: str) -> None:
        """Give up a job order now; raise `NotFound` for an unknown one."""
        self._command({"kind": "abort", "at": _text(self._timekeeper.now()), "job_order": job_order, "reason": reason})

    def note(self, entry: Entry) -> None:
        """Have something that is no happening on the floor logged with the next step."""
        self._notes.append({"at": _text(self._timekeeper.now()), **entry})

    def log_since(self, number: int, limit: int) -> list[Entry]:
        """Return the truth log's entries behind entry `number`, at most `limit`."""
        return self._journal.since(number, limit)

    def _command(self, entry: Entry) -> None:
        """Carry a command out and have it on disk: once it is answered, a crash does not undo it."""
        self._carry_out(entry)
        self._journal.append(entry)

    def _carry_out(self, entry: Entry) -> None:
        at = datetime.fromisoformat(entry["at"])
        if entry["kind"] == "dispatch":
            self._floor.store(job_from_dict(entry["job"]), at)
        elif entry["kind"] == "break":
            self._floor.break_machine(entry["machine"], entry["duration_s"], at)
        elif entry["kind"] == "repair":
            self._floor.repair(entry["machine"], at)
        else:
            self._floor.abort(entry["job_order"], entry["reason"], at)

    def _advance(self, until: datetime) -> Step:
        """Move floor and conditions on; each sample sees the floor as it is at its own grid point."""
        step = Step()
        for sample_at in self._conditions.due(until):
            self._happen(self._floor.advance(sample_at), step)
            for machine in self._plant.machines:
                status = self._floor.status(machine.id)
                condition = self._conditions.sample(machine.id, sample_at, status.state, status.wear)
                step.updates.append(condition_update(machine.id, condition))
        self._happen(self._floor.advance(until), step)
        return step

    def _happen(self, events: Iterable[Event], step: Step) -> None:
        for event in events:
            entry = self._log(event)
            update = update_of(entry)
            if update is not None:
                step.updates.append(update)
            else:
                step.responses.append(entry)

    def _log(self, event: Event) -> Entry:
        entry = entry_of(event)
        return {**entry, "n": self._journal.append(entry)}

    def _save(self, clock: datetime, positions: Mapping[str, Any]) -> None:
        state = {
            "clock": clock.isoformat(),
            "floor": self._floor.dump(),
            "conditions": self._conditions.dump(),
            "positions": dict(positions),
        }
        self._journal.save(state)
        self._saved_positions = dict(positions)


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")
