"""What the pages need from below: the `Views` and `Live` protocols. `dashboard.shown` holds the data they hand over.

A page never computes a figure and never asks who is allowed to see it: each method of `Views` acts for the user the
request belongs to and raises `Denied` or `NotAuthenticated` itself. `tests/dashboard/contract.py` holds the contract.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from dashboard.shown.clock import ClockView
from dashboard.shown.floor import FloorView
from dashboard.shown.health import HealthView, SignalsView
from dashboard.shown.plan import PlanSummary, PlanView
from dashboard.shown.promise import PromiseQuestion, PromiseView
from dashboard.shown.twin import TwinView
from plant.actor import Actor
from plant.calibration import Difference
from plant.long_job import LongJob, LongJobKind
from plant.message import RefusedMessage
from plant.order import CustomerOrder
from plant.text import Text


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

    async def open_orders(self) -> tuple[CustomerOrder, ...]:
        """Return the orders with work left, by due date."""
        ...

    async def why_not(self, orders: Sequence[str], by: datetime | None = None) -> tuple[Text, ...]:
        """Return why not all of these orders can be done by their due dates, or `by` one date; empty if nothing is.

        Raises
        ------
        NotFound
            If no work is left of one of them.
        """
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
