"""What KPIs are made of: times, quantities and counts per machine and period, which are added up before any ratio.

The same function answers for the real and the simulated floor: `twin.state_log.StateLog` and `twin.pieces.PieceLog`
are made from the historian's rows or from a simulation's columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields

import numpy as np

from plant.calendar import Window
from plant.checks import require_not_negative
from twin.oee import Times, times_from
from twin.partition import Rows, Shifts, TimeClass, failure_starts_us, micro_stops, partition, setup_ends_us
from twin.pieces import PieceLog
from twin.state_log import Micros, StateLog, micros


@dataclass(frozen=True)
class Thresholds:
    """What tells small from large.

    Attributes
    ----------
    micro_stop_s
        A stop shorter than this is a micro-stop; see `twin.partition.micro_stops`. TPM calls stops of less than
        five to ten minutes minor.
    startup_s
        Bad pieces finished within this many clock seconds after a changeover are startup rejects; none by default.
    """

    micro_stop_s: float = 300.0
    startup_s: float = 0.0

    def __post_init__(self) -> None:
        require_not_negative("micro_stop_s", self.micro_stop_s)
        require_not_negative("startup_s", self.startup_s)


@dataclass(frozen=True)
class Stops:
    """Seconds in which a machine stood within its planned busy time, by why."""

    idle_s: float = 0.0
    starved_s: float = 0.0
    blocked_s: float = 0.0
    held_s: float = 0.0
    planned_stop_s: float = 0.0
    breakdown_s: float = 0.0
    micro_stop_s: float = 0.0

    def __add__(self, other: Stops) -> Stops:
        return Stops(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    @property
    def total_s(self) -> float:
        """All of them."""
        return float(sum(getattr(self, one.name) for one in fields(self)))


@dataclass(frozen=True)
class Tally:
    """Sums of one machine and period, or of several of them.

    Attributes
    ----------
    calendar_s
        The period: PBT, overtime and closed time together.
    closed_s, overtime_setup_s
        Outside of the shift: time without any work, and in changeovers; `times.overtime_s` is the rest of it.
    delays, downs
        What ADET (with a job) and ADOT (without one) consist of.
    failures
        Breakdowns that began in the period, at whatever time of the day.
    first_pass, inspected
        Pieces that went through for the first time, good ones and all.
    startup_run_s
        Planned run time of the startup rejects.
    overtime_good, overtime_produced
        Pieces made outside of the shift.
    energy_kwh
        None when one of the machines is not metered.
    """

    calendar_s: float = 0.0
    closed_s: float = 0.0
    overtime_setup_s: float = 0.0
    times: Times = field(default_factory=Times)
    delays: Stops = field(default_factory=Stops)
    downs: Stops = field(default_factory=Stops)
    failures: int = 0
    first_pass: int = 0
    inspected: int = 0
    startup_run_s: float = 0.0
    overtime_good: int = 0
    overtime_produced: int = 0
    energy_kwh: float | None = 0.0

    def __add__(self, other: Tally) -> Tally:
        summed = {
            one.name: getattr(self, one.name) + getattr(other, one.name)
            for one in fields(self)
            if one.name != "energy_kwh"
        }
        metered = self.energy_kwh is not None and other.energy_kwh is not None
        energy_kwh = (self.energy_kwh or 0.0) + (other.energy_kwh or 0.0) if metered else None
        return Tally(**summed, energy_kwh=energy_kwh)

    @property
    def stops(self) -> Stops:
        """Stops with and without a job."""
        return self.delays + self.downs


def tallies(
    states: StateLog,
    pieces: PieceLog,
    windows: Mapping[str, Sequence[Window]],
    period: Window,
    thresholds: Thresholds | None = None,
    energy_kwh: Mapping[str, float] | None = None,
) -> dict[str, Tally]:
    """Return the tally of every machine that `windows` names; ``sum(found.values(), Tally())`` adds them up.

    Parameters
    ----------
    states
        What the machines were doing, without overlap. Intervals may reach past the period, and should where a
        stop does: whether it is a micro-stop depends on all of it.
    pieces
        What they made. A piece belongs to the period and the shift at whose end, or before, it was finished.
    windows
        Working time by machine, breaks left out; what lies outside the period is cut off.
    energy_kwh
        Energy by machine in the period; a machine that is left out is not metered.

    Raises
    ------
    InvalidInput
        If intervals of a machine overlap; `StateLog.settled` makes a log of other origin fit.
    """
    limits = thresholds or Thresholds()
    states.require_disjoint()
    micro = micro_stops(states, limits.micro_stop_s)
    made = pieces.within(period).by_machine()
    none = PieceLog.of_counts({})
    known = energy_kwh or {}
    return {
        machine: _tally(states, machine, made.get(machine, none), own, period, micro, limits, known.get(machine))
        for machine, own in windows.items()
    }


def _tally(
    states: StateLog,
    machine: str,
    pieces: PieceLog,
    windows: Sequence[Window],
    period: Window,
    micro: Rows,
    limits: Thresholds,
    energy_kwh: float | None,
) -> Tally:
    shifts = Shifts.of(windows, period)
    sums_us = partition(states, machine, shifts, period, micro).sums_us()
    counted = pieces.within_shifts(shifts)
    made, outside = pieces.where(counted), pieces.where(~counted)
    first = made.attempt == 0
    failed_us = failure_starts_us(states, machine)
    starting = _follows_setup(made.at_us, setup_ends_us(states, machine), limits.startup_s)
    return Tally(
        calendar_s=int(sums_us.sum()) / 1e6,
        closed_s=_seconds(sums_us, TimeClass.CLOSED),
        overtime_setup_s=_seconds(sums_us, TimeClass.OVERTIME_SETUP),
        times=times_from(sums_us, made),
        delays=_stops(sums_us, "DELAY"),
        downs=_stops(sums_us, "DOWN"),
        failures=int(np.count_nonzero((failed_us >= micros(period[0])) & (failed_us < micros(period[1])))),
        first_pass=int(made.good[first].sum()),
        inspected=int(made.produced[first].sum()),
        startup_run_s=float(np.sum((made.planned_s * made.scrap)[starting])),
        overtime_good=int(outside.good.sum()),
        overtime_produced=int(outside.produced.sum()),
        energy_kwh=energy_kwh,
    )


def _seconds(sums_us: Micros, one: TimeClass) -> float:
    return int(sums_us[one]) / 1e6


def _stops(sums_us: Micros, within: str) -> Stops:
    by_name = {one.name.removeprefix(f"{within}_").lower(): _seconds(sums_us, one) for one in TimeClass}
    return Stops(**{one.name: by_name.get(one.name.removesuffix("_s"), 0.0) for one in fields(Stops)})


def _follows_setup(at_us: Micros, ends_us: Micros, startup_s: float) -> Rows:
    """Tell of each moment whether a changeover ended within `startup_s` before it."""
    index = np.searchsorted(ends_us, at_us, side="left") - 1
    if not len(ends_us) or startup_s <= 0:
        return np.zeros(len(at_us), dtype=np.bool_)
    since_us = at_us - ends_us[np.maximum(index, 0)]
    return (index >= 0) & (since_us <= round(startup_s * 1e6))
