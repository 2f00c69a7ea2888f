"""One more machine, like one that is there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from plant.checks import require, require_positive, require_text
from plant.errors import NotFound
from plant.folder_table import Table, unknown
from scenarios.case import Case


@dataclass(frozen=True)
class NewMachine:
    """A machine `id` beside the machine `like`: the same but for its speed and its calendar, where they are given."""

    KIND: ClassVar[str] = "new_machine"

    id: str
    like: str
    speed: float | None = None
    calendar: str | None = None

    def __post_init__(self) -> None:
        require_text("id", self.id)
        if self.speed is not None:
            require_positive("speed", self.speed)

    @classmethod
    def read(cls, table: Table) -> NewMachine | None:
        """See `Change`."""
        id_, like = table.text("id"), table.text("like")
        speed = table.number("speed", positive=True) if table.has("speed") else None
        calendar = table.text("calendar") if table.has("calendar") else None
        return table.make(lambda: cls(id_, like, speed, calendar))

    def apply(self, case: Case) -> Case:
        """See `Change`; refused where the id is taken."""
        plant = case.plant
        taken = [machine.id for machine in plant.machines]
        require(self.id not in taken, f"there is a machine {self.id} already; taken are {', '.join(taken)}")
        model = plant.machine(self.like)
        calendars = [calendar.id for calendar in plant.calendars]
        calendar = self.calendar or model.calendar
        if calendar not in calendars:
            raise NotFound(unknown("calendar", calendar, calendars))
        fresh = replace(
            model, id=self.id, name=f"{model.name} (new)", speed=self.speed or model.speed, calendar=calendar
        )
        return replace(case, plant=replace(plant, machines=(*plant.machines, fresh)))

    def told(self) -> str:
        """See `Change`."""
        speed = "" if self.speed is None else f", speed {self.speed:g}"
        return f"a new machine {self.id} like {self.like}{speed}"
