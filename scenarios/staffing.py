"""A plant that says which skills its operations need, but not when somebody attends them.

There a machine works only while someone is there who can run it. How many machines one person runs at a time is not
limited; a plant that wants this limited states `attendance`, and the open floor keeps to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from plant.calendar import WorkingTime
from plant.floor_model import FloorModel
from plant.item import Attendance, Operation
from plant.plant import Machine, Plant


def staffed(model: FloorModel) -> FloorModel:
    """Return the floor on which machines stand while nobody is there who can run them.

    Left as they are: machines with an operation that states attendance, machines on which nothing is made, those whose
    skills nobody has, since they need nobody, and the floor of a plant without people.
    """
    if not model.plant.people:
        return model
    calendars = dict(model.calendars)
    machines = [_staffed(model, machine, calendars) for machine in model.plant.machines]
    return replace(model, plant=replace(model.plant, machines=tuple(machines)), calendars=calendars)


def _staffed(model: FloorModel, machine: Machine, calendars: dict[str, WorkingTime]) -> Machine:
    """Return the machine with a calendar, added to `calendars`, that leaves out when nobody is there."""
    operations = _operations(model.plant, machine)
    skills = {operation.skill for operation in operations}
    if any(operation.attendance is not Attendance.NONE for operation in operations):
        return machine
    able = [person.id for person in model.plant.people if not skills.isdisjoint(person.skills)]
    if not able:
        return machine
    calendar = f"{machine.calendar} with {', '.join(able)}"
    if calendar not in calendars:
        calendars[calendar] = calendars[machine.calendar].common(_someone(model.people, able))
    return replace(machine, calendar=calendar)


def _operations(plant: Plant, machine: Machine) -> list[Operation]:
    return [
        operation for item in plant.items for operation in item.routing if operation.capability in machine.capabilities
    ]


def _someone(people: Mapping[str, WorkingTime], able: list[str]) -> WorkingTime:
    """Return when at least one of them is there."""
    spans = sorted(span for name in able for span in zip(people[name].starts, people[name].ends, strict=True))
    merged = [spans[0]]
    for start, end in spans[1:]:
        before, until = merged[-1]
        merged[-1:] = [(before, max(until, end))] if start <= until else [(before, until), (start, end)]
    return WorkingTime.of(merged)
