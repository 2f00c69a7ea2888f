"""One more shift, every week on the same days."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import time, timedelta
from typing import ClassVar

from plant.calendar import Break, Shift
from plant.checks import require
from plant.folder_table import DAYS, Table, parse_time
from scenarios.case import Case
from scenarios.changes.change import all_or_known, listed, optional_texts

_LOOK_AHEAD = timedelta(weeks=4)


@dataclass(frozen=True)
class ExtraShift:
    """Machines and people work a shift more.

    Attributes
    ----------
    days
        Weekdays on which it begins, Monday = 0.
    start, end
        Local times; an `end` not after `start` means it ends on the next day.
    machines, people
        Ids of those who work it; none named means all.
    """

    KIND: ClassVar[str] = "extra_shift"

    days: tuple[int, ...]
    start: time
    end: time
    breaks: tuple[Break, ...] = ()
    machines: tuple[str, ...] = ()
    people: tuple[str, ...] = ()

    @classmethod
    def read(cls, table: Table) -> ExtraShift | None:
        """See `Change`."""
        days = tuple(dict.fromkeys(_day(table, name) for name in table.texts("days")))
        start, end = table.time("start"), table.time("end")
        breaks = table.each("breaks", _break)
        machines, people = optional_texts(table, "machines"), optional_texts(table, "people")

        def build() -> ExtraShift:
            Shift("extra", days, start, end, breaks)  # refuses a break outside it
            return cls(days, start, end, breaks, machines, people)

        return table.make(build)

    def apply(self, case: Case) -> Case:
        """See `Change`; refused where it adds no working time to any of them within four weeks."""
        machines = all_or_known("machine", self.machines, (one.id for one in case.plant.machines))
        people = all_or_known("person", self.people, (one.id for one in case.plant.people))
        shift = Shift(f"extra {self.start:%H:%M}", self.days, self.start, self.end, self.breaks)
        changed = case.with_calendars(
            lambda calendar: replace(calendar, shifts=(*calendar.shifts, shift)) if calendar.shifts else calendar,
            machines,
            people,
        )
        require(
            _hours(changed, machines, people) > _hours(case, machines, people),
            f"the shift {self.start:%H:%M}-{self.end:%H:%M} adds no working time to {listed(machines, 'any machine')} "
            f"nor to {listed(people, 'anybody')}: they work then already; choose other days or times",
        )
        return changed

    def told(self) -> str:
        """See `Change`."""
        days = ", ".join(DAYS[day] for day in self.days)
        who = listed(self.machines, "all machines")
        return f"extra shift {days} {self.start:%H:%M}-{self.end:%H:%M} on {who}"


def _hours(case: Case, machines: tuple[str, ...], people: tuple[str, ...]) -> float:
    until = case.now + _LOOK_AHEAD
    calendars = [case.plant.machine(name).calendar for name in machines] + [
        case.person(name).calendar for name in people
    ]
    return sum(case.working_h(calendar, case.now, until) for calendar in calendars)


def _day(table: Table, name: str) -> int:
    if name in DAYS:
        return DAYS.index(name)
    table.problem("days", f"must be of {', '.join(DAYS)}, not {name!r}")
    return 0


def _break(text: str) -> Break:
    start, dash, end = text.partition("-")
    if not dash:
        raise ValueError(f"must be a break such as 09:00-09:15, not {text!r}")
    return Break(parse_time(start.strip()), parse_time(end.strip()))
