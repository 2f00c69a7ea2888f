"""A machine stands still for some hours."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import ClassVar

from plant.checks import require, require_positive
from plant.folder_table import Table
from scenarios.case import Case, When


@dataclass(frozen=True)
class MachineDown:
    """`machine` does no work for `for_h` clock hours from `start` on; whoever decides what to do next knows of it."""

    KIND: ClassVar[str] = "machine_down"

    machine: str
    start: When
    for_h: float

    def __post_init__(self) -> None:
        require_positive("for_h", self.for_h)

    @classmethod
    def read(cls, table: Table) -> MachineDown | None:
        """See `Change`."""
        machine, start = table.text("machine"), When.read(table, "from", "+0 h")
        for_h = table.number("for_h", positive=True)
        return table.make(lambda: cls(machine, start, for_h))

    def apply(self, case: Case) -> Case:
        """See `Change`; refused where the machine would not have worked in that time anyway."""
        machine = case.plant.machine(self.machine)
        begin = max(self.start.moment(case), case.now)
        end = self.start.moment(case) + timedelta(hours=self.for_h)
        require(
            end > begin and case.working_h(machine.calendar, begin, end) > 0,
            f"{machine.id} has no working time from {self.start.text} on for {self.for_h:g} h: being down then changes "
            f"nothing; choose a time within its calendar {machine.calendar!r}",
        )
        return case.with_calendars(
            lambda calendar: replace(calendar, closures=(*calendar.closures, (begin, end))), {machine.id}, ()
        )

    def told(self) -> str:
        """See `Change`."""
        return f"{self.machine} is down from {self.start.text} on for {self.for_h:g} h"
