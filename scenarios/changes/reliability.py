"""Machines fail more or less often, or are repaired faster or slower."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from plant.checks import require, require_positive
from plant.folder_table import Table
from plant.plant import Reliability
from scenarios.case import Case
from scenarios.changes.change import all_or_known, listed, optional_texts


@dataclass(frozen=True)
class ReliabilityChange:
    """Mean times between failures and to repair of machines (none named: all that fail), each times a factor."""

    KIND: ClassVar[str] = "reliability"

    machines: tuple[str, ...] = ()
    between_failures: float = 1.0
    repair: float = 1.0

    def __post_init__(self) -> None:
        require_positive("between_failures_factor", self.between_failures)
        require_positive("repair_factor", self.repair)
        require((self.between_failures, self.repair) != (1, 1), "both factors are 1: that changes nothing; give one")

    @classmethod
    def read(cls, table: Table) -> ReliabilityChange | None:
        """See `Change`."""
        machines = optional_texts(table, "machines")
        between = table.number("between_failures_factor", 1.0, positive=True)
        repair = table.number("repair_factor", 1.0, positive=True)
        return table.make(lambda: cls(machines, between, repair))

    def apply(self, case: Case) -> Case:
        """See `Change`; refused for a named machine that has no reliability to change."""
        named = all_or_known("machine", self.machines, (one.id for one in case.plant.machines))
        sound = [one.id for one in case.plant.machines if one.reliability is None and one.id in named]
        require(
            not sound or (not self.machines and len(sound) < len(named)),
            f"{', '.join(sound)} never fail in this plant: there is no reliability to change",
        )
        for machine in case.plant.machines:
            if machine.id in named and machine.reliability is not None:
                case = case.with_machine(replace(machine, reliability=self._changed(machine.reliability)))
        return case

    def _changed(self, reliability: Reliability) -> Reliability:
        between, repair = reliability.time_between_failures, reliability.time_to_repair
        return Reliability(
            replace(between, mean=between.mean * self.between_failures), replace(repair, mean=repair.mean * self.repair)
        )

    def told(self) -> str:
        """See `Change`."""
        who = listed(self.machines, "all machines")
        return f"{who}: {self.between_failures:g} times the time between failures, {self.repair:g} times the repair"
