"""Someone is not there for a while."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import ClassVar

from plant.checks import require, require_positive
from plant.folder_table import Table
from scenarios.case import Case, When


@dataclass(frozen=True)
class PersonAbsent:
    """`person` is away for `for_days` days of 24 hours from `start` on."""

    KIND: ClassVar[str] = "person_absent"

    person: str
    start: When
    for_days: float

    def __post_init__(self) -> None:
        require_positive("for_days", self.for_days)

    @classmethod
    def read(cls, table: Table) -> PersonAbsent | None:
        """See `Change`."""
        person, start = table.text("person"), When.read(table, "from", "+0 h")
        for_days = table.number("for_days", positive=True)
        return table.make(lambda: cls(person, start, for_days))

    def apply(self, case: Case) -> Case:
        """See `Change`; refused where they would not have worked in that time anyway."""
        person = case.person(self.person)
        begin = self.start.moment(case)
        end = begin + timedelta(days=self.for_days)
        begin = max(begin, case.now)
        require(
            end > begin and case.working_h(person.calendar, begin, end) > 0,
            f"{person.id} has no shift from {self.start.text} on for {self.for_days:g} days; choose a time when they "
            f"would be there (calendar {person.calendar!r})",
        )
        return case.with_calendars(
            lambda calendar: replace(calendar, closures=(*calendar.closures, (begin, end))), (), {person.id}
        )

    def told(self) -> str:
        """See `Change`."""
        return f"{self.person} is absent from {self.start.text} on for {self.for_days:g} days"
