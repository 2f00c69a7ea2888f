"""Plan versions, with what the twin and the gate said of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from dashboard.shown.clock import ClockView
from methods.attended import StepHours
from methods.load import LoadProfile
from operations.plan_diff import PlanDiff
from plant.calendar import Window
from plant.lock import JobLock
from plant.order import CustomerOrder
from plant.plan import Plan, PlanState, Robustness, SolverReport
from plant.text import Text
from plant.verdict import Judgement, Verdict


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
    attended
        By job order when what somebody attends can go on; what is not in it goes by its machine alone.
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
    attended: Mapping[str, StepHours] = field(default_factory=dict)
