"""Overall equipment effectiveness by ISO 22400-2: times and quantities that add up, and ratios made of the sums.

Within the planned busy time (PBT: the calendar's working time in the period) every second belongs to one time::

    machine state               with a job   without one
    executing                   APT          APT          actual production time
    setup                       AUST         AUST         actual unit setup time
    unknown, offline            unknown      unknown      kept apart: neither worked nor stood, as far as is known
    any other                   ADET         ADOT         actual unit delay time / down time

so PBT = APT + AUST + ADET + ADOT + unknown. What a machine does outside its calendar is no part of PBT: executing
there is kept as `overtime_s`, and pieces made there count neither for nor against it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from plant.calendar import Window, clip_windows, merge_windows
from plant.checks import require, require_aware, require_not_negative
from plant.machine_state import MachineState, StateInterval


@dataclass(frozen=True)
class PieceCount:
    """Pieces a machine has finished since its last count.

    Attributes
    ----------
    planned_s
        Planned run time per piece (PRI) of the operation they went through, in seconds.
    """

    at: datetime
    good: int
    scrap: int
    planned_s: float

    def __post_init__(self) -> None:
        require_aware("at", self.at)
        require(self.good >= 0 and self.scrap >= 0, f"counts never go back: {self.good} good, {self.scrap} scrap")
        require_not_negative("planned_s", self.planned_s)


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
    good, scrap
        Pieces produced within PBT; produced = good + scrap.
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

    def __add__(self, other: Times) -> Times:
        return Times(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))

    @property
    def produced(self) -> int:
        """Pieces produced, good or not."""
        return self.good + self.scrap

    @property
    def availability(self) -> float | None:
        """APT / PBT; None without any planned busy time."""
        return _ratio(self.apt_s, self.pbt_s)

    @property
    def effectiveness(self) -> float | None:
        """Planned run time of what was produced / APT; None without any production time."""
        return _ratio(self.planned_run_s, self.apt_s)

    @property
    def quality_ratio(self) -> float | None:
        """Good / produced; None if nothing was produced."""
        return _ratio(self.good, self.produced)

    @property
    def oee(self) -> float | None:
        """Availability x effectiveness x quality ratio; 0 if nothing was produced, None without planned busy time.

        Multiplied out, so that a machine that stood all the time has an OEE.
        """
        if self.pbt_s <= 0:
            return None
        return self.planned_run_s / self.pbt_s * (self.quality_ratio or 0.0)

    @property
    def nee(self) -> float | None:
        """Net equipment effectiveness: (APT + AUST) / PBT x effectiveness x quality ratio."""
        busy = _ratio(self.apt_s + self.aust_s, self.pbt_s)
        return None if busy is None else busy * (self.effectiveness or 0.0) * (self.quality_ratio or 0.0)

    @property
    def allocation(self) -> float | None:
        """Allocation ratio AUBT / PBT, where a unit is busy (AUBT) whenever it has a job."""
        return _ratio(self.apt_s + self.aust_s + self.adet_s, self.pbt_s)

    @property
    def utilisation(self) -> float | None:
        """Utilisation efficiency APT / AUBT."""
        return _ratio(self.apt_s, self.apt_s + self.aust_s + self.adet_s)

    @property
    def setup_ratio(self) -> float | None:
        """AUST / (APT + AUST)."""
        return _ratio(self.aust_s, self.apt_s + self.aust_s)

    @property
    def technical_efficiency(self) -> float | None:
        """APT / (APT + ADET)."""
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
    start, end = period
    open_windows = clip_windows(merge_windows(windows), start, end)
    sums = dict.fromkeys(("apt_s", "aust_s", "adet_s", "adot_s", "overtime_s"), 0.0)
    for interval, begin, finish in _clipped(intervals, start, end):
        inside = _overlap_s(open_windows, begin, finish)
        name = time_of(interval.state, interval.job_order is not None)
        if name in sums:
            sums[name] += inside
        if interval.state is MachineState.EXECUTING:
            sums["overtime_s"] += (finish - begin).total_seconds() - inside
    pbt_s = sum((close - opening).total_seconds() for opening, close in open_windows)
    unknown_s = pbt_s - (sums["apt_s"] + sums["aust_s"] + sums["adet_s"] + sums["adot_s"])
    made = [count for count in counts if any(opening < count.at <= close for opening, close in open_windows)]
    return Times(
        pbt_s=pbt_s,
        unknown_s=max(unknown_s, 0.0),
        planned_run_s=sum(count.planned_s * (count.good + count.scrap) for count in made),
        good=sum(count.good for count in made),
        scrap=sum(count.scrap for count in made),
        **sums,
    )


def time_of(state: MachineState, has_job: bool) -> str:
    """Return the field of `Times` to which working time in this state belongs: the second table of the design."""
    if state is MachineState.EXECUTING:
        return "apt_s"
    if state is MachineState.SETUP:
        return "aust_s"
    if state in (MachineState.UNKNOWN, MachineState.OFFLINE):
        return "unknown_s"
    return "adet_s" if has_job else "adot_s"


def _clipped(
    intervals: Iterable[StateInterval], start: datetime, end: datetime
) -> list[tuple[StateInterval, datetime, datetime]]:
    """Cut the intervals to the period and check that they are one machine's and do not overlap."""
    ordered = sorted(intervals, key=lambda interval: interval.started_at)
    last: StateInterval | None = None
    found = []
    for interval in ordered:
        if last is not None:
            require(
                interval.machine == last.machine,
                f"intervals of {last.machine} and {interval.machine}: add up the times of each machine",
            )
            require(
                last.ended_at is not None and last.ended_at <= interval.started_at,
                f"{interval.machine}: the interval from {interval.started_at} overlaps the one from {last.started_at}",
            )
        last = interval
        begin, finish = max(interval.started_at, start), min(interval.ended_at or end, end)
        if begin < finish:
            found.append((interval, begin, finish))
    return found


def _overlap_s(windows: Sequence[Window], start: datetime, end: datetime) -> float:
    return sum((close - opening).total_seconds() for opening, close in clip_windows(windows, start, end))
