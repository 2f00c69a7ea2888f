"""The work still to be done, as schedulers and simulators see it: plant + orders + snapshot, in seconds.

`Work` is the one description both read: `scheduler` turns it into a `Plan`, `twin` tells what happens to the
plan. Times are float seconds since `Work.epoch`; durations are working seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from plant.calendar import WorkingTime
from plant.checks import require, require_aware, require_not_negative
from plant.order import Priority
from plant.plant import Reliability, SetupMatrix


@dataclass(frozen=True)
class Running:
    """A task that has begun: where, when, and how much planned working time is left (repairs excluded)."""

    machine: str
    started_s: float
    remaining_s: float
    batch: str | None = None


@dataclass(frozen=True)
class Task:
    """One job order that is not complete.

    Attributes
    ----------
    order
        Customer order it belongs to.
    predecessors
        Tasks of this work that must be complete before it starts (completed ones are left out).
    durations_s
        Planned processing time per machine that can take it: the mean, in working seconds. At least one.
    variation
        Coefficient of variation of the processing time.
    scrap_ratio
        Planned share of bad pieces.
    release_s
        Earliest start.
    running
        Set when it has begun; it then stays on its machine.
    """

    id: str
    order: str
    item: str
    operation: str
    quantity: int
    predecessors: tuple[str, ...]
    durations_s: Mapping[str, float]
    setup_family: str
    release_s: float = 0.0
    variation: float = 0.0
    scrap_ratio: float = 0.0
    running: Running | None = None

    def __post_init__(self) -> None:
        require(bool(self.durations_s), f"task {self.id} has no machine that can take it")
        for machine, duration in self.durations_s.items():
            require_not_negative(f"task {self.id}: duration_s on {machine}", duration)
        if self.running is not None:
            require(
                set(self.durations_s) == {self.running.machine},
                f"task {self.id} runs on {self.running.machine}; that must be its only machine",
            )


@dataclass(frozen=True)
class MachineOutlook:
    """A machine from the epoch on.

    Attributes
    ----------
    available_from_s
        Clock seconds until which it is down (0: up). Nothing is processed before; a running task goes on then.
    setup_family
        Family it is set up for, None if it has made nothing yet.
    """

    id: str
    working_time: WorkingTime
    setup_matrix: SetupMatrix
    available_from_s: float = 0.0
    setup_family: str | None = None
    batch_capacity: int = 1
    reliability: Reliability | None = None


@dataclass(frozen=True)
class OrderDemand:
    """A customer order from the epoch on; its due date may lie before it (negative)."""

    id: str
    due_s: float
    priority: Priority = Priority.NORMAL


@dataclass(frozen=True)
class Work:
    """Everything still to be done. `tasks` are in an order in which predecessors come first."""

    epoch: datetime
    tasks: tuple[Task, ...]
    machines: Mapping[str, MachineOutlook]
    orders: Mapping[str, OrderDemand]

    def __post_init__(self) -> None:
        require_aware("epoch", self.epoch)
        seen: set[str] = set()
        for task in self.tasks:
            require(task.id not in seen, f"task {task.id} appears twice")
            missing = [name for name in task.predecessors if name not in seen]
            require(not missing, f"task {task.id}: predecessors {missing} are unknown or stand after it")
            require(task.order in self.orders, f"task {task.id}: unknown order {task.order}")
            unknown = [name for name in task.durations_s if name not in self.machines]
            require(not unknown, f"task {task.id}: unknown machines {unknown}")
            seen.add(task.id)

    @cached_property
    def by_id(self) -> dict[str, Task]:
        """Tasks by id."""
        return {task.id: task for task in self.tasks}

    def seconds(self, moment: datetime) -> float:
        """Return `moment` as seconds since the epoch."""
        return (moment - self.epoch).total_seconds()

    def moment(self, seconds: float) -> datetime:
        """Return the UTC moment `seconds` after the epoch."""
        return self.epoch + timedelta(seconds=seconds)


@dataclass(frozen=True)
class MachineSnapshot:
    """A machine as it stands: what it is set up for, until when it is down."""

    machine: str
    setup_family: str | None = None
    down_until: datetime | None = None


@dataclass(frozen=True)
class Snapshot:
    """The live floor at one moment, as plans are made from it.

    Attributes
    ----------
    worked_s
        Per running job order, the working seconds its machine has processed it so far.
    """

    at: datetime
    machines: Mapping[str, MachineSnapshot] = field(default_factory=dict)
    worked_s: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_aware("at", self.at)
