"""The snapshot plans are made from: the live floor, what its running jobs have done, and when repairs will end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from plant.calendar import WorkingTime
from plant.machine_state import MachineState, StateInterval
from plant.order import JobProgress, JobState
from plant.plant import Plant
from plant.work import MachineSnapshot, Snapshot
from twin.floor import LiveFloor, LiveMachine

_REPAIR_HORIZON = timedelta(weeks=8)


def snapshot(
    plant: Plant,
    at: datetime,
    floor: LiveFloor,
    jobs: Iterable[JobProgress],
    intervals: Sequence[StateInterval],
    setup_families: Mapping[str, str],
) -> Snapshot:
    """Return the floor at `at` as plans are made from it.

    Parameters
    ----------
    jobs
        Job orders; those that are running are looked at.
    intervals
        State intervals of the machines since the first of the running jobs began, the open ones included.
    setup_families
        Setup family by job order, for the jobs that machines run or ran last.
    """
    machines = {}
    for name, live in floor.machines.items():
        family = setup_families.get(live.last_job_order) if live.last_job_order is not None else None
        machines[name] = MachineSnapshot(name, family, _down_until(plant, at, live))
    running = [job for job in jobs if job.state is JobState.RUNNING]
    return Snapshot(at, machines, {job.job.id: _worked_s(at, job, intervals) for job in running})


def _worked_s(at: datetime, job: JobProgress, intervals: Sequence[StateInterval]) -> float:
    """Sum what its machine has executed since it began: members of a batch run under one job order's name."""
    begun = job.started_at or at
    spans = (
        (max(interval.started_at, begun), min(interval.ended_at or at, at))
        for interval in intervals
        if interval.machine == job.machine and interval.state is MachineState.EXECUTING
    )
    return sum((end - start).total_seconds() for start, end in spans if start < end)


def _down_until(plant: Plant, at: datetime, live: LiveMachine) -> datetime | None:
    """Expect a repair to take its mean or, if that is longer, half as long again as it has taken (working time)."""
    if live.state is not MachineState.BREAKDOWN or live.since is None:
        return None
    since, reliability = live.since, plant.machine(live.machine).reliability
    mean_s = reliability.time_to_repair.mean if reliability is not None else 0.0
    windows = plant.calendar_of(live.machine).windows(since, at + _REPAIR_HORIZON)
    if not windows:
        return since + timedelta(seconds=max(mean_s, 1.5 * (at - since).total_seconds()))
    open_time = WorkingTime.of([((a - since).total_seconds(), (b - since).total_seconds()) for a, b in windows])
    elapsed_s = open_time.worked_at((at - since).total_seconds())
    until = since + timedelta(seconds=open_time.finish(0.0, max(mean_s, 1.5 * elapsed_s)))
    return max(until, at)
