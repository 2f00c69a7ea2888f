"""Overtime: some hours are worked once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import ClassVar

from plant.checks import require, require_positive
from plant.folder_table import Table
from scenarios.case import Case, When
from scenarios.changes.change import all_or_known, listed, optional_texts


@dataclass(frozen=True)
class Overtime:
    """Machines and people (none named: all) also work for `for_h` clock hours from `start` on."""

    KIND: ClassVar[str] = "overtime"

    start: When
    for_h: float
    machines: tuple[str, ...] = ()
    people: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require_positive("for_h", self.for_h)

    @classmethod
    def read(cls, table: Table) -> Overtime | None:
        """See `Change`."""
        start, for_h = When.read(table, "from"), table.number("for_h", positive=True)
        machines, people = optional_texts(table, "machines"), optional_texts(table, "people")
        return table.make(lambda: cls(start, for_h, machines, people))

    def apply(self, case: Case) -> Case:
        """See `Change`; refused where all of them work then anyway, or the time is over."""
        machines = all_or_known("machine", self.machines, (one.id for one in case.plant.machines))
        people = all_or_known("person", self.people, (one.id for one in case.plant.people))
        begin = self.start.moment(case)
        end = begin + timedelta(hours=self.for_h)
        begin = max(begin, case.now)
        calendars = [case.plant.machine(name).calendar for name in machines]
        calendars += [case.person(name).calendar for name in people]
        all_h = (end - begin).total_seconds() / 3600
        require(
            all_h > 0 and any(case.working_h(calendar, begin, end) < all_h for calendar in calendars),
            f"overtime from {self.start.text} on for {self.for_h:g} h adds nothing: {listed(machines, 'no machine')} "
            "work then anyway, or that time is over",
        )
        return case.with_calendars(
            lambda calendar: replace(calendar, overtime=(*calendar.overtime, (begin, end))), machines, people
        )

    def told(self) -> str:
        """See `Change`."""
        return f"overtime from {self.start.text} on for {self.for_h:g} h on {listed(self.machines, 'all machines')}"
