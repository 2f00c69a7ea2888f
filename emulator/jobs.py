"""The job orders the floor knows, and which of them comes next on a machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from emulator.events import DispatchedJob, FloorJob, StoreResult, job_from_dict, to_dict
from plant.errors import NotFound
from plant.order import JobState


@dataclass
class JobRecord:
    """A job order with how far it is.

    Attributes
    ----------
    attempt
        How often it was given up before.
    pieces
        Pieces it processes, None before it has begun.
    """

    job: DispatchedJob
    state: JobState = JobState.DISPATCHED
    attempt: int = 0
    pieces: int | None = None
    good: int = 0
    scrap: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str = ""
    bad_pieces: tuple[bool, ...] = field(default=(), repr=False)
    _written: dict[str, Any] | None = field(default=None, repr=False, compare=False)
    """What `dump` returned last: most records have not changed since."""

    @property
    def done(self) -> int:
        """Pieces that have come out."""
        return self.good + self.scrap

    def begin(self, pieces: int, bad_pieces: tuple[bool, ...], at: datetime) -> None:
        """Take it up."""
        self.state, self.pieces, self.bad_pieces, self.started_at = JobState.RUNNING, pieces, bad_pieces, at
        self._written = None

    def end(self, state: JobState, at: datetime, reason: str = "") -> None:
        """Complete it or give it up."""
        self.state, self.ended_at, self.reason = state, at, reason
        self._written = None

    def count(self) -> tuple[int, int]:
        """Let the next piece come out; return what it adds to good and scrap."""
        bad = self.bad_pieces[self.done]
        self.good += not bad
        self.scrap += bad
        self._written = None
        return int(not bad), int(bad)

    def has_progress_to_tell(self) -> bool:
        """Tell whether the piece that just came out began another tenth of them, but was not the last."""
        assert self.pieces is not None
        return self.done < self.pieces and self.done * 10 // self.pieces > (self.done - 1) * 10 // self.pieces

    def view(self) -> FloorJob:
        """Return it as others see it."""
        progress = 1.0 if self.state is JobState.COMPLETED else self.done / self.pieces if self.pieces else 0.0
        return FloorJob(
            self.job,
            self.state,
            self.pieces,
            self.good,
            self.scrap,
            progress,
            self.started_at,
            self.ended_at,
            self.reason,
        )

    def dump(self) -> dict[str, Any]:
        """Return it as JSON-able values, not to be changed."""
        if self._written is None:
            self._written = self._write()
        return self._written

    def _write(self) -> dict[str, Any]:
        return {
            "job": to_dict(self.job),
            "state": self.state.value,
            "attempt": self.attempt,
            "pieces": self.pieces,
            "good": self.good,
            "scrap": self.scrap,
            "started_at": None if self.started_at is None else self.started_at.isoformat(),
            "ended_at": None if self.ended_at is None else self.ended_at.isoformat(),
            "reason": self.reason,
            "bad_pieces": [place for place, bad in enumerate(self.bad_pieces) if bad],
        }

    @staticmethod
    def of(state: dict[str, Any]) -> JobRecord:
        """Return the record that `dump` wrote."""
        bad = set(state["bad_pieces"])
        return JobRecord(
            job=job_from_dict(state["job"]),
            state=JobState(state["state"]),
            attempt=state["attempt"],
            pieces=state["pieces"],
            good=state["good"],
            scrap=state["scrap"],
            started_at=_moment(state["started_at"]),
            ended_at=_moment(state["ended_at"]),
            reason=state["reason"],
            bad_pieces=tuple(place in bad for place in range(state["pieces"] or 0)),
        )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


class JobBook:
    """All job orders by id, and per machine the waiting ones."""

    def __init__(self, records: Iterable[JobRecord] = ()) -> None:
        self._records: dict[str, JobRecord] = {}
        self._waiting: dict[str, dict[str, JobRecord]] = {}
        for record in records:
            self._keep(record)

    def __iter__(self) -> Iterator[JobRecord]:
        return iter(self._records.values())

    def __getitem__(self, job: str) -> JobRecord:
        try:
            return self._records[job]
        except KeyError:
            raise NotFound(f"the floor knows no job order {job!r}; dispatch it first") from None

    def store(self, job: DispatchedJob) -> StoreResult:
        """Take a job order in, or a newer revision of one that has not begun; see `StoreResult`."""
        known = self._records.get(job.id)
        if known is None:
            self._keep(JobRecord(job))
            return StoreResult.STORED
        if job.revision < known.job.revision:
            return StoreResult.SUPERSEDED
        if job == known.job:
            return StoreResult.STORED
        if known.state in (JobState.RUNNING, JobState.COMPLETED):
            return StoreResult.BEGUN
        self._leave(known)
        self._keep(JobRecord(job, attempt=known.attempt + (known.state is JobState.ABORTED)))
        return StoreResult.STORED

    def begin(self, record: JobRecord, pieces: int, bad_pieces: tuple[bool, ...], at: datetime) -> None:
        """Take a waiting job order up."""
        self._leave(record)
        record.begin(pieces, bad_pieces, at)

    def abort(self, record: JobRecord, at: datetime, reason: str) -> None:
        """Give a job order up."""
        self._leave(record)
        record.end(JobState.ABORTED, at, reason)

    def head(self, machine: str) -> JobRecord | None:
        """Return the waiting job order that is first in the machine's sequence."""
        return min(self._waiting.get(machine, {}).values(), key=_place, default=None)

    def next_members(self, machine: str, capacity: int) -> list[JobRecord]:
        """Return the job orders of the machine's next step: its first one and, in a batch, those that go with it."""
        head = self.head(machine)
        if head is None or head.job.batch is None:
            return [] if head is None else [head]
        alike = (head.job.batch, head.job.setup_family)
        waiting = self._waiting[machine].values()
        return sorted((one for one in waiting if (one.job.batch, one.job.setup_family) == alike), key=_place)[:capacity]

    def is_held_up(self, record: JobRecord) -> bool:
        """Tell whether a predecessor is not complete; one the floor has not heard of yet is not."""
        before = (self._records.get(name) for name in record.job.predecessors)
        return any(one is None or one.state is not JobState.COMPLETED for one in before)

    def before(self, record: JobRecord) -> list[JobRecord]:
        """Return the predecessors of a job order that is not held up."""
        return [self._records[name] for name in record.job.predecessors]

    def pieces_for(self, record: JobRecord) -> int:
        """Return the pieces a job order gets: what the operation before it delivered good, else its quantity."""
        job, before = record.job, self.before(record)
        return min([job.quantity, *(one.good for one in before if one.job.production_order == job.production_order)])

    def _keep(self, record: JobRecord) -> None:
        self._records[record.job.id] = record
        if record.state is JobState.DISPATCHED:
            self._waiting.setdefault(record.job.machine, {})[record.job.id] = record

    def _leave(self, record: JobRecord) -> None:
        self._waiting.get(record.job.machine, {}).pop(record.job.id, None)


def _place(record: JobRecord) -> tuple[int, datetime, str]:
    return record.job.sequence, record.job.planned_start, record.job.id
