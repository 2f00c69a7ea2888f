"""A machine works faster or slower than it does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from plant.checks import require, require_positive
from plant.folder_table import Table
from scenarios.case import Case


@dataclass(frozen=True)
class MachineSpeed:
    """The speed of `machine` times `factor`: above 1 its processing times get shorter."""

    KIND: ClassVar[str] = "machine_speed"

    machine: str
    factor: float

    def __post_init__(self) -> None:
        require_positive("factor", self.factor)
        require(self.factor != 1, "a factor of 1 changes nothing; give another")

    @classmethod
    def read(cls, table: Table) -> MachineSpeed | None:
        """See `Change`."""
        machine, factor = table.text("machine"), table.number("factor", positive=True)
        return table.make(lambda: cls(machine, factor))

    def apply(self, case: Case) -> Case:
        """See `Change`."""
        machine = case.plant.machine(self.machine)
        return case.with_machine(replace(machine, speed=machine.speed * self.factor))

    def told(self) -> str:
        """See `Change`."""
        return f"{self.machine} works {self.factor:g} times as fast"
