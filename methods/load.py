"""Planned work against capacity, per machine and per skill, day by day or week by week."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from methods.work import HORIZON, working_time
from plant.calendar import Window, WorkingTime, without_windows
from plant.item import Attendance
from plant.order import JobOrder
from plant.plan import Plan, PlannedOperation
from plant.plant import Plant

_MOST_DAYS = 21
"""A plan that is longer is told by the week."""


@dataclass(frozen=True)
class Load:
    """Seconds by period: what a machine is to process and to change over, or what people with a skill are to attend.

    Attributes
    ----------
    resource
        Id of the machine, or the skill.
    capacity_s
        Working time; of a skill that of everybody who has it, so who has several counts for each of them.
    """

    resource: str
    work_s: tuple[float, ...]
    setup_s: tuple[float, ...]
    capacity_s: tuple[float, ...]

    @property
    def share(self) -> float | None:
        """Planned part of the capacity over all periods; None where there is no capacity."""
        capacity_s = sum(self.capacity_s)
        return (sum(self.work_s) + sum(self.setup_s)) / capacity_s if capacity_s > 0 else None


@dataclass(frozen=True)
class LoadProfile:
    """Loads by period; the first period begins with the plan."""

    periods: tuple[Window, ...] = ()
    machines: tuple[Load, ...] = ()
    skills: tuple[Load, ...] = ()


def load_profile(plant: Plant, plan: Plan, jobs: Mapping[str, JobOrder]) -> LoadProfile:
    """Return how a plan loads the plant: per local day, or per week from Monday on where it is long.

    Members of a batch count once. A skill counts while a step needs somebody: for its changeover, or for all of it.

    Parameters
    ----------
    plant
        With everybody's absences.
    jobs
        Job orders by id. What a plan holds besides loads its machine only.

    Raises
    ------
    NotFound
        If an item, operation or machine is unknown to the plant.
    Infeasible
        If a machine's calendar has no working time in sight.
    """
    floor = _Floor(plant, plan)
    periods = tuple(_periods(plan, ZoneInfo(plant.timezone)))
    edges = [floor.seconds(start) for start, _ in periods] + [floor.seconds(end) for _, end in periods[-1:]]
    machines = {machine.id: _Sums(edges) for machine in plant.machines}
    skills: dict[str, _Sums] = {}
    for step in (step for steps in plan.sequences.values() for step in steps):
        needs = _needs(plant, [jobs[one.job_order] for one in step if one.job_order in jobs])
        whole = Attendance.ALL in needs.values()
        machines[step[0].machine].add(floor, step, whole, Attendance.ALL)
        for skill, attendance in needs.items():
            if attendance is not Attendance.NONE:
                skills.setdefault(skill, _Sums(edges)).add(floor, step, whole, attendance)
    return LoadProfile(
        periods,
        tuple(sums.load(name, [floor.machines[name]]) for name, sums in machines.items()),
        tuple(skills[name].load(name, floor.with_skill(name)) for name in sorted(skills)),
    )


def _needs(plant: Plant, jobs: Sequence[JobOrder]) -> dict[str, Attendance]:
    """Return by skill for what of a step somebody must be there."""
    needs: dict[str, Attendance] = {}
    for job in jobs:
        operation = plant.operation(job.item, job.operation)
        if needs.get(operation.skill) is not Attendance.ALL and operation.attendance is not Attendance.NONE:
            needs[operation.skill] = operation.attendance
    return needs


def _periods(plan: Plan, zone: ZoneInfo) -> Iterator[Window]:
    """Yield local days, or weeks, from the plan's epoch on until it ends; none for a plan of nothing."""
    start, end = plan.epoch, plan.epoch + timedelta(seconds=plan.makespan_s)
    edge, step = start.astimezone(zone).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0), timedelta(1)
    if end - start > timedelta(_MOST_DAYS):
        edge, step = edge - timedelta(edge.weekday()), timedelta(7)
    while start < end:
        edge += step
        next_ = edge.replace(tzinfo=zone).astimezone(plan.epoch.tzinfo)
        yield start, next_
        start = next_


class _Floor:
    """Working times of machines and people, in seconds since the plan's epoch."""

    def __init__(self, plant: Plant, plan: Plan) -> None:
        self._plant, self._epoch = plant, plan.epoch
        self._horizon = max(HORIZON, timedelta(seconds=plan.makespan_s) + timedelta(weeks=1))
        known = cache(lambda name: working_time(plant.calendar(name), plan.epoch, self._horizon))
        self.machines: dict[str, WorkingTime] = {machine.id: known(machine.calendar) for machine in plant.machines}
        self._people = {person.id: person for person in plant.people}
        self._there = cache(self._times_of)  # of those who are asked for: a plant may have many, and need few
        self.of_step = cache(self._of_step)

    def seconds(self, moment: datetime) -> float:
        """Return `moment` as seconds since the epoch."""
        return (moment - self._epoch).total_seconds()

    def _times_of(self, name: str) -> WorkingTime | None:
        """Return when somebody is there, None for never."""
        person = self._people[name]
        away = [(absence.start, absence.end) for absence in person.absences]
        windows = self._plant.calendar(person.calendar).windows(self._epoch, self._epoch + self._horizon)
        left = without_windows(windows, away)
        return WorkingTime.of([(self.seconds(start), self.seconds(end)) for start, end in left]) if left else None

    def with_skill(self, skill: str) -> list[WorkingTime]:
        """Return the working times of everybody who has a skill and is there at all."""
        people = (person.id for person in self._plant.people if skill in person.skills)
        return [there for name in people if (there := self._there(name)) is not None]

    def _of_step(self, machine: str, person: str | None) -> WorkingTime:
        """Return when a machine works, with somebody (None: by itself)."""
        there = self._there(person) if person in self._people else None
        return self.machines[machine] if there is None else self.machines[machine].common(there)


class _Sums:
    """Seconds of work and of changeovers between edges, in seconds since the epoch."""

    def __init__(self, edges: Sequence[float]) -> None:
        self._edges = edges
        self._work_s = [0.0] * max(len(edges) - 1, 0)
        self._setup_s = list(self._work_s)

    def add(self, floor: _Floor, step: Sequence[PlannedOperation], whole: bool, attendance: Attendance) -> None:
        """Add a step's changeover and, unless only that is attended, its processing.

        Parameters
        ----------
        whole
            Whether its processing needs somebody, too, and pauses while they are away.
        """
        first, end_s = step[0], max(one.end_s for one in step)
        changing = floor.of_step(first.machine, first.person)
        if first.setup_s > 0:
            begun_s = changing.clock_at(changing.worked_at(first.start_s) - first.setup_s)
            self._spread(self._setup_s, changing, begun_s, first.start_s)
        if attendance is Attendance.ALL:
            self._spread(self._work_s, changing if whole else floor.machines[first.machine], first.start_s, end_s)

    def _spread(self, sums: list[float], time: WorkingTime, start_s: float, end_s: float) -> None:
        for place, (begins, ends) in enumerate(zip(self._edges, self._edges[1:], strict=False)):
            if begins < end_s and start_s < ends:
                sums[place] += time.worked_at(min(end_s, ends)) - time.worked_at(max(start_s, begins))

    def load(self, resource: str, times: Sequence[WorkingTime]) -> Load:
        """Return the sums beside what these working times offer."""
        capacity_s = (
            sum(time.worked_at(ends) - time.worked_at(begins) for time in times)
            for begins, ends in zip(self._edges, self._edges[1:], strict=False)
        )
        return Load(resource, tuple(self._work_s), tuple(self._setup_s), tuple(capacity_s))
