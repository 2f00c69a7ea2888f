"""How far the floor is from the plan in force, and what else the plan may not have reckoned with. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from methods.disturbed import waiting_for
from plant.order import CustomerOrder, JobProgress, JobState, Priority
from plant.plan import Plan
from plant.plant import Absence, PlannedStop, Plant
from plant.trouble import Tolerances, Troubles

_SCRAP = 2
"""Bad pieces of a job order that make a plan stale, at least, if it has that many pieces."""

_TO_BEGIN = {JobState.WAITING, JobState.DISPATCHED}


@dataclass(frozen=True)
class Floor:
    """What deviations are looked for in, as it stands at `now`.

    Attributes
    ----------
    plant
        Without the reported absences.
    plan
        The plan in force, None when there is none.
    broken
        Machines that are broken down: what waits for them is not late by itself.
    absences, expected, stops
        As reported: by person; when deliveries come, by item; by machine.
    """

    plant: Plant
    now: datetime
    orders: Sequence[CustomerOrder]
    jobs: Sequence[JobProgress]
    plan: Plan | None
    broken: frozenset[str]
    absences: Mapping[str, Absence]
    expected: Mapping[str, datetime]
    stops: Mapping[str, PlannedStop] = field(default_factory=dict)


def deviations(floor: Floor, tolerances: Tolerances) -> Troubles:
    """Return the delays, rush orders, absences, late materials, scrap and planned stops of the floor."""
    left = {one.job.customer_order for one in floor.jobs if one.state is not JobState.COMPLETED}
    known = {one.id: absence for one in floor.plant.people for absence in one.absences if absence.end > floor.now}
    return Troubles(
        delays=_delays(floor, tolerances.delay_s),
        rush_orders={one.id: one.due_at for one in floor.orders if one.priority is Priority.HIGH and one.id in left},
        absences={**known, **floor.absences},
        late_materials=waiting_for(floor.plant, floor.jobs, floor.expected),
        planned_stops=floor.stops,
        scrap={
            one.job.id: one.scrap
            for one in floor.jobs
            if one.job.customer_order in left and _is_beyond_plan(floor.plant, one, tolerances.scrap)
        },
    )


def _is_beyond_plan(plant: Plant, one: JobProgress, tolerance: float) -> bool:
    """Tell whether more pieces are bad than planned and tolerated; a single one is no trend, unless it is all."""
    planned = plant.operation(one.job.item, one.job.operation).scrap_ratio
    return one.scrap > (planned + tolerance) * one.job.quantity and one.scrap >= min(_SCRAP, one.job.quantity)


def _delays(floor: Floor, tolerance_s: float) -> dict[str, datetime]:
    """Return the job orders that are behind by themselves: they run too long, or nothing is there to wait for."""
    if floor.plan is None:
        return {}
    by_id = {one.job.id: one for one in floor.jobs}
    busy = {one.machine for one in floor.jobs if one.state is JobState.RUNNING}
    found: dict[str, datetime] = {}
    for planned in floor.plan.operations:
        one = by_id.get(planned.job_order)
        if one is None or planned.machine in floor.broken:
            continue
        if one.state is JobState.RUNNING:
            expected_s = planned.end_s
        elif one.state in _TO_BEGIN and planned.machine not in busy and _has_all(one, by_id):
            expected_s = planned.start_s
        else:
            continue
        expected = floor.plan.epoch + timedelta(seconds=expected_s)
        if _open_s(floor.plant, planned.machine, expected, floor.now) > tolerance_s:
            found[planned.job_order] = expected
    return _first_of_each_machine(floor.plan, found)


def _first_of_each_machine(plan: Plan, found: Mapping[str, datetime]) -> dict[str, datetime]:
    """Return the delays without those that only stand behind another one on their machine."""
    first: dict[str, str] = {}
    for name in sorted(found, key=found.__getitem__):
        first.setdefault(plan.by_job_order[name].machine, name)
    return {name: found[name] for name in first.values()}


def _has_all(one: JobProgress, by_id: Mapping[str, JobProgress]) -> bool:
    return all(by_id[name].state is JobState.COMPLETED for name in one.job.predecessors if name in by_id)


def _open_s(plant: Plant, machine: str, start: datetime, end: datetime) -> float:
    """Return the working seconds of a machine between two moments."""
    windows = plant.calendar_of(machine).windows(start, end)
    return sum((closes - opens).total_seconds() for opens, closes in windows)
