"""What machines produced, piece by piece, as their counters and the job responses tell it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np

from historian import samples
from historian.database import Transaction
from plant.machine_state import StateInterval
from plant.order import JobOrder, JobProgress
from plant.plant import Machine, Plant
from plant.reading import Signal
from twin.pieces import PieceCount


async def counts_of(
    tx: Transaction,
    plant: Plant,
    machine: Machine,
    intervals: Sequence[StateInterval],
    jobs: Mapping[str, JobProgress],
    start: datetime,
    end: datetime,
) -> list[PieceCount]:
    """Return what a machine produced within (start, end], as its counters or, of batches, the job responses tell.

    Parameters
    ----------
    intervals
        State intervals that touch the period: they tell which job a piece was made for.
    """
    if machine.batch_capacity > 1:
        # A batch machine's controller names one of the jobs in it; the job responses tell their pieces apart.
        done = [job for job in jobs.values() if job.machine == machine.id and job.completed_at is not None]
        return [
            PieceCount(job.completed_at, job.good, job.scrap, planned_piece_s(plant, machine, job.job))
            for job in done
            if job.completed_at is not None and start < job.completed_at <= end
        ]
    own = [interval for interval in intervals if interval.machine == machine.id]
    return await _counted(tx, plant, machine, own, jobs, start, end)


async def _counted(
    tx: Transaction,
    plant: Plant,
    machine: Machine,
    intervals: Sequence[StateInterval],
    jobs: Mapping[str, JobProgress],
    start: datetime,
    end: datetime,
) -> list[PieceCount]:
    """Return the counters' steps, each for the job its machine had when the piece was finished."""
    path = plant.machine_path(machine.id)
    good, scrap = f"{path}/{Signal.GOOD_COUNT}", f"{path}/{Signal.SCRAP_COUNT}"
    series = await samples.series(tx, [good, scrap], start, end + timedelta(microseconds=1))
    before = await samples.last_before(tx, [good, scrap], start)
    steps = [
        (moment, step if tag == good else 0, step if tag == scrap else 0)
        for tag, one in series.items()
        for moment, step in _steps(before.get(tag), one)
    ]
    found = []
    for moment, plus_good, plus_scrap in sorted(steps):
        job = jobs.get(_job_at(intervals, moment) or "")
        if job is not None:
            found.append(PieceCount(moment, plus_good, plus_scrap, planned_piece_s(plant, machine, job.job)))
    return found


def _steps(before: float | None, series: samples.Series) -> list[tuple[datetime, int]]:
    """Return by how much a cumulative counter grew, and when; one that fell was reset and counts from 0."""
    known = ~np.isnan(series.values)
    values = [*([before] if before is not None else []), *series.values[known].tolist()]
    moments = series.moments(known)
    offset = 0 if before is not None else 1
    grown = [int(after - earlier) if after >= earlier else int(after) for earlier, after in pairwise(values)]
    return [(moment, step) for moment, step in zip(moments[offset:], grown, strict=True) if step > 0]


def _job_at(intervals: Sequence[StateInterval], moment: datetime) -> str | None:
    """Return the job of the interval a piece finished at `moment` was made in: its end belongs to it."""
    for interval in intervals:
        if interval.started_at < moment and (interval.ended_at is None or moment <= interval.ended_at):
            return interval.job_order
    return None


def planned_piece_s(plant: Plant, machine: Machine, job: JobOrder) -> float:
    """Return the planned run time per piece of a job order on a machine, in seconds.

    Fixed time is spread over the ordered pieces. On a batch machine a full load shares the time of its program,
    so that a half-empty oven shows as half its effectiveness and a full one as no more than all of it.
    """
    operation = plant.operation(job.item, job.operation)
    return operation.duration_s(job.quantity, machine.speed) / job.quantity / machine.batch_capacity
