"""Changeovers take longer or shorter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from plant.checks import require, require_not_negative
from plant.folder_table import Table
from plant.plant import SetupMatrix
from scenarios.case import Case
from scenarios.changes.change import all_or_known, listed, optional_texts


@dataclass(frozen=True)
class SetupTimes:
    """All changeovers of the setup matrices (none named: all) times `factor`; 0 makes them free."""

    KIND: ClassVar[str] = "setup_time"

    factor: float
    matrices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require_not_negative("factor", self.factor)
        require(self.factor != 1, "a factor of 1 changes nothing; give another")

    @classmethod
    def read(cls, table: Table) -> SetupTimes | None:
        """See `Change`."""
        factor, matrices = table.number("factor"), optional_texts(table, "setup_matrices")
        return table.make(lambda: cls(factor, matrices))

    def apply(self, case: Case) -> Case:
        """See `Change`."""
        named = all_or_known("setup matrix", self.matrices, (one.id for one in case.plant.setup_matrices))
        matrices = tuple(self._scaled(one) if one.id in named else one for one in case.plant.setup_matrices)
        return replace(case, plant=replace(case.plant, setup_matrices=matrices))

    def _scaled(self, matrix: SetupMatrix) -> SetupMatrix:
        times = tuple(replace(one, duration_s=one.duration_s * self.factor) for one in matrix.times)
        return replace(matrix, default_s=matrix.default_s * self.factor, times=times)

    def told(self) -> str:
        """See `Change`."""
        return f"changeovers take {self.factor:g} times as long ({listed(self.matrices, 'everywhere')})"
