"""Overall equipment effectiveness by ISO 22400-2: times and quantities that add up, and ratios made of the sums.

Within the planned busy time (PBT: the calendar's working time in the period) every second belongs to one time::

    machine state               with a job   without one
    executing                   APT          APT          actual production time
    setup                       AUST         AUST         actual unit setup time
    unknown, offline            unknown      unknown      kept apart: neither worked nor stood, as far as is known
    any other                   ADET         ADOT         actual unit delay time / down time

so PBT = APT + AUST + ADET + ADOT + unknown. What a machine does outside its calendar is no part of PBT: executing
there is kept as `overtime_s`, and pieces made there count neither for nor against it. The whole time model, with
what ADET and ADOT consist of, is `twin.partition`; all other KPIs are in `twin.kpi`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import numpy as np

from plant.calendar import Window
from plant.checks import require
from plant.machine_state import StateInterval
from twin.partition import DELAYS, DOWNS, Shifts, TimeClass, micro_stops, partition
from twin.pieces import PieceCount, PieceLog
from twin.state_log import Micros, StateLog

__all__ = ["PieceCount", "Times", "times_of"]


@dataclass(frozen=True)
class Times:
    """Summed times and quantities; machines and periods are added, ratios never averaged.

    Attributes
    ----------
    pbt_s, apt_s, aust_s, adet_s, adot_s, unknown_s
        Planned busy time and its parts, in seconds.
    overtime_s
        Executing outside PBT, in seconds.
    planned_run_s
        Sum over items of planned run time per piece times pieces produced.
    good, scrap, rework
        Pieces produced within PBT; produced = good + scrap + rework. A piece to be reworked is counted each time
        it goes through.
    valuable_s
        Sum over items of planned run time per piece times good pieces.
    """

    pbt_s: float = 0.0
    apt_s: float = 0.0
    aust_s: float = 0.0
    adet_s: float = 0.0
    adot_s: float = 0.0
    unknown_s: float = 0.0
    overtime_s: float = 0.0
    planned_run_s: float = 0.0
    good: int = 0
    scrap: int = 0
    rework: int = 0
    valuable_s: float = 0.0

    def __add__(self, other: Times) -> Times:
        return Times(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))

    @property
    def produced(self) -> int:
        """Pieces produced, good or not."""
        return self.good + self.scrap + self.rework

    @property
    def availability(self) -> float | None:
        """Availability (ISO 22400-2:2014): APT / PBT; None without any planned busy time."""
        return _ratio(self.apt_s, self.pbt_s)

    @property
    def effectiveness(self) -> float | None:
        """Effectiveness (ISO 22400-2:2014): PRI x PQ, summed over items, / APT; None without production time."""
        return _ratio(self.planned_run_s, self.apt_s)

    @property
    def quality_ratio(self) -> float | None:
        """Quality ratio (ISO 22400-2:2014): GQ / PQ; None if nothing was produced."""
        return _ratio(self.good, self.produced)

    @property
    def oee(self) -> float | None:
        """OEE index (ISO 22400-2:2014): availability x effectiveness x quality ratio.

        0 if nothing was produced, None without planned busy time.

        Multiplied out, so that a machine that stood all the time has an OEE.
        """
        if self.pbt_s <= 0:
            return None
        return self.planned_run_s / self.pbt_s * (self.quality_ratio or 0.0)

    @property
    def nee(self) -> float | None:
        """NEE index (ISO 22400-2:2014): AUPT / PBT x effectiveness x quality ratio, where AUPT = APT + AUST."""
        busy = _ratio(self.apt_s + self.aust_s, self.pbt_s)
        return None if busy is None else busy * (self.effectiveness or 0.0) * (self.quality_ratio or 0.0)

    @property
    def allocation(self) -> float | None:
        """Allocation efficiency (ISO 22400-2:2014): AUBT / PBT; a unit is busy (AUBT) whenever it has a job."""
        return _ratio(self.apt_s + self.aust_s + self.adet_s, self.pbt_s)

    @property
    def utilisation(self) -> float | None:
        """Utilization efficiency (ISO 22400-2:2014): APT / AUBT."""
        return _ratio(self.apt_s, self.apt_s + self.aust_s + self.adet_s)

    @property
    def setup_ratio(self) -> float | None:
        """Setup ratio (ISO 22400-2:2014): AUST / AUPT."""
        return _ratio(self.aust_s, self.apt_s + self.aust_s)

    @property
    def technical_efficiency(self) -> float | None:
        """Technical efficiency (ISO 22400-2:2014): APT / (APT + ADET)."""
        return _ratio(self.apt_s, self.apt_s + self.adet_s)


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def times_of(
    intervals: Iterable[StateInterval], counts: Iterable[PieceCount], windows: Sequence[Window], period: Window
) -> Times:
    """Return the times and quantities of one machine in a period.

    Parameters
    ----------
    intervals
        State intervals of one machine, in any order, without overlap; an open one lasts to the period's end.
        Working time that none covers is unknown.
    counts
        What it produced. A piece belongs to the window in which it was finished, the closing moment included and
        the opening one not, so that adjacent periods add up.
    windows
        Working time of its calendar; what lies outside the period is cut off.
    period
        From, to; a period that is not over ends now.

    Raises
    ------
    InvalidInput
        If intervals overlap or are of several machines.
    """
    log = StateLog.of_intervals(intervals)
    require(len(log.machines) <= 1, f"intervals of {' and '.join(log.machines[:2])}: add up the times of each machine")
    log.require_disjoint()
    machine = log.machines[0] if log.machines else ""
    shifts = Shifts.of(windows, period)
    cut = partition(log, machine, shifts, period, micro_stops(log, 0.0))
    made = PieceLog.of_counts({machine: counts}).within(period)
    return times_from(cut.sums_us(), made.where(made.within_shifts(shifts)))


def times_from(sums_us: Micros, made: PieceLog) -> Times:
    """Return the times of a partition's sums, and the quantities of what was made in working time."""

    def seconds(*classes: TimeClass) -> float:
        return int(sums_us[list(classes)].sum()) / 1e6

    return Times(
        pbt_s=seconds(*(one for one in TimeClass if one.in_shift)),
        apt_s=seconds(TimeClass.PRODUCTION),
        aust_s=seconds(TimeClass.SETUP),
        adet_s=seconds(*DELAYS),
        adot_s=seconds(*DOWNS),
        unknown_s=seconds(TimeClass.UNKNOWN),
        overtime_s=seconds(TimeClass.OVERTIME),
        planned_run_s=float(np.sum(made.planned_s * made.produced)),
        good=int(made.good.sum()),
        scrap=int(made.scrap.sum()),
        rework=int(made.rework.sum()),
        valuable_s=float(np.sum(made.planned_s * made.good)),
    )
