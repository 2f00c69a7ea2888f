"""When what a plan has somebody attend can go on: while the machine works and they are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from plant.calendar import Window, common_windows, without_windows
from plant.item import Attendance
from plant.order import JobOrder
from plant.plan import Plan, PlannedOperation
from plant.plant import Plant


@dataclass(frozen=True)
class StepHours:
    """When a step can be changed over to, and when it can be processed; in order, UTC."""

    setup: tuple[Window, ...]
    processing: tuple[Window, ...]


def attended_hours(plant: Plant, plan: Plan, jobs: Mapping[str, JobOrder], span: Window) -> Mapping[str, StepHours]:
    """Return by job order the hours of the steps that somebody attends; the others go by their machine alone.

    A batch is attended as the one of its members that needs most.

    Parameters
    ----------
    plant
        With everybody's absences and the machines' planned stops.
    jobs
        Job orders by id. What a plan holds besides needs nobody.

    Raises
    ------
    NotFound
        If an item, operation or machine is unknown to the plant.
    """
    people = {person.id: person for person in plant.people}

    @cache
    def alone(machine: str) -> tuple[Window, ...]:
        return tuple(plant.calendar_of(machine).windows(*span))

    @cache
    def together(machine: str, person: str) -> tuple[Window, ...]:
        there = plant.calendar(people[person].calendar).windows(*span)
        away = [(absence.start, absence.end) for absence in people[person].absences]
        return tuple(common_windows(alone(machine), without_windows(there, away)))

    found: dict[str, StepHours] = {}
    for step in (step for steps in plan.sequences.values() for step in steps):
        machine, person = step[0].machine, step[0].person
        known = [jobs[one.job_order] for one in step if one.job_order in jobs]
        needs = {plant.operation(job.item, job.operation).attendance for job in known}
        if person in people and needs - {Attendance.NONE}:
            both = together(machine, person)
            hours = StepHours(both, both if Attendance.ALL in needs else alone(machine))
            found.update(dict.fromkeys((one.job_order for one in step), hours))
    return found


def hours_of(
    one: PlannedOperation, windows: Mapping[str, Sequence[Window]], attended: Mapping[str, StepHours]
) -> StepHours:
    """Return when an operation can go on.

    Parameters
    ----------
    windows
        Working windows per machine: those of what nobody attends.
    attended
        As `attended_hours` returns them.
    """
    alone = tuple(windows.get(one.machine, ()))
    return attended.get(one.job_order) or StepHours(alone, alone)
