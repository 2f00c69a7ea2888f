"""Machines need someone who can run them: a machine works only while a person with a skill it needs is there.

How many machines one person runs at a time is not limited here; that is the floor model's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from plant.calendar import Window, WorkingTime, merge_windows
from plant.checks import require
from plant.plant import Machine, Plant
from plant.work import Work


def staffed(work: Work, plant: Plant, horizon: timedelta) -> Work:
    """Return the work with every machine's working time cut to when someone is there who can run it.

    A plant without people is run by nobody in particular: nothing is cut.

    Raises
    ------
    InvalidInput
        If nobody who can run a machine is there at any time its calendar is open.
    """
    if not plant.people:
        return work
    end = work.epoch + horizon
    calendars = {calendar.id: calendar.windows(work.epoch, end) for calendar in plant.calendars}
    machines = dict(work.machines)
    for machine in plant.machines:
        attended = _overlap(calendars[machine.calendar], _presence(plant, machine, calendars))
        if attended != calendars[machine.calendar]:
            require(
                bool(attended),
                f"nobody with a skill that {machine.id} needs ({', '.join(sorted(_skills(plant, machine)))}) is there "
                f"at any time of its calendar {machine.calendar!r}",
            )
            machines[machine.id] = replace(machines[machine.id], working_time=_working_time(attended, work.epoch))
    return replace(work, machines=machines)


def _skills(plant: Plant, machine: Machine) -> set[str]:
    """Return the skills that operations on a machine ask for; none where nothing is made on it."""
    return {
        operation.skill
        for item in plant.items
        for operation in item.routing
        if operation.capability in machine.capabilities
    }


def _presence(plant: Plant, machine: Machine, calendars: Mapping[str, list[Window]]) -> list[Window]:
    skills = _skills(plant, machine)
    if not skills:
        return calendars[machine.calendar]
    able = [person for person in plant.people if skills & set(person.skills)]
    return merge_windows([window for person in able for window in calendars[person.calendar]])


def _overlap(one: list[Window], other: list[Window]) -> list[Window]:
    """Return what lies in both of two lists of disjoint windows in order."""
    found, i, k = [], 0, 0
    while i < len(one) and k < len(other):
        start, end = max(one[i][0], other[k][0]), min(one[i][1], other[k][1])
        if start < end:
            found.append((start, end))
        if one[i][1] <= other[k][1]:
            i += 1
        else:
            k += 1
    return found


def _working_time(windows: list[Window], epoch: datetime) -> WorkingTime:
    return WorkingTime.of([((a - epoch).total_seconds(), (b - epoch).total_seconds()) for a, b in windows])
