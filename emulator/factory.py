"""The emulated factory at work: it moves the floor on with the clock, keeps the log, and lets the machines speak."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from emulator.events import DispatchedJob, Event, FloorJob, StateChanged, StoreResult, job_from_dict, to_dict
from emulator.floor import EmulatedFloor
from emulator.journal import COMMANDS, HAPPENINGS, Entry, Journal
from emulator.signals import ConditionModel
from emulator.telling import Past, condition_update, entry_of, nothing_counted, pasts, update_of
from emulator.timekeeper import Timekeeper
from emulator.update import Update
from plant.clock import Anchor
from plant.errors import InvalidInput
from plant.plant import Plant

LEASES_PER_SNAPSHOT = 10
"""A snapshot of the whole floor is taken with every so many renewals of the clock's lease: about every 5 s."""


@dataclass
class Step:
    """What happened and may be told now: what the machines show, and the job responses to send, both in order."""

    updates: list[Update] = field(default_factory=list)
    responses: list[Entry] = field(default_factory=list)


class Factory:
    """One emulated plant: floor, clock, log and conditions.

    Floor and conditions are deterministic in what the plant was told and when. So what happens need only be logged
    before it is published, and `resume` comes back to exactly where a killed process was.

    Parameters
    ----------
    check
        Refuses a job order that a machine could not show (`InvalidInput`).
    positions
        Called now and then: how far others have come with the log, kept for the next start.
    """

    def __init__(
        self,
        plant: Plant,
        floor: EmulatedFloor,
        journal: Journal,
        timekeeper: Timekeeper,
        conditions: ConditionModel,
        check: Callable[[DispatchedJob], None],
        positions: Callable[[], Mapping[str, Any]],
    ) -> None:
        self._plant, self._floor, self._journal = plant, floor, journal
        self._timekeeper, self._conditions = timekeeper, conditions
        self._check, self._positions = check, positions
        self._pending = Step()
        self._known: deque[Entry] = deque()
        self._keys = {entry["key"] for entry in journal.entries() if entry["kind"] == "dispatch"}
        self._leases = 0

    @property
    def anchor(self) -> Anchor:
        """The plant clock's anchor."""
        return self._timekeeper.anchor

    def now(self) -> datetime:
        """Return the plant time."""
        return self._timekeeper.now()

    def resume(self) -> Step:
        """Come back to where the last process was, or begin; return what may not have been told since the snapshot.

        Raises
        ------
        InvalidInput
            When the floor does not find again what the log says: the log, the plant or the seed was changed.
        """
        tail = list(self._journal.entries(self._journal.saved))
        self._known = deque(entry for entry in tail if entry["kind"] in HAPPENINGS)
        if self._journal.snapshot is None:
            for machine in self._plant.machines:
                status = self._floor.status(machine.id)
                self._log(StateChanged(machine.id, status.since, status.state, status.job_order))
        for command in tail:
            if command["kind"] in COMMANDS:
                self._advance(_moment(command))
                self._carry_out(command)
        self._advance(self._timekeeper.now())
        if self._known:
            raise self._disagreement(self._known[0], "nothing")
        self.rest()
        return self._take_pending()

    def step(self) -> Step:
        """Move on to the present plant time and return what came of it since the last step."""
        self._advance(self._timekeeper.now())
        if self._timekeeper.must_renew():
            self._lease(self._timekeeper.lease())
            self._leases += 1
            if self._leases % LEASES_PER_SNAPSHOT == 0:
                self._save()
        return self._take_pending()

    def rest(self) -> None:
        """Save where everything stands, so that the next start goes on at exactly this plant time."""
        self._save()
        self._lease(self._timekeeper.now())

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
        at = self._advance_to_now()
        result = self._floor.store(job, at)
        if result is StoreResult.STORED:
            self._journal.append({"kind": "dispatch", "at": _text(at), "key": key, "job": to_dict(job)})
            if key is not None:
                self._keys.add(key)
        return result

    def jobs(self) -> tuple[FloorJob, ...]:
        """Return all job orders the floor knows."""
        return tuple(self._floor.jobs())

    def job(self, job_order: str) -> FloorJob:
        """Return one job order, or raise `NotFound`."""
        return self._floor.job(job_order)

    def break_machine(self, machine: str, duration_s: float | None) -> None:
        """Break a machine now; raise `NotFound` for an unknown one."""
        self._command({"kind": "break", "machine": machine, "duration_s": duration_s})

    def repair(self, machine: str) -> None:
        """Repair a machine now; raise `NotFound` for an unknown one."""
        self._command({"kind": "repair", "machine": machine})

    def abort(self, job_order: str, reason: str) -> None:
        """Give up a job order now; raise `NotFound` for an unknown one, `Conflict` for one that has ended."""
        self._command({"kind": "abort", "job_order": job_order, "reason": reason})

    def note(self, entry: Entry) -> None:
        """Log something that is no happening on the floor."""
        self._journal.append({"at": _text(self._timekeeper.now()), **entry})

    def log_since(self, number: int, limit: int) -> list[Entry]:
        """Return the truth log's entries behind entry `number`, at most `limit`."""
        return list(self._journal.entries(number, limit))

    def _command(self, command: Entry) -> None:
        """Carry a command out and have it on disk: once it is answered, a crash does not undo it."""
        entry = {"at": _text(self._advance_to_now()), **command}
        self._carry_out(entry)
        self._journal.append(entry)

    def _carry_out(self, entry: Entry) -> None:
        at = _moment(entry)
        if entry["kind"] == "dispatch":
            self._floor.store(job_from_dict(entry["job"]), at)
        elif entry["kind"] == "break":
            self._floor.break_machine(entry["machine"], entry["duration_s"], at)
        elif entry["kind"] == "repair":
            self._floor.repair(entry["machine"], at)
        else:
            self._floor.abort(entry["job_order"], entry["reason"], at)

    def _advance_to_now(self) -> datetime:
        """Move on to the present, so that a command finds the floor, and its log entry stands, at its own time."""
        at = self._timekeeper.now()
        self._advance(at)
        return at

    def _advance(self, until: datetime) -> None:
        """Move floor and conditions on; each sample sees the floor as it is at its own grid point."""
        for sample_at in self._conditions.due(until):
            self._happen(self._floor.advance(sample_at))
            for machine in self._plant.machines:
                status = self._floor.status(machine.id)
                condition = self._conditions.sample(machine.id, sample_at, status.state, status.wear)
                self._pending.updates.append(condition_update(machine.id, condition))
        self._happen(self._floor.advance(until))

    def _happen(self, events: Iterable[Event]) -> None:
        for event in events:
            entry = self._log(event)
            update = update_of(entry)
            if update is not None:
                self._pending.updates.append(update)
            else:
                self._pending.responses.append(entry)

    def _log(self, event: Event) -> Entry:
        """Return the event's entry: a new one, or the one that a killed process has written already."""
        entry = entry_of(event)
        if not self._known:
            return {**entry, "n": self._journal.append(entry)}
        known = self._known.popleft()
        if {**known, "n": 0, "id": ""} != {**entry, "n": 0, "id": ""}:
            raise self._disagreement(known, str(entry))
        return known

    def _disagreement(self, known: Entry, found: str) -> InvalidInput:
        return InvalidInput(
            f"entry {known['n']} of the emulated plant's log says {known}, but from the last snapshot {found} follows: "
            "the log, the plant or the seed was changed; restore it or begin with an empty folder"
        )

    def _take_pending(self) -> Step:
        taken, self._pending = self._pending, Step()
        return taken

    def _save(self) -> None:
        self._journal.save({"floor": self._floor.dump(), "conditions": self._conditions.dump()})

    def _lease(self, clock: datetime) -> None:
        self._journal.lease({"clock": _text(clock), "positions": dict(self._positions())})


def resume_at(plant: Plant, journal: Journal) -> datetime:
    """Return the plant time to go on from: not before anything that was ever shown, logged or commanded."""
    leased = plant.starts_at if journal.leased is None else datetime.fromisoformat(journal.leased["clock"])
    logged = [datetime.fromisoformat(entry["at"]) for entry in journal.entries(journal.saved)]
    # What is due at a moment happens just behind it.
    return max([leased, *(moment + timedelta(microseconds=1) for moment in logged)])


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")


def _moment(entry: Entry) -> datetime:
    return datetime.fromisoformat(entry["at"])
