"""The whole plant stands still: a power cut, a typhoon, a holiday."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import ClassVar

from plant.checks import require, require_positive
from plant.folder_table import Table
from scenarios.case import Case, When


@dataclass(frozen=True)
class PlantClosed:
    """No machine works for `for_h` clock hours from `start` on."""

    KIND: ClassVar[str] = "plant_closed"

    start: When
    for_h: float

    def __post_init__(self) -> None:
        require_positive("for_h", self.for_h)

    @classmethod
    def read(cls, table: Table) -> PlantClosed | None:
        """See `Change`."""
        start, for_h = When.read(table, "from", "+0 h"), table.number("for_h", positive=True)
        return table.make(lambda: cls(start, for_h))

    def apply(self, case: Case) -> Case:
        """See `Change`; refused where the plant would be closed anyway."""
        begin = self.start.moment(case)
        end = begin + timedelta(hours=self.for_h)
        require(
            end > case.now and bool(case.plant.open_windows(max(begin, case.now), end)),
            f"the plant is closed from {self.start.text} on for {self.for_h:g} h anyway; choose a time when it works",
        )
        everyone = [person.id for person in case.plant.people]
        return case.with_calendars(
            lambda calendar: replace(calendar, closures=(*calendar.closures, (begin, end))),
            [machine.id for machine in case.plant.machines],
            everyone,
        )

    def told(self) -> str:
        """See `Change`."""
        return f"the plant is closed from {self.start.text} on for {self.for_h:g} h"
