"""How a job response moves a job order on."""

from __future__ import annotations

from dataclasses import replace

from plant.errors import Conflict
from plant.order import JobProgress, JobResponse, JobState, ResponseKind


def advance(progress: JobProgress, response: JobResponse) -> JobProgress:
    """Return the job order as it stands after `response`.

    Counts are cumulative, so that a repeat changes nothing and a report that comes late takes nothing back. A
    completed job order stays so: later reports of its start or progress are old news, while completing it again
    with other counts, or aborting it, is refused.

    Raises
    ------
    Conflict
        When more pieces are reported than were ordered, or the job order is completed and the response denies it.
    """
    made = response.good + response.scrap
    if made > progress.job.quantity:
        raise Conflict(
            f"job order {progress.job.id}: {response.good} good and {response.scrap} scrap are reported, "
            f"but only {progress.job.quantity} were ordered"
        )
    if progress.state is JobState.COMPLETED:
        return _when_completed(progress, response)
    if response.kind is ResponseKind.COMPLETED:
        return replace(
            progress,
            state=JobState.COMPLETED,
            machine=response.machine,
            started_at=progress.started_at or response.at,
            completed_at=response.at,
            good=response.good,
            scrap=response.scrap,
        )
    state = JobState.ABORTED if response.kind is ResponseKind.ABORTED else JobState.RUNNING
    return replace(
        progress,
        state=state,
        machine=response.machine,
        started_at=progress.started_at or response.at,
        good=max(progress.good, response.good),
        scrap=max(progress.scrap, response.scrap),
    )


def _when_completed(progress: JobProgress, response: JobResponse) -> JobProgress:
    same = (response.good, response.scrap) == (progress.good, progress.scrap)
    if response.kind is ResponseKind.ABORTED or (response.kind is ResponseKind.COMPLETED and not same):
        raise Conflict(
            f"job order {progress.job.id} was completed at {progress.completed_at} with {progress.good} good and "
            f"{progress.scrap} scrap; it cannot be {response.kind} with {response.good} good and "
            f"{response.scrap} scrap any more"
        )
    if response.kind is ResponseKind.STARTED and progress.started_at is not None:
        return replace(progress, started_at=min(progress.started_at, response.at))
    return progress
