"""What history shows of every parameter, as columns: durations with a mark where their end was not seen.

Times are working seconds. A job that still runs, or was given up, lasted at least as long as it has; so did one in
whose course the machine was out of sight, counted up to there. Repairs and closed hours are no part of a processing
time. What began before the period is left out whole: kept only where it lasted into the period, the long ones
would be over-represented.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from plant.calibration import changeover_subject, operation_subject
from plant.checks import require
from plant.machine_state import MachineState, StateInterval
from plant.order import JobProgress, JobState
from plant.plant import Plant, Reliability
from twin.machine_line import BLINK_S, UNSEEN, MachineLine, StepSeen, lines_of

Column = NDArray[np.float64]
Flags = NDArray[np.bool_]

_LEAST_S = 1e-3
"""Anything shorter is no duration: it has no logarithm worth the name."""
_BELIEVED_S = 7200.0
"""An executing machine that goes out of sight is taken to go on for so much working time: its age goes on, too."""


@dataclass(frozen=True)
class Spans:
    """Durations of one kind; all columns have shape (n,).

    Attributes
    ----------
    machine, subject
        What each is of; `subject` is empty for failures and repairs.
    planned_s
        Planned duration, in the unit of `observed_s`.
    censored
        The end was not seen: it is longer than `observed_s`.
    residual
        It had begun at an unknown moment before; `observed_s` is what was left of it.
    batch
        Rows of one number were processed together and share `observed_s`, which is the longest of their durations;
        -1 outside a batch.
    """

    machine: tuple[str, ...]
    subject: tuple[str, ...]
    planned_s: Column
    observed_s: Column
    censored: Flags
    residual: Flags
    batch: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.machine)

    def of_machine(self, machine: str) -> NDArray[np.intp]:
        """Return the rows of a machine."""
        return np.flatnonzero([name == machine for name in self.machine])


@dataclass(frozen=True)
class Pieces:
    """Pieces that came out of job orders: of `made` in all, `bad` were scrap; columns of shape (n,)."""

    subject: tuple[str, ...]
    made: NDArray[np.int64]
    bad: NDArray[np.int64]


@dataclass(frozen=True)
class Observations:
    """Everything a calibration is made of."""

    since: datetime
    until: datetime
    processing: Spans
    setups: Spans
    between_failures: Spans
    repairs: Spans
    pieces: Pieces


@dataclass(frozen=True)
class _Row:
    machine: str
    subject: str
    planned_s: float
    observed_s: float
    censored: bool
    residual: bool = False
    batch: int = -1


def observe(
    plant: Plant,
    intervals: Iterable[StateInterval],
    jobs: Sequence[JobProgress],
    since: datetime,
    until: datetime,
    *,
    new_at_start: bool = False,
) -> Observations:
    """Return what a stretch of history shows.

    Parameters
    ----------
    intervals
        State intervals of all machines within the period, in any order; an open one lasts to `until`.
    jobs
        Job orders with how far they are. Those begun before `since` only tell what a machine was set up for.
    new_at_start
        The machines were new at `since`. Otherwise the first time to a failure is what was left of a longer one.

    Raises
    ------
    InvalidInput
        If the period is empty, or intervals of a machine overlap.
    NotFound
        If a job names an item, operation or machine the plant does not have.
    """
    require(since < until, f"there is no history between {since} and {until}")
    lines = lines_of(plant, intervals, since, until)
    processing: list[_Row] = []
    setups: list[_Row] = []
    between: list[_Row] = []
    repairs: list[_Row] = []
    by_id = {job.job.id: job for job in jobs}
    batches = 0
    for line in lines:
        steps = _steps(line.machine, jobs)
        done, changed = _job_rows(plant, line, steps, by_id, since, until, batches)
        batches += len(steps)
        processing += done
        setups += changed
        gaps, mends = _failure_rows(line, plant.machine(line.machine).reliability, new_at_start)
        between += gaps
        repairs += mends
    return Observations(
        since, until, _spans(processing), _spans(setups), _spans(between), _spans(repairs), _pieces(jobs, since)
    )


def _spans(rows: Sequence[_Row]) -> Spans:
    return Spans(
        tuple(row.machine for row in rows),
        tuple(row.subject for row in rows),
        np.array([row.planned_s for row in rows], dtype=np.float64),
        np.array([row.observed_s for row in rows], dtype=np.float64),
        np.array([row.censored for row in rows], dtype=np.bool_),
        np.array([row.residual for row in rows], dtype=np.bool_),
        np.array([row.batch for row in rows], dtype=np.intp),
    )


@dataclass(frozen=True)
class _Step:
    """Job orders a machine began at one moment: one, or the members of a batch."""

    started_at: datetime
    jobs: tuple[JobProgress, ...]

    @property
    def ended_at(self) -> datetime | None:
        ends = [job.completed_at for job in self.jobs]
        return None if any(end is None for end in ends) else max(end for end in ends if end is not None)


def _steps(machine: str, jobs: Iterable[JobProgress]) -> list[_Step]:
    begun = [job for job in jobs if job.machine == machine and job.started_at is not None]
    begun.sort(key=lambda job: (job.started_at, job.job.id))
    return [
        _Step(moment, tuple(group))
        for moment, group in groupby(begun, key=lambda job: job.started_at)
        if moment is not None
    ]


def _job_rows(
    plant: Plant,
    line: MachineLine,
    steps: Sequence[_Step],
    by_id: Mapping[str, JobProgress],
    since: datetime,
    until: datetime,
    first_batch: int,
) -> tuple[list[_Row], list[_Row]]:
    """Return processing times and changeovers of a machine; its batches are numbered from `first_batch` on."""
    matrix = plant.setup_matrix_of(line.machine)
    speed = plant.machine(line.machine).speed
    processing, setups = [], []
    before: str | None = None
    for place, step in enumerate(steps):
        operations = [plant.operation(job.job.item, job.job.operation) for job in step.jobs]
        family, previous = operations[0].setup_family, before
        before = family
        if not since <= step.started_at < until:
            continue
        end = step.ended_at or (steps[place + 1].started_at if place + 1 < len(steps) else until)
        span = ((step.started_at - since).total_seconds(), (min(end, until) - since).total_seconds())
        seen = StepSeen(line, *span)
        complete = all(job.state is JobState.COMPLETED for job in step.jobs) and end <= until
        if previous is not None:
            planned_s = matrix.duration_s(previous, family)
            if planned_s > 0 and seen.setup_s > _LEAST_S:
                subject = changeover_subject(previous, family)
                setups.append(_Row(line.machine, subject, planned_s, seen.setup_s, not seen.setup_over))
        processing += _processing_rows(
            line,
            step,
            [one.duration_s(_quantity(job, by_id), speed) for job, one in zip(step.jobs, operations, strict=True)],
            seen,
            complete,
            first_batch + place,
        )
    return processing, setups


def _processing_rows(
    line: MachineLine, step: _Step, planned_s: Sequence[float], seen: StepSeen, complete: bool, batch: int
) -> list[_Row]:
    """Return what a step shows: a row per job. Of a batch not seen to its end nothing is known of any one member."""
    together = len(step.jobs) > 1
    censored = not complete or seen.hidden
    if seen.processing_s <= _LEAST_S or (together and censored):
        return []
    return [
        _Row(
            line.machine,
            operation_subject(job.job.item, job.job.operation),
            planned,
            seen.processing_s,
            censored,
            batch=batch if together else -1,
        )
        for job, planned in zip(step.jobs, planned_s, strict=True)
    ]


def _quantity(progress: JobProgress, by_id: Mapping[str, JobProgress]) -> int:
    """Return how many pieces a job processes: those it delivered, or those its predecessor left it."""
    if progress.state is JobState.COMPLETED and progress.good + progress.scrap > 0:
        return progress.good + progress.scrap
    arriving = [
        before.good
        for name in progress.job.predecessors
        if (before := by_id.get(name)) is not None
        and before.job.production_order == progress.job.production_order
        and before.state is JobState.COMPLETED
        and before.good + before.scrap > 0
    ]
    return min([progress.job.quantity, *arriving])


def _failure_rows(
    line: MachineLine, reliability: Reliability | None, new_at_start: bool
) -> tuple[list[_Row], list[_Row]]:
    """Return the times between failures in operating time, and the repairs in working time."""
    between_s = 0.0 if reliability is None else reliability.time_between_failures.mean
    repair_s = 0.0 if reliability is None else reliability.time_to_repair.mean
    gaps, repairs = [], []
    operated_s, residual = 0.0, not new_at_start
    down: float | None = None
    before = MachineState.UNKNOWN
    for begin_s, state, length_s in line.seen(0.0, line.end_s):
        hidden_s = line.worked_s(begin_s, begin_s + length_s) if state in UNSEEN else 0.0
        lost = hidden_s > (_BELIEVED_S if before is MachineState.EXECUTING else BLINK_S)
        if down is not None and state is not MachineState.BREAKDOWN:
            repairs.append(_Row(line.machine, "", repair_s, line.worked_s(down, begin_s), lost, line.is_older(down)))
            down = None
        if state is MachineState.EXECUTING or (hidden_s and not lost):
            operated_s += hidden_s or length_s
        elif (state is MachineState.BREAKDOWN and down is None) or lost:
            if operated_s > _LEAST_S:
                gaps.append(_Row(line.machine, "", between_s, operated_s, lost, residual))
            operated_s, residual = 0.0, lost
            down = None if lost else begin_s
        before = state
    if down is not None:
        mended_s = line.worked_s(down, line.end_s)
        repairs.append(_Row(line.machine, "", repair_s, mended_s, True, line.is_older(down)))
    if operated_s > _LEAST_S:
        gaps.append(_Row(line.machine, "", between_s, operated_s, True, residual))
    # What was left of a repair begun before the period says little and is left out, like a job begun before.
    return gaps, [row for row in repairs if row.observed_s > _LEAST_S and not row.residual]


def _pieces(jobs: Iterable[JobProgress], since: datetime) -> Pieces:
    found = [
        (operation_subject(job.job.item, job.job.operation), job.good + job.scrap, job.scrap)
        for job in jobs
        if job.started_at is not None and job.started_at >= since and job.good + job.scrap > 0
    ]
    return Pieces(
        tuple(subject for subject, _, _ in found),
        np.array([made for _, made, _ in found], dtype=np.int64),
        np.array([bad for _, _, bad in found], dtype=np.int64),
    )
