"""Demand and what is made of it: customer order -> production order -> job order -> job response."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from plant.checks import require, require_aware, require_text


class Priority(StrEnum):
    """Class of a customer order; it sets the weight of its lateness and the gate's threshold."""

    NORMAL = "normal"
    HIGH = "high"

    @property
    def weight(self) -> float:
        """Weight of one second of tardiness."""
        return 3.0 if self is Priority.HIGH else 1.0


@dataclass(frozen=True)
class CustomerOrder:
    """What a customer wants: pieces of one item by a date.

    Attributes
    ----------
    ordered_at
        When it was placed; nothing for it can begin earlier, and purchasing starts then.
    """

    id: str
    customer: str
    item: str
    quantity: int
    ordered_at: datetime
    due_at: datetime
    priority: Priority = Priority.NORMAL

    def __post_init__(self) -> None:
        for name in ("id", "customer", "item"):
            require_text(f"order {name}", getattr(self, name))
        require(
            isinstance(self.quantity, int) and self.quantity > 0,
            f"order {self.id}: quantity must be a whole number above 0, not {self.quantity!r}",
        )
        require_aware("ordered_at", self.ordered_at)
        require_aware("due_at", self.due_at)
        require(
            self.ordered_at < self.due_at,
            f"order {self.id}: due_at must be after ordered_at {self.ordered_at}",
        )


@dataclass(frozen=True)
class ProductionOrder:
    """Make `quantity` pieces of one item for a customer order.

    Attributes
    ----------
    release_at
        When its purchased materials are there.
    components
        Ids of the production orders whose pieces it consumes; they must be complete before it starts.
    """

    id: str
    customer_order: str
    item: str
    quantity: int
    release_at: datetime
    components: tuple[str, ...] = ()


@dataclass(frozen=True)
class JobOrder:
    """One operation of a production order, as sent to the floor (ISA-95 part 4).

    Attributes
    ----------
    predecessors
        Ids of the job orders that must be complete before this one starts.
    """

    id: str
    production_order: str
    customer_order: str
    item: str
    operation: str
    quantity: int
    release_at: datetime
    predecessors: tuple[str, ...] = ()


class JobState(StrEnum):
    """How far a job order is."""

    WAITING = "waiting"
    DISPATCHED = "dispatched"
    RUNNING = "running"
    COMPLETED = "completed"
    ABORTED = "aborted"


class ResponseKind(StrEnum):
    """What a job response tells."""

    STARTED = "started"
    PROGRESS = "progress"
    COMPLETED = "completed"
    ABORTED = "aborted"


@dataclass(frozen=True)
class JobResponse:
    """What the MES says of a job order. `id` is a UUIDv7 made by the sender; the same id again changes nothing.

    Attributes
    ----------
    good, scrap
        Pieces so far, cumulative over the job order.
    at
        Plant time of what is told.
    """

    id: str
    job_order: str
    kind: ResponseKind
    at: datetime
    machine: str
    good: int = 0
    scrap: int = 0
    reason: str = ""

    def __post_init__(self) -> None:
        require_text("response id", self.id)
        require_text("job_order", self.job_order)
        require_text("machine", self.machine)
        require_aware("at", self.at)
        require(
            self.good >= 0 and self.scrap >= 0,
            f"good and scrap must be at least 0, not {self.good} and {self.scrap}",
        )


@dataclass(frozen=True)
class JobProgress:
    """A job order with how far it is: what planning, pages and the MES read."""

    job: JobOrder
    state: JobState
    machine: str | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    good: int = 0
    scrap: int = 0
