"""What a plan must satisfy, one requirement at a time and in shop words: what conflicts are made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from enum import IntEnum
from itertools import pairwise

from plant.item import Attendance
from plant.plan import Plan
from plant.text import Told, told
from plant.work import PersonOutlook, Task, Work


class Kind(IntEnum):
    """Kinds of requirements, those first that say least of why something cannot be."""

    RUNNING = 1
    CAPACITY = 2
    HOURS = 3
    DOWN = 4
    PREDECESSOR = 5
    FROZEN = 6
    RELEASE = 7
    SKILL = 8
    FIXED = 9
    DEADLINE = 10


@dataclass(frozen=True)
class Requirement:
    """One requirement.

    Attributes
    ----------
    subject
        The task, machine or order it is about.
    other
        The task before it, or the machine it is fixed to.
    at_s
        The moment it names, seconds since the epoch.
    """

    kind: Kind
    subject: str
    other: str = ""
    at_s: float = 0.0


@dataclass(frozen=True)
class Fixed:
    """A task that somebody fixed: machine, and start of its processing in seconds since the epoch."""

    machine: str
    start_s: float


@dataclass(frozen=True)
class Demands:
    """What is asked of a plan besides the work itself.

    Attributes
    ----------
    deadlines
        By order, when it must be done, seconds since the epoch.
    fixed
        By task.
    frozen
        Operations whose sequences must stay.
    """

    deadlines: Mapping[str, float] = field(default_factory=dict)
    fixed: Mapping[str, Fixed] = field(default_factory=dict)
    frozen: Plan | None = None


def concerned(work: Work, demands: Demands) -> tuple[Task, ...]:
    """Return the tasks the demands are about, with all they wait for; any other can always be done later."""
    frozen = set() if demands.frozen is None else set(demands.frozen.by_job_order)
    found: set[str] = set()
    for task in reversed(work.tasks):
        asked = task.order in demands.deadlines or task.id in demands.fixed or task.id in frozen
        if asked or task.id in found or not is_attendable(work, task):
            found.update((task.id, *task.predecessors))
    machines = {name for task in work.tasks if task.id in found for name in task.durations_s}
    return tuple(
        task
        for task in work.tasks
        if task.id in found or (task.running is not None and task.running.machine in machines)
    )


def requirements(work: Work, demands: Demands) -> list[Requirement]:
    """Return every requirement on the tasks the demands are about."""
    tasks = concerned(work, demands)
    found = [one for task in tasks for one in _of_task(work, demands, task)]
    for name in dict.fromkeys(machine for task in tasks for machine in task.durations_s):
        machine = work.machines[name]
        found += [Requirement(Kind.CAPACITY, name), Requirement(Kind.HOURS, name, at_s=machine.working_time.starts[0])]
        if machine.available_from_s > 0:
            found.append(Requirement(Kind.DOWN, name, at_s=machine.available_from_s))
    found += [Requirement(Kind.FROZEN, after, before) for before, after in _frozen_pairs(work, demands.frozen)]
    found += [Requirement(Kind.DEADLINE, order, at_s=at_s) for order, at_s in demands.deadlines.items()]
    return sorted(found, key=lambda one: one.kind)


def _of_task(work: Work, demands: Demands, task: Task) -> Iterator[Requirement]:
    if task.running is not None:
        yield Requirement(Kind.RUNNING, task.id, task.running.machine)
        return
    if task.release_s > 0:
        yield Requirement(Kind.RELEASE, task.id, at_s=task.release_s)
    for before in task.predecessors:
        yield Requirement(Kind.PREDECESSOR, task.id, before)
    if task.id in demands.fixed:
        fixed = demands.fixed[task.id]
        yield Requirement(Kind.FIXED, task.id, fixed.machine, fixed.start_s)
    if is_attended(work, task):
        there_s = [one.working_time.begin(one.available_from_s) for one in able(work, task)]
        yield Requirement(Kind.SKILL, task.id, at_s=min(there_s, default=0.0))


def _frozen_pairs(work: Work, frozen: Plan | None) -> Iterator[tuple[str, str]]:
    for steps in (frozen.sequences if frozen else {}).values():
        names = [one.job_order for step in steps for one in step[:1] if one.job_order in work.by_id]
        yield from pairwise(names)


def shortest_lag_s(work: Work, task: Task, before: str) -> float:
    """Return the clock seconds from a predecessor's end until a task begins, on the machines nearest to each other."""
    machines = work.by_id[before].durations_s
    return min(work.lag_s(task, before, here, there) for here in machines for there in task.durations_s)


def is_attended(work: Work, task: Task) -> bool:
    """Tell whether a task needs somebody, in a shop that says who there is."""
    return task.attendance is not Attendance.NONE and (bool(work.people) or task.skill is not None)


def able(work: Work, task: Task) -> list[PersonOutlook]:
    """Return the people who can attend a task."""
    return [one for one in work.people.values() if task.skill is None or task.skill in one.skills]


def is_attendable(work: Work, task: Task) -> bool:
    """Tell whether a task needs nobody, or somebody there is."""
    return not is_attended(work, task) or bool(able(work, task))


def words(work: Work, one: Requirement, zone: tzinfo = UTC) -> Told:
    """Return a requirement as people on the floor say it; moments are told in the plant's time zone."""
    at = work.moment(one.at_s).astimezone(zone)
    if one.kind is Kind.SKILL:
        return _skill(work, one, at)
    return {
        Kind.RUNNING: lambda: told("{job_order} runs on {machine}", job_order=one.subject, machine=one.other),
        Kind.CAPACITY: lambda: told(
            "{machine} takes {n:count} at a time", machine=one.subject, n=work.machines[one.subject].batch_capacity
        ),
        Kind.HOURS: lambda: told("{machine} works at its hours only, from {at:moment} on", machine=one.subject, at=at),
        Kind.DOWN: lambda: told("{machine} is down until {at:moment}", machine=one.subject, at=at),
        Kind.PREDECESSOR: lambda: told("{job_order} waits for {before}", job_order=one.subject, before=one.other),
        Kind.FROZEN: lambda: told(
            "{job_order} stands behind {before} in the frozen zone", job_order=one.subject, before=one.other
        ),
        Kind.RELEASE: lambda: told("what {job_order} needs is there on {at:moment}", job_order=one.subject, at=at),
        Kind.FIXED: lambda: told(
            "{job_order} is fixed to {machine} at {at:moment}", job_order=one.subject, machine=one.other, at=at
        ),
        Kind.DEADLINE: lambda: told("{order} must be done by {at:moment}", order=one.subject, at=at),
    }[one.kind]()


def _skill(work: Work, one: Requirement, at: datetime) -> Told:
    task = work.by_id[one.subject]
    people = [person.id for person in able(work, task)]
    values = {"job_order": task.id, "skill": task.skill or "–", "people": people, "at": at}
    if not people:
        return told("{job_order} needs the skill {skill}, which nobody has", **values)
    return told("{job_order} needs the skill {skill}: {people:words}, there from {at:moment} on", **values)
