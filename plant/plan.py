"""A schedule, and the immutable version of it that is judged, released or refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from plant.checks import require, require_aware
from plant.objective import Objective
from plant.text import Text
from plant.trouble import Troubles
from plant.tuning import Tuning
from plant.verdict import Judgement, Verdict


@dataclass(frozen=True)
class PlannedOperation:
    """Where a job order goes, and when it would run if everything took its planned time.

    Attributes
    ----------
    position
        Place in its machine's sequence, counted from 0; members of one batch share it.
    start_s, end_s
        Seconds since the plan's epoch. Processing starts at `start_s`; the changeover (`setup_s` of working time)
        lies before it.
    batch
        Id shared by the members of a batch, None outside one.
    person
        Who attends it, None where nobody does or the plan leaves it open.
    person_position
        Place among what that person attends, counted from 0; None where that follows from the planned starts.
    """

    job_order: str
    machine: str
    position: int
    start_s: float
    end_s: float
    setup_s: float = 0.0
    batch: str | None = None
    person: str | None = None
    person_position: int | None = None


@dataclass(frozen=True)
class Plan:
    """A sequence for every machine; times are seconds since `epoch`.

    The sequence is the decision; start and end times are what follow from it at planned durations.
    """

    epoch: datetime
    operations: tuple[PlannedOperation, ...]

    def __post_init__(self) -> None:
        require_aware("epoch", self.epoch)
        ids = [operation.job_order for operation in self.operations]
        require(len(set(ids)) == len(ids), "a plan holds each job order once")

    @cached_property
    def by_job_order(self) -> dict[str, PlannedOperation]:
        """Planned operations by job order id."""
        return {operation.job_order: operation for operation in self.operations}

    @cached_property
    def sequences(self) -> dict[str, tuple[tuple[PlannedOperation, ...], ...]]:
        """Per machine its steps in order; a step is one operation or the members of a batch."""
        steps: dict[str, dict[int, list[PlannedOperation]]] = {}
        for operation in self.operations:
            steps.setdefault(operation.machine, {}).setdefault(operation.position, []).append(operation)
        return {
            machine: tuple(tuple(by_position[place]) for place in sorted(by_position))
            for machine, by_position in steps.items()
        }

    @cached_property
    def person_sequences(self) -> dict[str, tuple[tuple[PlannedOperation, ...], ...]]:
        """Per person the steps they attend, in their order.

        Where the plan does not tell it: by planned start, then place in the machine's sequence, then machine.
        """
        found: dict[str, list[tuple[PlannedOperation, ...]]] = {}
        for sequence in self.sequences.values():
            for step in sequence:
                for person in dict.fromkeys(one.person for one in step):
                    if person is not None:
                        found.setdefault(person, []).append(step)
        return {person: tuple(sorted(steps, key=lambda step: _turn(step[0]))) for person, steps in found.items()}

    @property
    def makespan_s(self) -> float:
        """End of the last operation, seconds since the epoch; 0 for an empty plan."""
        return max((operation.end_s for operation in self.operations), default=0.0)


def _turn(one: PlannedOperation) -> tuple[int, float, int, str]:
    return (-1 if one.person_position is None else one.person_position, one.start_s, one.position, one.machine)


@dataclass(frozen=True)
class PlanCosts:
    """What a plan costs at planned times besides tardiness.

    Attributes
    ----------
    setup_s
        Working seconds of changeovers.
    in_process_s
        Sum over lots of the clock seconds from the end of an operation to the end of the next one. Over the makespan,
        that is the mean number of lots between their operations (Little's law).
    overtime_s
        Machine seconds that are paid extra.
    energy
        In the plant's unit of money.
    moved_s
        By how much starts differ from those in the plan it was to stay near to, in total; another machine counts as
        four hours. 0 where there was no such plan.
    """

    setup_s: float
    in_process_s: float
    overtime_s: float
    energy: float
    moved_s: float


@dataclass(frozen=True)
class CostToOthers:
    """What the other orders would gain if an order were not there and they kept their sequences, at planned times.

    Attributes
    ----------
    tardiness_s
        Weighted tardiness. Below 0 where they are better off with the order, as when it saves them a changeover.
    completion_s
        Sum of the seconds by which they would be done earlier.
    """

    tardiness_s: float
    completion_s: float


@dataclass(frozen=True)
class SolverReport:
    """What the scheduler says of a plan.

    Attributes
    ----------
    weighted_tardiness_s
        Sum over orders of priority weight times seconds late, at planned durations.
    bound_s
        Proven lower bound of the weighted tardiness in the solver's model, if any.
    method
        What found it: the dispatching rule's name or ``"cp-sat"``.
    objective
        What was asked for, None where nothing was looked for.
    costs
        None in plans of before it was told.
    to_others
        By order; an order of which nothing could be left out is not in it.
    tuning
        How plans were looked for: as learned, or as suits most plants. None where nothing was looked for.
    unsearched
        Whether the time ran out before the search began, so that this is the first plan that was found.
    """

    method: str
    status: str
    weighted_tardiness_s: float
    makespan_s: float
    runtime_s: float
    seed: int
    bound_s: float | None = None
    objective: Objective | None = None
    costs: PlanCosts | None = None
    to_others: Mapping[str, CostToOthers] = field(default_factory=dict)
    tuning: Tuning | None = None
    unsearched: bool = False


@dataclass(frozen=True)
class Robustness:
    """What was paid so that a plan holds when times vary, against the nominal one: the best found at planned times.

    Attributes
    ----------
    spread
        Standard deviations that durations were planned above their mean; 0 where they were planned as they are, with
        slack before due dates; None where the nominal plan is the best.
    candidates
        Plans that were rehearsed against each other.
    expected_tardiness_s
        Weighted tardiness, mean over the futures the candidates were compared in.
    makespan_s, weighted_tardiness_s
        At planned times.
    refused, nominal_refused
        Orders for which the gate would refuse it in those futures.
    """

    spread: float | None
    candidates: int
    makespan_s: float
    weighted_tardiness_s: float
    expected_tardiness_s: float
    refused: int
    nominal_makespan_s: float
    nominal_weighted_tardiness_s: float
    nominal_expected_tardiness_s: float
    nominal_refused: int

    @property
    def makespan_paid(self) -> float:
        """Share of the nominal makespan by which the plan is longer; below 0 where it is shorter."""
        return self.makespan_s / self.nominal_makespan_s - 1 if self.nominal_makespan_s > 0 else 0.0

    @property
    def tardiness_paid_s(self) -> float:
        """Weighted tardiness at planned times beyond that of the nominal plan."""
        return self.weighted_tardiness_s - self.nominal_weighted_tardiness_s


class PlanState(StrEnum):
    """Where a plan version stands."""

    PROPOSED = "proposed"
    REFUSED = "refused"
    RELEASED = "released"
    SUPERSEDED = "superseded"


@dataclass(frozen=True)
class PlanVersion:
    """An immutable plan with all it was made from and what the twin said of it.

    Attributes
    ----------
    parent
        The version that was in force when it was made, None for the first.
    reason
        Why it was made, in words: "first plan", "breakdown of M03", ...
    orders
        Customer orders it covers.
    knew
        What had gone wrong on the floor as it was made from; what comes to light later makes it stale.
    calibration
        What the twin knew of the plant, None for the plan as it stands.
    robustness
        What was paid for certainty; None where nothing was compared.
    learned
        What was learned of how to look for plans and used here; None for the unlearned.
    """

    id: str
    parent: str | None
    plant_version: str
    made_at: datetime
    reason: Text
    seed: int
    plan: Plan
    solver: SolverReport
    verdict: Verdict
    judgement: Judgement
    orders: tuple[str, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    knew: Troubles = field(default_factory=Troubles)
    calibration: str | None = None
    robustness: Robustness | None = None
    learned: str | None = None


@dataclass(frozen=True)
class PlanSummary:
    """A plan version as lists show it."""

    id: str
    state: PlanState
    made_at: datetime
    reason: Text
    passed: bool
    orders: int
    weighted_tardiness_s: float
