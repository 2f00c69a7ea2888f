"""What the pages need from below: the `Views` and `Live` protocols and the plain data they hand over.

A page never computes a figure and never asks who is allowed to see it: each method of `Views` acts for the user the
request belongs to and raises `Denied` or `NotAuthenticated` itself. `tests/dashboard/contract.py` holds the contract.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from methods.load import LoadProfile
from operations.plan_diff import PlanDiff
from plant.actor import Actor
from plant.calendar import Window
from plant.calibration import CalibrationSummary, Difference
from plant.learned import LearnedRecord
from plant.lock import JobLock
from plant.long_job import LongJob, LongJobKind
from plant.machine_state import MachineState, StateInterval
from plant.message import RefusedMessage
from plant.order import CustomerOrder
from plant.plan import Plan, PlanState, Robustness, SolverReport
from plant.plant import PlannedStop
from plant.text import Text
from plant.verdict import Judgement, Verdict
from twin.fidelity_report import FidelityReport


class Topic(StrEnum):
    """What may have changed; a page listens to the topics it shows."""

    FLOOR = "floor"
    """Machine states, running jobs, counters."""
    PLANS = "plans"
    """A plan version was made, judged, released, superseded."""
    JOBS = "jobs"
    """A long job moved on or ended."""
    HEALTH = "health"
    """Condition signals came in."""
    CLOCK = "clock"
    """The plant clock was set, paused or started."""
    TWIN = "twin"
    """A calibration was made, adopted or rolled back; the twin's error was measured."""
    MESSAGES = "messages"
    """A message to the MES was delivered, refused or sent again."""


@dataclass(frozen=True)
class ClockView:
    """The plant clock as a page carries it on by itself until it hears otherwise.

    Attributes
    ----------
    plant
        The plant's name.
    now
        Plant time when this was read, UTC.
    rate
        Plant seconds per wall second (0: paused).
    runs_until
        Plant time at which it jumps over closed hours (None: it never jumps).
    """

    plant: str
    timezone: str
    now: datetime
    rate: float
    runs_until: datetime | None = None


@dataclass(frozen=True)
class OeeView:
    """OEE and its three factors (ISO 22400-2), each None while there is nothing to divide by."""

    oee: float | None
    availability: float | None
    effectiveness: float | None
    quality_ratio: float | None


@dataclass(frozen=True)
class RunningJob:
    """A job order on a machine, with the pieces so far."""

    job_order: str
    item: str
    item_name: str
    operation: str
    quantity: int
    good: int
    scrap: int


@dataclass(frozen=True)
class MachineView:
    """A machine as it stands.

    Attributes
    ----------
    jobs
        What it works on; several in a batch, none when it has nothing.
    good, scrap
        Pieces within the floor's window.
    timeline
        Its states within the floor's window, in order; the last one goes on.
    """

    id: str
    name: str
    area: str
    work_center: str
    state: MachineState
    reason: str
    since: datetime | None
    jobs: tuple[RunningJob, ...]
    good: int
    scrap: int
    oee: OeeView
    timeline: tuple[StateInterval, ...] = ()


@dataclass(frozen=True)
class FloorView:
    """The live floor.

    Attributes
    ----------
    window
        The whole shift or day that is on, of which counts and OEE tell the part so far. It does not move with the
        clock: pages place "now" in it by themselves, and would redraw every machine if its ends moved.
    quarantined
        Inputs that were refused and wait to be looked at.
    """

    clock: ClockView
    window: Window
    machines: tuple[MachineView, ...]
    oee: OeeView
    good: int
    scrap: int
    quarantined: int


@dataclass(frozen=True)
class PlanSummary:
    """One plan version in a list, newest first."""

    id: str
    made_at: datetime
    reason: Text
    state: PlanState


@dataclass(frozen=True)
class PlannedJob:
    """What a planned job order is about; `machines` can take it."""

    customer_order: str
    item: str
    item_name: str
    operation: str
    quantity: int
    machines: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlanView:
    """A plan version with what the twin and the gate said of it.

    Attributes
    ----------
    machines
        Names by id, in the order in which they are drawn.
    jobs
        What each planned job order is about.
    orders
        The customer orders it covers, by id.
    windows
        Working windows per machine over the plan's horizon.
    override_reason, released_by
        Who released it, and why in spite of the gate, where that was so.
    robustness
        What was paid for certainty; None where nothing was compared.
    changes
        What it does otherwise than the plan that was in force when it was made; empty where none was.
    before, diff
        That plan, and the difference; None where none was.
    frozen_until
        What that plan was to begin by then had to keep machine and place; None where there was none.
    load
        Planned work against capacity, per machine and skill.
    locks
        Those there are now, by job order.
    """

    id: str
    clock: ClockView
    made_at: datetime
    reason: Text
    state: PlanState
    plan: Plan
    solver: SolverReport
    verdict: Verdict
    judgement: Judgement
    machines: Mapping[str, str]
    jobs: Mapping[str, PlannedJob]
    orders: Mapping[str, CustomerOrder]
    windows: Mapping[str, tuple[Window, ...]]
    released_by: str | None = None
    override_reason: str | None = None
    robustness: Robustness | None = None
    changes: tuple[Text, ...] = ()
    before: Plan | None = None
    diff: PlanDiff | None = None
    frozen_until: datetime | None = None
    load: LoadProfile = field(default_factory=LoadProfile)
    locks: Mapping[str, JobLock] = field(default_factory=dict)


class HealthState(StrEnum):
    """What a health index asks for."""

    GOOD = "good"
    WATCH = "watch"
    ACT = "act"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Contribution:
    """What one condition signal takes off a machine's health index (0: nothing)."""

    signal: str
    share: float
    value: float | None


@dataclass(frozen=True)
class MachineHealth:
    """A machine's health index in [0, 1], 1 being as new; None while it is not known."""

    machine: str
    name: str
    area: str
    index: float | None
    state: HealthState
    contributions: tuple[Contribution, ...]
    at: datetime | None


@dataclass(frozen=True)
class HealthView:
    """All machines' health, in any order.

    Attributes
    ----------
    names
        Of all machines of the plant, by id.
    stops
        Planned stops that are not over, by machine.
    """

    clock: ClockView
    machines: tuple[MachineHealth, ...]
    names: Mapping[str, str] = field(default_factory=dict)
    stops: Mapping[str, PlannedStop] = field(default_factory=dict)


@dataclass(frozen=True)
class SignalColumn:
    """One condition signal over time: `times` and `values` go together; a None value is a gap.

    Attributes
    ----------
    low, high
        Where it is taken for normal, None where that is open.
    """

    signal: str
    times: tuple[datetime, ...]
    values: tuple[float | None, ...]
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class SignalsView:
    """The condition signals of one machine over the last hours."""

    machine: str
    start: datetime
    end: datetime
    columns: tuple[SignalColumn, ...] = field(default=())


@dataclass(frozen=True)
class TwinView:
    """What is known of the twin: its calibrations, newest first, its error as last measured, and what was learned.

    Attributes
    ----------
    fidelity
        None before the first measurement.
    learned
        Newest first, with what is in use.
    """

    clock: ClockView
    calibrations: tuple[CalibrationSummary, ...]
    fidelity: FidelityReport | None
    learned: tuple[LearnedRecord, ...] = ()


@dataclass(frozen=True)
class PromiseQuestion:
    """What a customer wants to know; `due_at` is None where no date is wished for."""

    item: str
    quantity: int
    due_at: datetime | None
    high: bool = False
    replan: bool = False


@dataclass(frozen=True)
class PromiseOffer:
    """Dates by one way of planning: half, 80 % and 95 % of the futures keep them.

    Attributes
    ----------
    on_time
        Probability of the date wished for, None where none was.
    sentences
        What the dates hang on, and what they cost others.
    """

    p50: datetime
    p80: datetime
    p95: datetime
    on_time: float | None
    sentences: tuple[Text, ...]


@dataclass(frozen=True)
class PromiseView:
    """When an order could be delivered, and what makes the date wished for impossible where it is."""

    inserted: PromiseOffer
    replanned: PromiseOffer | None = None
    impossible: tuple[Text, ...] = ()


class Views(Protocol):
    """What pages read and do. Every method acts for the user of the current request.

    Raises
    ------
    NotAuthenticated, Denied
        From every method: nobody is known to be asking, or they may not.
    Unavailable
        From every method: a part below does not answer now.
    """

    async def me(self) -> Actor:
        """Return who is asking."""
        ...

    async def clock(self) -> ClockView:
        """Return the plant clock; anyone who is logged in may know the time."""
        ...

    async def floor(self) -> FloorView:
        """Return the live floor."""
        ...

    async def plans(self) -> tuple[PlanSummary, ...]:
        """Return the latest plan versions, newest first."""
        ...

    async def plan(self, plan_id: str) -> PlanView:
        """Return one plan version, or raise `NotFound`."""
        ...

    async def request_plan(self) -> str:
        """Ask for a new plan and return the id of the long job that makes it."""
        ...

    async def why_not_locked(self, job_order: str, machine: str, start_at: datetime) -> Text | None:
        """Return what stands in the way of a lock that is not set yet, None if nothing does."""
        ...

    async def lock(self, job_order: str, machine: str, start_at: datetime) -> str:
        """Fix where and when a job order begins, ask for a plan near the one in force, and return its long job's id.

        Raises
        ------
        InvalidInput
            When no plan can keep the lock.
        """
        ...

    async def unlock(self, job_order: str) -> None:
        """Take a lock off, or raise `NotFound`."""
        ...

    async def items(self) -> dict[str, str]:
        """Return the names of what is made here, by id."""
        ...

    async def promise(self, question: PromiseQuestion) -> PromiseView:
        """Return when an order could be delivered, or raise `InvalidInput` where that cannot be asked."""
        ...

    async def long_jobs(self, kind: LongJobKind = LongJobKind.PLAN) -> tuple[LongJob, ...]:
        """Return work of a kind that is queued, runs or ended lately, newest first."""
        ...

    async def cancel(self, job_id: str) -> None:
        """Stop a long job; harmless when it has ended."""
        ...

    async def release(self, plan_id: str, override_reason: str | None = None) -> None:
        """Release a plan version.

        Raises
        ------
        GateRefused
            With the gate's reasons, unless an override reason is given by someone who may override.
        Conflict
            When it is released already, or another one was meanwhile.
        InvalidInput
            When the override reason is empty.
        """
        ...

    async def health(self) -> HealthView:
        """Return all machines' health."""
        ...

    async def plan_stop(self, machine: str, start: datetime, end: datetime) -> None:
        """Plan to stop a machine, or raise `InvalidInput`."""
        ...

    async def call_off_stop(self, machine: str) -> None:
        """Call the planned stop of a machine off, or raise `NotFound`."""
        ...

    async def signals(self, machine: str, hours: float) -> SignalsView:
        """Return a machine's condition signals over the last `hours` of plant time, or raise `NotFound`."""
        ...

    async def twin(self) -> TwinView:
        """Return calibrations and the twin's error."""
        ...

    async def differences(self, before: str | None, after: str) -> tuple[Difference, ...]:
        """Return what differs between two calibrations, or (None) from the plan as it stands, or raise `NotFound`."""
        ...

    async def request_calibration(self, days: float) -> str:
        """Ask for a calibration from the last `days` plant days and return the id of the long job that makes it."""
        ...

    async def request_learning(self) -> str:
        """Ask to learn how plans are found best and return the id of the long job."""
        ...

    async def unlearn(self) -> None:
        """Go back to the unlearned; `Conflict` when nothing that was learned is in use."""
        ...

    async def adopt(self, calibration_id: str) -> None:
        """Have the twin use a calibration.

        Raises
        ------
        NotFound
            When there is none of this id.
        Conflict
            When it was made for another version of the plant.
        """
        ...

    async def roll_back(self) -> str | None:
        """Go back to the calibration used before and return its id, None for none; `Conflict` when none is in use."""
        ...

    async def measure_twin(self) -> None:
        """Measure the twin's error up to now."""
        ...

    async def refused_messages(self) -> tuple[RefusedMessage, ...]:
        """Return what the MES refused for good and still matters, refused last first."""
        ...

    async def send_again(self, message_id: str) -> None:
        """Send a refused message once more; `NotFound` when it waits no more."""
        ...


class Live(Protocol):
    """Tells that something changed, not what: whoever hears it asks `Views` again, and is checked again."""

    def subscribe(self, topics: frozenset[Topic]) -> AbstractAsyncContextManager[AsyncIterator[Topic]]:
        """Listen to `topics`: nothing announced after entering is missed; several announcements may come as one.

        The iterator ends, or raises `Unavailable`, when nothing can be heard any more; the page connects again.
        """
        ...
