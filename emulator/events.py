"""What the emulated floor is told and what it tells: job orders in, happenings out. All times are plant time, UTC."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from plant.checks import require, require_aware, require_text
from plant.machine_state import MachineState
from plant.order import JobState


@dataclass(frozen=True)
class DispatchedJob:
    """A job order as the MES was sent it.

    Attributes
    ----------
    revision
        Grows with every dispatch; an older one than the floor has changes nothing.
    sequence
        Place in the machine's sequence; waiting jobs are begun in this order.
    batch
        Jobs of one batch id on one machine are processed together, None outside a batch.
    predecessors
        Ids of the job orders that must be complete before this one begins, whether the floor knows them yet or not.
    release_at
        When its purchased materials are there.
    """

    id: str
    revision: int
    machine: str
    item: str
    operation: str
    quantity: int
    setup_family: str
    planned_start: datetime
    planned_end: datetime
    sequence: int
    production_order: str
    customer_order: str
    release_at: datetime
    batch: str | None = None
    predecessors: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("id", "machine", "item", "operation", "setup_family", "production_order", "customer_order"):
            require_text(f"job order {name}", getattr(self, name))
        for name in ("planned_start", "planned_end", "release_at"):
            require_aware(name, getattr(self, name))
        require(self.quantity > 0, f"job order {self.id}: quantity must be above 0, not {self.quantity!r}")
        require(self.id not in self.predecessors, f"job order {self.id} cannot be its own predecessor")


class StoreResult(StrEnum):
    """What became of a job order that was sent to the floor."""

    STORED = "stored"
    SUPERSEDED = "superseded"
    """The floor has a newer revision: nothing was changed."""
    BEGUN = "begun"
    """It has begun or is complete and cannot be changed any more: refused."""


@dataclass(frozen=True)
class StateChanged:
    """From `at` on the machine is in `state` with `job_order` (running, or first in its sequence) or none."""

    machine: str
    at: datetime
    state: MachineState
    job_order: str | None


@dataclass(frozen=True)
class Counted:
    """Pieces came out of a machine; `part`, `good` and `scrap` are the machine's counters afterwards."""

    machine: str
    at: datetime
    part: int
    good: int
    scrap: int
    job_order: str
    delta_good: int
    delta_scrap: int


@dataclass(frozen=True)
class JobStarted:
    """The machine took the job order up: its changeover, or else its processing, begins."""

    machine: str
    at: datetime
    job_order: str


@dataclass(frozen=True)
class JobProgress:
    """Pieces of the job order so far, cumulative; told about every tenth of them."""

    machine: str
    at: datetime
    job_order: str
    good: int
    scrap: int


@dataclass(frozen=True)
class JobCompleted:
    """The job order is done."""

    machine: str
    at: datetime
    job_order: str
    good: int
    scrap: int


@dataclass(frozen=True)
class JobAborted:
    """The job order was given up, with the pieces it had made; it may be dispatched again."""

    machine: str
    at: datetime
    job_order: str
    good: int
    scrap: int
    reason: str


Event = StateChanged | Counted | JobStarted | JobProgress | JobCompleted | JobAborted

_KINDS: dict[str, type[Event]] = {
    "state": StateChanged,
    "count": Counted,
    "job started": JobStarted,
    "job progress": JobProgress,
    "job completed": JobCompleted,
    "job aborted": JobAborted,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


@dataclass(frozen=True)
class MachineStatus:
    """A machine as it stands.

    Attributes
    ----------
    since
        When it came into `state`.
    job_order
        Running, or else first in its sequence; of a batch the first member.
    job_orders
        All members of the running step; empty when nothing runs.
    part, good, scrap
        Its cumulative counters.
    operating_s
        Working seconds it has processed so far.
    wear
        Share of the operating time from its last failure to its next one already used, in [0, 1].
    """

    machine: str
    state: MachineState
    since: datetime
    job_order: str | None
    job_orders: tuple[str, ...]
    part: int
    good: int
    scrap: int
    operating_s: float
    wear: float
    setup_family: str | None


@dataclass(frozen=True)
class FloorJob:
    """A job order the floor knows, with how far it is.

    Attributes
    ----------
    pieces
        Pieces it processes: what its predecessor operation delivered good; known once it has begun.
    progress
        Share of the pieces done, in [0, 1].
    """

    job: DispatchedJob
    state: JobState
    pieces: int | None
    good: int
    scrap: int
    progress: float
    started_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str = ""


def event_to_dict(event: Event) -> dict[str, Any]:
    """Return an event as JSON-able values; `kind` tells which it is."""
    return {"kind": _NAMES[type(event)], **to_dict(event)}


def event_from_dict(values: dict[str, Any]) -> Event:
    """Return the event that `event_to_dict` wrote."""
    kind = _KINDS[values["kind"]]
    known = {field.name: values[field.name] for field in fields(kind)}
    known["at"] = datetime.fromisoformat(known["at"])
    if kind is StateChanged:
        known["state"] = MachineState(known["state"])
    return kind(**known)


def to_dict(value: Any) -> dict[str, Any]:
    """Return a flat dataclass as JSON-able values: times in ISO 8601, tuples as lists."""
    return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    return list(value) if isinstance(value, tuple) else value


def job_from_dict(values: dict[str, Any]) -> DispatchedJob:
    """Return the job order that `to_dict` wrote, or one of the same shape that came over the wire."""
    known = {field.name: values[field.name] for field in fields(DispatchedJob)}
    for name in ("planned_start", "planned_end", "release_at"):
        known[name] = datetime.fromisoformat(known[name])
    known["predecessors"] = tuple(known["predecessors"])
    return DispatchedJob(**known)
