"""The work still to be done, as schedulers and simulators see it: plant + orders + snapshot, in seconds.

`Work` is the one description both read: `scheduler` turns it into a `Plan`, `twin` tells what happens to the
plan. Times are float seconds since `Work.epoch`; durations are working seconds.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from math import inf

from plant.calendar import WorkingTime
from plant.checks import require, require_aware, require_finite, require_not_negative
from plant.distribution import Distribution
from plant.errors import InvalidInput
from plant.item import Attendance
from plant.order import Priority
from plant.plant import Reliability, SetupMatrix


@dataclass(frozen=True)
class Running:
    """A task that has begun: where, when, and how much planned working time is left (repairs excluded).

    Attributes
    ----------
    worked_s
        Working seconds it has been processed. Above 0, what is left is conditional on having taken so long already:
        ``factor * planned - worked`` given ``factor * planned > worked``. At 0 it is ``factor * remaining_s``.
    """

    machine: str
    started_s: float
    remaining_s: float
    batch: str | None = None
    worked_s: float = 0.0

    def __post_init__(self) -> None:
        require_finite(f"what runs on {self.machine}: started_s", self.started_s)
        for name in ("remaining_s", "worked_s"):
            require_not_negative(f"what runs on {self.machine}: {name}", getattr(self, name))


@dataclass(frozen=True)
class Delivery:
    """Materials that are awaited: there `delay` after `due_s`, the same moment for every task that names the `id`.

    Attributes
    ----------
    due_s
        Clock seconds since the epoch.
    delay
        Clock seconds.
    """

    id: str
    due_s: float
    delay: Distribution

    def __post_init__(self) -> None:
        require_finite(f"delivery {self.id}: due_s", self.due_s)


@dataclass(frozen=True)
class ReworkPass:
    """Marks a task that is done only if the lot fails an inspection: pass `number` (from 1) after task `of`.

    Where the lot passes, the task takes no time: its place in the machine's sequence passes when it is known.
    """

    of: str
    number: int = 1

    def __post_init__(self) -> None:
        require(self.number >= 1, f"rework of {self.of}: passes count from 1, not {self.number}")


@dataclass(frozen=True)
class Wait:
    """How long a task waits after a predecessor, in clock seconds from its end to the task's changeover.

    Attributes
    ----------
    least_s
        At least so long: drying, cooling. The way between the machines passes at the same time.
    most_s
        At most so long: what is hot must be forged. A plan that exceeds it is not possible.
    """

    least_s: float = 0.0
    most_s: float = inf

    def __post_init__(self) -> None:
        require_not_negative("least_s", self.least_s)
        require(self.most_s >= self.least_s, f"most_s must be at least least_s, {self.least_s}, not {self.most_s!r}")


@dataclass(frozen=True)
class Lock:
    """Somebody fixed where a task runs and when its machine begins with it, changeover included.

    Attributes
    ----------
    start_s
        Clock seconds since the epoch.
    """

    machine: str
    start_s: float

    def __post_init__(self) -> None:
        require_finite(f"a lock to {self.machine}: start_s", self.start_s)


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
    attendance, skill
        What of it needs somebody, and what they must be able to do (None: anybody will do).
    interruptible
        Whether a break may interrupt it. One that may not begins only where changeover, processing and the repairs
        within fit into one working window; what has begun goes on all the same.
    material
        Delivery it waits for besides `release_s`.
    replenish, fixed_share
        Whether bad pieces are made again until `quantity` good ones are there, each piece being bad with chance
        `scrap_ratio`; and the share of its time that does not grow with the pieces.
    rework_chance
        Chance that the lot fails after it, and again after every rework pass.
    rework
        Set on a task of a rework pass.
    waits
        By predecessor, where there is more to wait for than its end; those of `ended_s` included.
    ended_s
        When predecessors ended that are complete and that it must not wait too long after, clock seconds since the
        epoch; `release_s` knows their least waits.
    lock
        Set where somebody fixed machine and start: nothing begins it earlier, and a plan in which it starts later
        breaks the lock.
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
    attendance: Attendance = Attendance.NONE
    skill: str | None = None
    interruptible: bool = True
    material: Delivery | None = None
    replenish: bool = False
    fixed_share: float = 0.0
    rework_chance: float = 0.0
    rework: ReworkPass | None = None
    waits: Mapping[str, Wait] = field(default_factory=dict)
    ended_s: Mapping[str, float] = field(default_factory=dict)
    lock: Lock | None = None

    def __post_init__(self) -> None:
        require(bool(self.durations_s), f"task {self.id} has no machine that can take it")
        require_finite(f"task {self.id}: release_s", self.release_s)
        require(0 <= self.rework_chance <= 1, f"task {self.id}: rework_chance must be 0 to 1, not {self.rework_chance}")
        require(0 <= self.fixed_share <= 1, f"task {self.id}: fixed_share must be 0 to 1, not {self.fixed_share}")
        if self.replenish:
            require(
                0 <= self.scrap_ratio < 1 and self.quantity >= 1,
                f"task {self.id}: to replenish scrap it needs a quantity of at least 1 and a scrap_ratio below 1",
            )
        for machine, duration in self.durations_s.items():
            require_not_negative(f"task {self.id}: duration_s on {machine}", duration)
        if self.running is not None:
            require(
                set(self.durations_s) == {self.running.machine},
                f"task {self.id} runs on {self.running.machine}; that must be its only machine",
            )
        strangers = [name for name in self.waits if name not in self.predecessors and name not in self.ended_s]
        require(not strangers, f"task {self.id}: waits for {strangers}, which are not among its predecessors")
        require(
            self.lock is None or self.lock.machine in self.durations_s,
            f"task {self.id} is locked to a machine that cannot take it; it can go to {', '.join(self.durations_s)}",
        )

    @property
    def latest_s(self) -> float:
        """When it must begin for what it follows and is complete, clock seconds since the epoch; inf where never."""
        return min((end_s + self.waits[name].most_s for name, end_s in self.ended_s.items()), default=inf)

    @property
    def machines(self) -> tuple[str, ...]:
        """Machines it may go to: the one it is locked to, else all that can take it."""
        return (self.lock.machine,) if self.lock is not None and self.running is None else tuple(self.durations_s)


@dataclass(frozen=True)
class MachineOutlook:
    """A machine from the epoch on.

    Attributes
    ----------
    available_from_s
        Clock seconds until which it is down (0: up). Nothing is processed before; a running task goes on then.
    setup_family
        Family it is set up for, None if it has made nothing yet.
    operated_s
        Operating seconds since its last failure; the next one comes later than that.
    overtime
        Spans of its working time that are paid extra, clock seconds.
    maintenance
        Spans in which it is maintained; they are no working time.
    power_kw
        What it draws while it works.
    """

    id: str
    working_time: WorkingTime
    setup_matrix: SetupMatrix
    available_from_s: float = 0.0
    setup_family: str | None = None
    batch_capacity: int = 1
    reliability: Reliability | None = None
    operated_s: float = 0.0
    overtime: tuple[tuple[float, float], ...] = ()
    maintenance: tuple[tuple[float, float], ...] = ()
    power_kw: float = 0.0

    def __post_init__(self) -> None:
        require_finite(f"machine {self.id}: available_from_s", self.available_from_s)
        require_not_negative(f"machine {self.id}: operated_s", self.operated_s)
        require_not_negative(f"machine {self.id}: power_kw", self.power_kw)
        require(self.batch_capacity >= 1, f"machine {self.id}: batch_capacity must be at least 1, or it makes nothing")
        for begin, end in self.maintenance:
            worked = self.working_time.worked_at
            require(
                worked(end) - worked(begin) <= 0,
                f"machine {self.id} works while it is maintained from {begin} s to {end} s; cut that out of its "
                "working time",
            )


@dataclass(frozen=True)
class PersonOutlook:
    """Somebody who attends machines, from the epoch on.

    Attributes
    ----------
    available_from_s
        Clock seconds until which they are away.
    """

    id: str
    working_time: WorkingTime
    skills: tuple[str, ...] = ()
    available_from_s: float = 0.0

    def __post_init__(self) -> None:
        require_finite(f"{self.id}: available_from_s", self.available_from_s)


@dataclass(frozen=True)
class OrderDemand:
    """A customer order from the epoch on; its due date may lie before it (negative)."""

    id: str
    due_s: float
    priority: Priority = Priority.NORMAL

    def __post_init__(self) -> None:
        require_finite(f"order {self.id}: due_s", self.due_s)


@dataclass(frozen=True)
class Work:
    """Everything still to be done. `tasks` are in an order in which predecessors come first.

    Attributes
    ----------
    transport_s
        Clock seconds from one machine to another; pairs that are not listed take none.
    energy_prices
        What a kWh costs from a clock second on, in order; nothing before the first.
    """

    epoch: datetime
    tasks: tuple[Task, ...]
    machines: Mapping[str, MachineOutlook]
    orders: Mapping[str, OrderDemand]
    people: Mapping[str, PersonOutlook] = field(default_factory=dict)
    transport_s: Mapping[tuple[str, str], float] = field(default_factory=dict)
    energy_prices: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        require_aware("epoch", self.epoch)
        for kind in ("machines", "orders", "people"):
            wrong = [name for name, one in getattr(self, kind).items() if one.id != name]
            require(not wrong, f"{kind} are kept by their ids; these are others: {wrong}")
        seen: set[str] = set()
        for task in self.tasks:
            misfit = self._misfit(task, seen)
            if misfit is not None:
                raise InvalidInput(misfit)
            seen.add(task.id)
        for (before, after), seconds in self.transport_s.items():
            if not (0 <= seconds < inf and before in self.machines and after in self.machines):
                require_not_negative(f"the way from {before} to {after}", seconds)
                unknown = [name for name in (before, after) if name not in self.machines]
                raise InvalidInput(f"the way from {before} to {after}: unknown machines {unknown}")

    def _misfit(self, task: Task, seen: Container[str]) -> str | None:
        """Return what is wrong with a task behind those that were seen; words are made only where something is."""
        if task.id in seen:
            return f"task {task.id} appears twice"
        missing = [name for name in task.predecessors if name not in seen]
        if missing:
            return f"task {task.id}: predecessors {missing} are unknown or stand after it"
        if task.order not in self.orders:
            return f"task {task.id}: unknown order {task.order}"
        unknown = [name for name in task.durations_s if name not in self.machines]
        if unknown:
            return f"task {task.id}: unknown machines {unknown}"
        if task.rework is not None and task.running is None and task.rework.of not in seen:
            return f"task {task.id} reworks {task.rework.of}, which is unknown or stands after it"
        return None

    def lag_s(self, task: Task, before: str, here: str, there: str) -> float:
        """Return the clock seconds from a predecessor's end on `here` until `task` may begin on `there`.

        The longer of its least wait and the way: they pass at the same time.
        """
        wait = task.waits.get(before)
        return max(self.transport_s.get((here, there), 0.0), 0.0 if wait is None else wait.least_s)

    @cached_property
    def by_id(self) -> dict[str, Task]:
        """Tasks by id."""
        return {task.id: task for task in self.tasks}

    def seconds(self, moment: datetime) -> float:
        """Return `moment` as seconds since the epoch."""
        return (moment - self.epoch).total_seconds()

    def moment(self, seconds: float) -> datetime:
        """Return the UTC moment `seconds` after the epoch.

        Raises
        ------
        InvalidInput
            If dates end before it.
        """
        try:
            return self.epoch + timedelta(seconds=seconds)
        except OverflowError:
            raise InvalidInput(
                f"{seconds / 86400:.3g} days after {self.epoch:%Y-%m-%d} there are no dates any more; check the times "
                "of operations and repairs, and how much they vary"
            ) from None
