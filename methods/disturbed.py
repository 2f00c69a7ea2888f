"""The plant and its job orders as they are with what people reported: who is away, what comes late, what is stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from plant.item import ItemKind
from plant.order import JobProgress, JobState
from plant.plant import Absence, PlannedStop, Plant

_BEGUN = {JobState.RUNNING, JobState.COMPLETED}


def with_absences(plant: Plant, absences: Mapping[str, Absence]) -> Plant:
    """Return the plant with people away as reported; one who is not of the plant changes nothing."""
    people = tuple(
        replace(one, absences=(*one.absences, absences[one.id])) if one.id in absences else one for one in plant.people
    )
    return plant if people == plant.people else replace(plant, people=people)


def with_planned_stops(plant: Plant, stops: Mapping[str, PlannedStop]) -> Plant:
    """Return the plant with machines stopped as planned: each of them has a calendar of its own, closed meanwhile."""
    calendars = {one.id: one for one in plant.calendars}
    machines = []
    for machine in plant.machines:
        stop = stops.get(machine.id)
        if stop is not None:
            name = f"{machine.calendar} of {machine.id}"
            usual = calendars[machine.calendar]
            calendars[name] = replace(usual, id=name, closures=(*usual.closures, (stop.start, stop.end)))
            machine = replace(machine, calendar=name)
        machines.append(machine)
    return replace(plant, calendars=tuple(calendars.values()), machines=tuple(machines)) if stops else plant


def with_late_materials(
    plant: Plant, jobs: Sequence[JobProgress], expected: Mapping[str, datetime]
) -> list[JobProgress]:
    """Return the job orders, those that wait for an item released when it is `expected`; what has begun has it."""
    return [_released(one, until) if (until := _awaited(plant, one, expected)) else one for one in jobs]


def waiting_for(plant: Plant, jobs: Sequence[JobProgress], expected: Mapping[str, datetime]) -> dict[str, datetime]:
    """Return those of the `expected` items for which a job order has to wait."""
    return {item: at for item, at in expected.items() if any(_awaited(plant, one, {item: at}) for one in jobs)}


def _released(one: JobProgress, at: datetime) -> JobProgress:
    return replace(one, job=replace(one.job, release_at=at))


def _awaited(plant: Plant, one: JobProgress, expected: Mapping[str, datetime]) -> datetime | None:
    """Return when the last late material of a job order is expected, if that is after its release."""
    if one.state in _BEGUN or not expected:
        return None
    late = [one.job.release_at]
    for line in plant.item(one.job.item).bom:
        part = plant.item(line.item)
        missing = part.kind is ItemKind.PURCHASED and part.stock < one.job.quantity * line.quantity
        if line.item in expected and missing:
            late.append(expected[line.item])
    return max(late) if max(late) > one.job.release_at else None
