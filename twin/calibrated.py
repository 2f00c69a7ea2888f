"""The twin with what history taught: planned work with calibrated times, and draws that know they do not know all.

`apply` puts the estimates in the place of planned values. `CalibratedDraws` gives every replication one joint draw of
the parameters from their posterior, so what is still unknown of the plant widens what the twin says of a plan. The
choice is keyed like all luck: the same seed meets the same parameters, in either engine and whatever the sequence.
That holds for what has begun, too: what is left is conditional on its age under the parameters of the replication.
Changeovers take the mean of their replication; how much single ones vary around it is not drawn.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from plant.calibration import ANY_CHANGEOVER, Calibration, Estimate, Parameter, changeover_subject, operation_subject
from plant.distribution import Distribution, Family, exponential
from plant.plan import Plan
from plant.plant import Reliability, SetupMatrix, SetupTime
from plant.work import MachineOutlook, Running, Task, Work
from twin.draws import Draws, Row

_LEAST_REMAINING_S = 1.0
"""What is left of a running task that has outrun its calibrated time too."""


def apply(work: Work, calibration: Calibration) -> Work:
    """Return the work with calibrated durations, variations, changeovers, reliability and scrap.

    What the calibration says nothing of stays as planned. The plant is not changed.
    """
    tasks = tuple(_task(task, calibration) for task in work.tasks)
    families = {task.setup_family for task in work.tasks}
    machines = {name: _outlook(outlook, families, calibration) for name, outlook in work.machines.items()}
    return replace(work, tasks=tasks, machines=machines)


def _value(calibration: Calibration, parameter: Parameter, machine: str | None, subject: str, planned: float) -> float:
    found = calibration.find(parameter, machine, subject)
    return planned if found is None else found.value


def _task(task: Task, calibration: Calibration) -> Task:
    subject = operation_subject(task.item, task.operation)
    factors = {machine: _value(calibration, Parameter.DURATION, machine, subject, 1.0) for machine in task.durations_s}
    durations_s = {machine: planned_s * factors[machine] for machine, planned_s in task.durations_s.items()}
    running = task.running
    if running is not None:
        running = _running(running, task.durations_s[running.machine], durations_s[running.machine])
    return replace(
        task,
        durations_s=durations_s,
        variation=_value(calibration, Parameter.VARIATION, None, subject, task.variation),
        scrap_ratio=_value(calibration, Parameter.SCRAP, None, subject, task.scrap_ratio),
        running=running,
    )


def _running(running: Running, planned_s: float, calibrated_s: float) -> Running:
    """What it has been worked on is a fact; only the whole is another."""
    worked_s = planned_s - running.remaining_s
    return replace(running, remaining_s=max(calibrated_s - worked_s, _LEAST_REMAINING_S))


def _outlook(outlook: MachineOutlook, families: Iterable[str], calibration: Calibration) -> MachineOutlook:
    return replace(
        outlook,
        setup_matrix=_matrix(outlook, families, calibration),
        reliability=_reliability(outlook.id, outlook.reliability, calibration),
    )


def _matrix(outlook: MachineOutlook, families: Iterable[str], calibration: Calibration) -> SetupMatrix:
    matrix, machine = outlook.setup_matrix, outlook.id
    any_factor = _value(calibration, Parameter.SETUP, machine, ANY_CHANGEOVER, 1.0)
    after = sorted(families)
    before = after if outlook.setup_family is None else sorted({*after, outlook.setup_family})
    pairs = dict.fromkeys([(entry.before, entry.after) for entry in matrix.times])
    pairs |= dict.fromkeys((one, other) for one in before for other in after)
    times = []
    for one, other in pairs:
        factor = _value(calibration, Parameter.SETUP, machine, changeover_subject(one, other), any_factor)
        times.append(SetupTime(one, other, matrix.duration_s(one, other) * factor))
    return SetupMatrix(matrix.id, matrix.default_s * any_factor, tuple(times))


def _reliability(machine: str, planned: Reliability | None, calibration: Calibration) -> Reliability | None:
    between = calibration.find(Parameter.TIME_BETWEEN_FAILURES, machine)
    repair = calibration.find(Parameter.TIME_TO_REPAIR, machine)
    if between is None or repair is None:
        return planned
    return Reliability(
        _lifetime(
            exponential(between.value) if planned is None else planned.time_between_failures,
            between.value,
            calibration.find(Parameter.FAILURE_VARIATION, machine),
        ),
        _lifetime(
            Distribution(Family.LOGNORMAL, repair.value, 0.7) if planned is None else planned.time_to_repair,
            repair.value,
            calibration.find(Parameter.REPAIR_VARIATION, machine),
        ),
    )


def _lifetime(planned: Distribution, mean: float, variation: Estimate | None) -> Distribution:
    if variation is None:
        return replace(planned, mean=mean)
    family = Family.LOGNORMAL if planned.family is Family.CONSTANT else planned.family
    return Distribution(family, mean, variation.value)


@dataclass(frozen=True)
class CalibratedDraws(Draws):
    """Draws of futures that differ in luck and in what the plant's parameters may be.

    Attributes
    ----------
    calibration
        What `work` was calibrated with.
    work, plan
        The calibrated work and the plan to be judged: they tell which machine takes which task.
    """

    calibration: Calibration = field(kw_only=True)
    work: Work = field(kw_only=True)
    plan: Plan = field(kw_only=True)

    def row(self, distribution: Distribution, purpose: str, subject: str, ordinal: int = 0) -> Row:
        """Return R draws as `Draws.row`, each under the parameters of its replication."""
        row = super().row(distribution, purpose, subject, ordinal)
        ratio, variation = self._known(distribution, purpose, subject)
        if variation is not None:
            spread = np.sqrt(np.log1p(distribution.variation**2))
            other = np.sqrt(np.log1p(variation**2))
            row = np.exp((np.log(row) + spread**2 / 2) * (other / spread) - other**2 / 2)
        return row if ratio is None else row * ratio

    def beyond(self, distribution: Distribution, threshold: float, purpose: str, subject: str, ordinal: int = 0) -> Row:
        """Return R draws of what is left as `Draws.beyond`, each under the parameters of its replication."""
        ratio, variation = self._known(distribution, purpose, subject)
        has_memory = threshold > 0 and distribution.mean > 0 and distribution.family is not Family.CONSTANT
        if not has_memory or (ratio is None and variation is None):
            return super().beyond(distribution, threshold, purpose, subject, ordinal)
        # What is `ratio` times as long exceeds the threshold where the quantity itself exceeds so much less.
        factor = np.ones(self.replications) if ratio is None else ratio
        spread = distribution.variation if variation is None else variation
        return factor * self._beyond(distribution, threshold / factor, spread, self._text(purpose, subject, ordinal))

    def setup_factor(self, machine: str, before: str | None, after: str) -> Row | None:
        """Return the mean of a changeover in each replication over its estimate, shape (R,)."""
        own = None if before is None else changeover_subject(before, after)
        has_own = own is not None and self.calibration.find(Parameter.SETUP, machine, own) is not None
        return self._ratio(Parameter.SETUP, machine, own if own is not None and has_own else ANY_CHANGEOVER)

    @cached_property
    def _chosen(self) -> NDArray[np.intp] | None:
        """Which joint posterior draw each replication lives under, shape (R,)."""
        size = self.calibration.posterior_size
        if not size:
            return None
        uniform = -np.expm1(-super().row(exponential(1.0), "parameters", "calibration"))
        return np.minimum((uniform * size).astype(np.intp), size - 1)

    def _ratio(self, parameter: Parameter, machine: str | None, subject: str) -> Row | None:
        """Return the parameter under each replication over its estimate, None where nothing is known of it."""
        found = self.calibration.find(parameter, machine, subject)
        if found is None or not found.posterior or self._chosen is None or found.value <= 0:
            return None
        ratio: Row = np.array(found.posterior)[self._chosen] / found.value
        return ratio

    def _known(self, distribution: Distribution, purpose: str, subject: str) -> tuple[Row | None, Row | None]:
        """Return the mean over its estimate and the coefficient of variation; None where nothing is known of it."""
        if purpose in (Parameter.TIME_BETWEEN_FAILURES, Parameter.TIME_TO_REPAIR):
            return self._ratio(Parameter(purpose), subject, ""), None
        if purpose != "processing":
            return None, None
        task, planned = self.work.by_id[subject], self.plan.by_job_order[subject]
        operation = operation_subject(task.item, task.operation)
        spread = self._ratio(Parameter.VARIATION, None, operation) if distribution.variation > 0 else None
        variation = None if spread is None else distribution.variation * spread
        return self._ratio(Parameter.DURATION, planned.machine, operation), variation
