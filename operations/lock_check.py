"""Is a lock possible at all? Looked at before any plan is made, so that whoever drags an operation hears it at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from operations.locked import with_locks
from plant.item import Attendance
from plant.lock import JobLock
from plant.plan import Plan
from plant.text import Told, told
from plant.work import MachineOutlook, Task, Work
from scheduler.requirement import shortest_lag_s

_TOLERANCE_S = 1.0

_FARTHEST_S = 5 * 365 * 86400.0
"""Beyond five years a start is mistyped, and what waits for it would stop all planning."""


def objection(work: Work, lock: JobLock, frozen: Plan | None = None, zone: tzinfo = UTC) -> Told | None:
    """Return why no plan can begin a job order where and when a lock wants it, None if nothing speaks against it.

    What is looked at takes no search. A plan may still miss a lock to which nothing was objected; then it says so.

    Parameters
    ----------
    work
        With all other locks, and without one of this job order.
    frozen
        Operations that keep machine and place, None when there are none.
    """
    task = work.by_id.get(lock.job_order)
    if task is None:
        return told("nothing is left to be done of a job order {job}; choose another one", job=lock.job_order)
    if task.running is not None:
        return told("{job} has begun on {machine} and stays there", job=task.id, machine=task.running.machine)
    if lock.machine not in task.durations_s:
        able = tuple(task.durations_s)
        return told("{machine} cannot take {job}; {able:words} can", machine=lock.machine, job=task.id, able=able)
    asked = _Asked(work, task, work.machines[lock.machine], work.seconds(lock.start_at), frozen, zone)
    looks = (_of_the_hour, _of_people, _of_what_comes_first, _of_other_locks, _of_its_order)
    return next((found for look in looks for found in look(asked)), None)


@dataclass(frozen=True)
class _Asked:
    """A task, and the machine and the second it is to begin at, with what that is held against."""

    work: Work
    task: Task
    machine: MachineOutlook
    start_s: float
    frozen: Plan | None
    zone: tzinfo

    @property
    def work_s(self) -> float:
        return self.task.durations_s[self.machine.id]

    def moment(self, seconds: float) -> datetime:
        return self.work.moment(seconds).astimezone(self.zone)


def _of_the_hour(asked: _Asked) -> Iterator[Told]:
    """Yield what is wrong with the moment on this machine."""
    name, time, start = asked.machine.id, asked.machine.working_time, asked.moment(asked.start_s)
    if asked.start_s < -_TOLERANCE_S:
        yield told("{start:moment} has passed; choose a later start", start=start)
    elif asked.start_s > _FARTHEST_S:
        yield told(
            "{start:moment} is {away:span} away; choose a start within {most:span}",
            start=start,
            away=asked.start_s,
            most=_FARTHEST_S,
        )
    elif asked.machine.available_from_s > asked.start_s + _TOLERANCE_S:
        until = asked.moment(asked.machine.available_from_s)
        yield told("{machine} is down until about {until:moment}; choose a later start", machine=name, until=until)
    elif time.begin(asked.start_s) > asked.start_s + _TOLERANCE_S:
        opens = asked.moment(time.begin(asked.start_s))
        yield told(
            "{machine} is closed at {start:moment}; it works again from {opens:moment} on",
            machine=name,
            start=start,
            opens=opens,
        )
    elif not asked.task.interruptible and not time.holds(asked.start_s, asked.work_s):
        yield told(
            "{job} takes {takes:span} without a break, and {machine} closes before that; choose another start",
            job=asked.task.id,
            takes=asked.work_s,
            machine=name,
        )


def _of_people(asked: _Asked) -> Iterator[Told]:
    """Yield that nobody who is needed is there."""
    skill, start_s = asked.task.skill, asked.start_s
    able = [one for one in asked.work.people.values() if skill is None or skill in one.skills]
    there = (one for one in able if one.working_time.begin(start_s) <= start_s + _TOLERANCE_S)
    away = all(one.available_from_s > start_s + _TOLERANCE_S for one in there)
    if asked.task.attendance is Attendance.ALL and away:
        yield told(
            "{job} needs somebody who can do {skill}, and nobody of them is there at {start:moment}",
            job=asked.task.id,
            skill=skill,
            start=asked.moment(start_s),
        )


def _of_what_comes_first(asked: _Asked) -> Iterator[Told]:
    """Yield what runs on the machine, or is about to, until after the moment; and that the task itself is."""
    work, frozen = asked.work, asked.frozen
    ends_s = {
        task.id: asked.machine.working_time.finish(0.0, task.running.remaining_s)
        for task in work.tasks
        if task.running is not None and task.running.machine == asked.machine.id
    }
    if frozen is not None:
        if asked.task.id in frozen.by_job_order:
            yield told("{job} is about to begin where it is planned, and must stay there", job=asked.task.id)
        later_s = (frozen.epoch - work.epoch).total_seconds()
        ends_s |= {one.job_order: one.end_s + later_s for one in frozen.operations if one.machine == asked.machine.id}
    last = max(ends_s, key=lambda name: ends_s[name], default=None)
    if last is not None and ends_s[last] > asked.start_s + _TOLERANCE_S:
        yield told(
            "{machine} makes {other} until about {until:moment}, which has begun or is about to; choose a later start",
            machine=asked.machine.id,
            other=last,
            until=asked.moment(ends_s[last]),
        )


def _of_other_locks(asked: _Asked) -> Iterator[Told]:
    """Yield a lock on the same machine at the same time."""
    time, end_s = asked.machine.working_time, asked.machine.working_time.finish(asked.start_s, asked.work_s)
    for task in asked.work.tasks:
        if task.lock is None or task.running is not None or task.lock.machine != asked.machine.id:
            continue
        ends_s = time.finish(task.lock.start_s, task.durations_s[asked.machine.id])
        if task.lock.start_s < end_s - _TOLERANCE_S and asked.start_s < ends_s - _TOLERANCE_S:
            yield told(
                "{other} is locked to {machine} from {begins:moment} to {ends:moment}; choose another "
                "start, or unlock it",
                other=task.id,
                machine=asked.machine.id,
                begins=asked.moment(task.lock.start_s),
                ends=asked.moment(ends_s),
            )


def _of_its_order(asked: _Asked) -> Iterator[Told]:
    """Yield that what comes before cannot be done by then, or that what comes after is locked too early."""
    wanted = JobLock(asked.task.id, asked.machine.id, asked.work.moment(asked.start_s), "-")
    earliest_s = _earliest_s(with_locks(asked.work, [wanted]))
    if earliest_s[asked.task.id] > asked.start_s + _TOLERANCE_S:
        yield told(
            "{job} cannot begin before {earliest:moment}: what it waits for is not done earlier",
            job=asked.task.id,
            earliest=asked.moment(earliest_s[asked.task.id]),
        )
    for task in asked.work.tasks:
        if task.lock is not None and earliest_s[task.id] > task.lock.start_s + _TOLERANCE_S:
            yield told(
                "{other} is locked to {start:moment}, and could then not begin before {earliest:moment}; unlock it, or "
                "choose an earlier start",
                other=task.id,
                start=asked.moment(task.lock.start_s),
                earliest=asked.moment(earliest_s[task.id]),
            )


def _earliest_s(work: Work) -> dict[str, float]:
    """Return when each task could begin if machines and people had nothing else to do, without changeovers."""
    begins_s: dict[str, float] = {}
    ends_s: dict[str, float] = {}
    for task in work.tasks:
        if task.running is not None:
            begins_s[task.id] = 0.0
            time = work.machines[task.running.machine].working_time
            ends_s[task.id] = time.finish(0.0, task.running.remaining_s)
            continue
        material_s = 0.0 if task.material is None else task.material.due_s + task.material.delay.mean
        there = (ends_s[name] + shortest_lag_s(work, task, name) for name in task.predecessors)
        ready_s = max([0.0, task.release_s, material_s, *there])
        machines = [work.machines[name] for name in task.durations_s]
        from_s = {one.id: max(ready_s, one.available_from_s) for one in machines}
        begins_s[task.id] = min(one.working_time.begin(from_s[one.id]) for one in machines)
        ends_s[task.id] = min(one.working_time.finish(from_s[one.id], task.durations_s[one.id]) for one in machines)
    return begins_s
