"""What a scenario is applied to: a plant, its orders, how far they are, and the floor as it stands."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from plant.calendar import Calendar
from plant.checks import require
from plant.errors import InvalidInput, NotFound
from plant.folder_table import Table, parse_moment, unknown
from plant.order import CustomerOrder, JobProgress, JobState
from plant.plant import Machine, Person, Plant
from plant.snapshot import Snapshot

_OFFSET = re.compile(r"\+ ?(\d+(?:\.\d+)?) ?(min|h|d)")
_UNITS = {"min": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True)
class Case:
    """A base, or a base with changes: everything one run of the twin needs but its luck.

    Attributes
    ----------
    snapshot
        The floor at the moment from which the future is told; `at` is that moment.
    progress
        Job orders that are no longer waiting. All others follow from `orders` and the plant's bills of material.
    rule
        Name of the dispatching rule (`twin.rules`) of every machine; None: as the plant says.
    until
        When to stop looking; None: when every order is complete. Arrivals without end need it.
    """

    plant: Plant
    orders: tuple[CustomerOrder, ...]
    snapshot: Snapshot
    progress: tuple[JobProgress, ...] = ()
    rule: str | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        require(self.until is None or self.until > self.now, f"a case that is looked at until {self.until} is over")
        ids = [order.id for order in self.orders]
        require(len(set(ids)) == len(ids), "a case holds each customer order once")
        strange = sorted({one.job.customer_order for one in self.progress} - set(ids))
        require(not strange, f"job orders of customer orders that the case does not hold: {', '.join(strange[:5])}")

    @property
    def now(self) -> datetime:
        """The moment from which the future is told, UTC."""
        return self.snapshot.at

    @property
    def rules(self) -> tuple[str, ...]:
        """Names of the dispatching rules the machines go by."""
        if self.rule is not None:
            return (self.rule,)
        return tuple(sorted({machine.rule or self.plant.rule for machine in self.plant.machines}))

    @property
    def begun(self) -> frozenset[str]:
        """Customer orders of which a job order is running or complete."""
        kinds = (JobState.RUNNING, JobState.COMPLETED)
        return frozenset(one.job.customer_order for one in self.progress if one.state in kinds)

    def order(self, order_id: str) -> CustomerOrder:
        """Return a customer order, or raise `NotFound` with those that are known."""
        for order in self.orders:
            if order.id == order_id:
                return order
        raise NotFound(unknown("order", order_id, [order.id for order in self.orders]))

    def person(self, person_id: str) -> Person:
        """Return a person of the plant, or raise `NotFound` with those that are known."""
        for person in self.plant.people:
            if person.id == person_id:
                return person
        raise NotFound(unknown("person", person_id, [person.id for person in self.plant.people]))

    def with_machine(self, machine: Machine) -> Case:
        """Return the case with the machine of that id replaced."""
        machines = tuple(machine if one.id == machine.id else one for one in self.plant.machines)
        return replace(self, plant=replace(self.plant, machines=machines))

    def with_orders(self, change: Callable[[CustomerOrder], CustomerOrder]) -> Case:
        """Return the case with every order put through `change`."""
        return replace(self, orders=tuple(change(order) for order in self.orders))

    def with_calendars(
        self, change: Callable[[Calendar], Calendar], machines: Collection[str], people: Collection[str]
    ) -> Case:
        """Return the case in which these machines and people have a changed calendar, and nobody else."""
        calendars = {calendar.id: calendar for calendar in self.plant.calendars}

        def changed(owner: str, calendar_id: str) -> str:
            id_ = f"of {owner}"
            calendars[id_] = replace(change(calendars[calendar_id]), id=id_)
            return id_

        plant = replace(
            self.plant,
            machines=tuple(
                replace(one, calendar=changed(one.id, one.calendar)) if one.id in machines else one
                for one in self.plant.machines
            ),
            people=tuple(
                replace(one, calendar=changed(one.id, one.calendar)) if one.id in people else one
                for one in self.plant.people
            ),
        )
        return replace(self, plant=replace(plant, calendars=tuple(calendars.values())))

    def working_h(self, calendar_id: str, start: datetime, end: datetime) -> float:
        """Return the working hours of a calendar within [start, end)."""
        calendar = next(one for one in self.plant.calendars if one.id == calendar_id)
        return sum((b - a).total_seconds() for a, b in calendar.windows(start, end)) / 3600


@dataclass(frozen=True)
class When:
    """A moment as scenarios give it: the plant's local time, or a distance from the base's now.

    Attributes
    ----------
    text
        ``"2026-01-06T10:00"``, or ``"+90 min"``, ``"+4 h"``, ``"+2 d"``.
    """

    text: str

    def __post_init__(self) -> None:
        if _OFFSET.fullmatch(self.text):
            return
        try:
            parse_moment(self.text, ZoneInfo("UTC"))
        except ValueError:
            raise InvalidInput(
                f"must be a local time such as 2026-01-06T10:00 or a distance from now such as '+90 min', '+4 h' "
                f"or '+2 d', not {self.text!r}"
            ) from None

    @staticmethod
    def read(table: Table, name: str, default: str | None = None) -> When:
        """Read the moment `name` of a table; a wrong one is noted there and now is returned."""
        text = table.text(name, default)
        try:
            return When(text or "+0 h")
        except InvalidInput as error:
            table.problem(name, str(error))
            return When("+0 h")

    def moment(self, case: Case) -> datetime:
        """Return the moment in a case, UTC.

        Raises
        ------
        InvalidInput
            If the plant's clocks skip that local time.
        """
        if offset := _OFFSET.fullmatch(self.text):
            return case.now + timedelta(**{_UNITS[offset[2]]: float(offset[1])})
        try:
            return parse_moment(self.text, ZoneInfo(case.plant.timezone))
        except ValueError as error:
            raise InvalidInput(str(error)) from None
