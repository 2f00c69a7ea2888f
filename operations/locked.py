"""Work with its locks, and what a plan makes of them. Pure.

A lock names the moment a machine begins with a job order. How long the changeover takes depends on what is made before,
so when processing starts follows from the plan.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, tzinfo

from plant.item import Attendance
from plant.lock import JobLock
from plant.plan import Plan, PlannedOperation
from plant.text import Text, told
from plant.work import Lock, Task, Work

_NOTABLE_S = 60.0
"""A lock that is missed by less is kept."""


def with_locks(work: Work, locks: Sequence[JobLock]) -> Work:
    """Return the work with these job orders on their machines, and none of them begun before its moment.

    One whose moment has passed is due now. What has begun, and what its machine cannot take any more, stays free.
    """
    by_job = {one.job_order: one for one in locks}
    return replace(work, tasks=tuple(_locked(work, task, by_job.get(task.id)) for task in work.tasks))


def _locked(work: Work, task: Task, lock: JobLock | None) -> Task:
    if lock is None or task.running is not None or lock.machine not in task.durations_s:
        return task
    start_s = max(work.seconds(lock.start_at), 0.0)
    return replace(
        task,
        durations_s={lock.machine: task.durations_s[lock.machine]},
        release_s=max(task.release_s, start_s),
        lock=Lock(lock.machine, start_s),
    )


def as_planned(work: Work, plan: Plan) -> Work:
    """Return the work locked to when the plan begins: a lock that is missed is told, and refuses no plan."""
    planned = plan.by_job_order
    tasks = (
        replace(task, lock=Lock(task.lock.machine, begin_s(work, task, planned[task.id])))
        if task.lock is not None and task.id in planned
        else task
        for task in work.tasks
    )
    return replace(work, tasks=tuple(tasks))


def missed(work: Work, plan: Plan, locks: Sequence[JobLock], zone: tzinfo = UTC) -> Iterator[Text]:
    """Yield what a plan does otherwise than the locks say, in words."""
    for lock in locks:
        task, planned = work.by_id.get(lock.job_order), plan.by_job_order.get(lock.job_order)
        if task is None or planned is None or task.running is not None:
            continue
        begun = work.moment(begin_s(work, task, planned))
        late = (begun - lock.start_at).total_seconds() >= _NOTABLE_S
        if late or planned.machine != lock.machine:
            yield told(
                "{job_order} is locked to {machine}, {start:moment}; the plan begins it on {planned}, {begun:moment}.",
                job_order=lock.job_order,
                machine=lock.machine,
                start=lock.start_at.astimezone(zone),
                planned=planned.machine,
                begun=begun.astimezone(zone),
            )


def missed_s(work: Work, plan: Plan) -> float:
    """Return by how many seconds in all a plan misses the locks of the work; less than a minute counts nothing."""
    late_s = (
        begin_s(work, task, plan.by_job_order[task.id]) - task.lock.start_s
        for task in work.tasks
        if task.lock is not None and task.running is None and task.id in plan.by_job_order
    )
    return sum(one for one in late_s if one >= _NOTABLE_S)


def there_s(work: Work, plan: Plan, task: Task, machine: str) -> float:
    """Return when all that a task follows is done as planned, has waited and is at `machine`; 0 if there is none."""
    ends = ((name, plan.by_job_order[name]) for name in task.predecessors)
    return max((one.end_s + work.lag_s(task, name, one.machine, machine) for name, one in ends), default=0.0)


def begin_s(work: Work, task: Task, planned: PlannedOperation) -> float:
    """Return when a planned task's machine begins with it, changeover included, in seconds since the work's epoch."""
    time = work.machines[planned.machine].working_time
    if planned.person in work.people and task.attendance is not Attendance.NONE:
        time = time.common(work.people[planned.person].working_time)
    if planned.setup_s <= 0:
        return planned.start_s
    return min(time.begin(time.clock_at(time.worked_at(planned.start_s) - planned.setup_s)), planned.start_s)
