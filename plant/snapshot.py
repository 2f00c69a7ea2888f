"""The live floor at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from plant.checks import require, require_aware, require_not_negative, require_text
from plant.machine_state import MachineState
from plant.order import CustomerOrder, JobProgress


@dataclass(frozen=True)
class MachineSnapshot:
    """A machine as it stands.

    Attributes
    ----------
    setup_family
        Family it is set up for, None if it has made nothing yet.
    down_until
        When its open repair is expected to end, None when none is open.
    state, since
        What it is doing (a changeover and a repair, too), and since when; None before it was heard of.
    repaired_s
        Working seconds its open repair has taken so far.
    operated_s
        Operating seconds since its last failure, or since it was first heard of.
    running, queue
        Job orders it processes (several in a batch), and those that could begin on it, in the order in which they
        became ready; one that several machines could take stands with each of them unless a plan says which.
    """

    machine: str
    setup_family: str | None = None
    down_until: datetime | None = None
    state: MachineState = MachineState.UNKNOWN
    since: datetime | None = None
    repaired_s: float = 0.0
    operated_s: float = 0.0
    running: tuple[str, ...] = ()
    queue: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require_text("machine", self.machine)
        for name in ("repaired_s", "operated_s"):
            require_not_negative(f"machine {self.machine}: {name}", getattr(self, name))
        for name in ("down_until", "since"):
            if getattr(self, name) is not None:
                require_aware(f"machine {self.machine}: {name}", getattr(self, name))


@dataclass(frozen=True)
class Snapshot:
    """The live floor at one moment, as plans are made from it.

    Attributes
    ----------
    worked_s
        Per running job order, the working seconds its machine has processed it so far.
    plant_version
        The version of the plant it was taken of; empty where it was made by hand.
    people
        People who are on shift.
    stock
        Pieces on hand per purchased item.
    orders, jobs
        Customer orders that are not complete and their job orders with how far they are, completed ones included:
        with them a snapshot says all that a plan is made from but the plant.
    """

    at: datetime
    machines: Mapping[str, MachineSnapshot] = field(default_factory=dict)
    worked_s: Mapping[str, float] = field(default_factory=dict)
    plant_version: str = ""
    people: tuple[str, ...] = ()
    stock: Mapping[str, Decimal] = field(default_factory=dict)
    orders: tuple[CustomerOrder, ...] = ()
    jobs: tuple[JobProgress, ...] = ()

    def __post_init__(self) -> None:
        require_aware("at", self.at)
        for job, worked_s in self.worked_s.items():
            require_not_negative(f"job order {job}: worked_s", worked_s)
        for item, pieces in self.stock.items():
            require(pieces.is_finite() and pieces >= 0, f"item {item}: stock must be at least 0, not {pieces}")
