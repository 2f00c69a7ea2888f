"""What machines made, as columns, and which of it counts in a period."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plant.calendar import Window
from plant.checks import require, require_aware, require_not_negative
from twin.partition import Rows, Shifts
from twin.state_log import Micros, micros, micros_of_seconds

Quantities = NDArray[np.int64]


@dataclass(frozen=True)
class PieceCount:
    """Pieces a machine has finished since its last count.

    Attributes
    ----------
    planned_s
        Planned run time per piece (PRI) of the operation they went through, in seconds.
    rework
        Pieces that are not good yet but can be made good.
    attempt
        0 when they went through the operation for the first time, 1 and more when they were reworked.
    """

    at: datetime
    good: int
    scrap: int
    planned_s: float
    rework: int = 0
    attempt: int = 0

    def __post_init__(self) -> None:
        require_aware("at", self.at)
        require(
            min(self.good, self.scrap, self.rework) >= 0,
            f"counts never go back: {self.good} good, {self.scrap} scrap, {self.rework} to rework",
        )
        require(self.attempt >= 0, f"attempt must be at least 0, not {self.attempt!r}")
        require_not_negative("planned_s", self.planned_s)


@dataclass(frozen=True, eq=False)
class PieceLog:
    """Counts of pieces, each column of shape (n,).

    Attributes
    ----------
    machines
        Names; `machine` holds places in it.
    at_us
        When they were finished, in microseconds since 1970.
    good, scrap, rework, attempt, planned_s
        As in `PieceCount`.
    """

    machines: tuple[str, ...]
    machine: NDArray[np.intp]
    at_us: Micros
    good: Quantities
    scrap: Quantities
    rework: Quantities
    attempt: Quantities
    planned_s: NDArray[np.float64]

    @staticmethod
    def of_counts(counts: Mapping[str, Iterable[PieceCount]]) -> PieceLog:
        """Return the log of counts by machine."""
        rows = [(place, count) for place, one in enumerate(counts.values()) for count in one]
        return PieceLog(
            tuple(counts),
            np.array([place for place, _ in rows], dtype=np.intp),
            np.array([micros(count.at) for _, count in rows], dtype=np.int64),
            np.array([count.good for _, count in rows], dtype=np.int64),
            np.array([count.scrap for _, count in rows], dtype=np.int64),
            np.array([count.rework for _, count in rows], dtype=np.int64),
            np.array([count.attempt for _, count in rows], dtype=np.int64),
            np.array([count.planned_s for _, count in rows], dtype=np.float64),
        )

    @staticmethod
    def of_seconds(
        machines: Sequence[str],
        machine: ArrayLike,
        at_s: ArrayLike,
        good: ArrayLike,
        scrap: ArrayLike,
        planned_s: ArrayLike,
        epoch: datetime,
        *,
        rework: ArrayLike = 0,
        attempt: ArrayLike = 0,
    ) -> PieceLog:
        """Return the log of simulated columns; a single value stands for a whole column.

        Raises
        ------
        InvalidInput
            If a machine's place does not exist, or a quantity or time is negative or not finite.
        """
        at_us = micros_of_seconds(at_s, epoch)
        places = np.asarray(machine, dtype=np.intp)
        whole = [
            np.broadcast_to(np.asarray(one, dtype=np.int64), at_us.shape) for one in (good, scrap, rework, attempt)
        ]
        planned = np.broadcast_to(np.asarray(planned_s, dtype=np.float64), at_us.shape)
        require(places.shape == at_us.shape, f"columns must have one length, not {places.shape} and {at_us.shape}")
        require(bool(((places >= 0) & (places < len(machines))).all()), f"a place must be 0 to {len(machines) - 1}")
        require(bool(np.isfinite(np.asarray(at_s, dtype=np.float64)).all()), "at_s must be finite")
        require(all(bool((one >= 0).all()) for one in whole), "good, scrap, rework and attempt must be at least 0")
        require(bool((np.isfinite(planned) & (planned >= 0)).all()), "planned_s must be finite and at least 0")
        return PieceLog(tuple(machines), places, at_us, whole[0], whole[1], whole[2], whole[3], planned)

    def by_machine(self) -> dict[str, PieceLog]:
        """Return the counts of each machine, in their order."""
        order = np.argsort(self.machine, kind="stable")
        ends = np.searchsorted(self.machine[order], np.arange(len(self.machines) + 1))
        return {name: self.where(order[a:b]) for name, a, b in zip(self.machines, ends, ends[1:], strict=False)}

    def where(self, rows: Rows | NDArray[np.intp]) -> PieceLog:
        """Return the counts in `rows`: places, or whether each is wanted."""
        return PieceLog(
            self.machines,
            self.machine[rows],
            self.at_us[rows],
            self.good[rows],
            self.scrap[rows],
            self.rework[rows],
            self.attempt[rows],
            self.planned_s[rows],
        )

    def within(self, period: Window) -> PieceLog:
        """Return what was finished in a period: its end belongs to it and its start does not."""
        return self.where((self.at_us > micros(period[0])) & (self.at_us <= micros(period[1])))

    def within_shifts(self, shifts: Shifts) -> Rows:
        """Tell of each count whether it was finished in working time, the moment of closing included."""
        return shifts.hold_before(self.at_us)

    @property
    def produced(self) -> Quantities:
        """Pieces of each count, good or not."""
        return self.good + self.scrap + self.rework
