"""Meters: what a machine has run up by a moment, as a broken line over clock time, compiled.

One counts working seconds that are paid extra, another one the cost of the energy a machine draws while it is open.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from plant.work import MachineOutlook, Work
from scheduler.compiled import Floats, Whole, compiled
from scheduler.refusal import LONGEST_S

_HOUR_S = 3600.0


_Line = tuple[Floats, Floats]
"""Moments, ascending, and what was run up by then."""


class Meters(NamedTuple):
    """Broken lines, one behind the other.

    Attributes
    ----------
    edge
        Where each one's points begin; the last edge ends them.
    at, value
        Points: clock seconds, ascending, and what was run up by then. Before the first and behind the last nothing
        is run up.
    """

    edge: Whole
    at: Floats
    value: Floats


@compiled
def read(meters: Meters, meter: int, at_s: float) -> float:
    """Return what a meter shows at a moment."""
    low, high = meters.edge[meter], meters.edge[meter + 1] - 1
    if at_s <= meters.at[low]:
        return float(meters.value[low])
    if at_s >= meters.at[high]:
        return float(meters.value[high])
    while high - low > 1:
        middle = (low + high) // 2
        if meters.at[middle] <= at_s:
            low = middle
        else:
            high = middle
    share = (at_s - meters.at[low]) / (meters.at[high] - meters.at[low])
    return float(meters.value[low] + share * (meters.value[high] - meters.value[low]))


def meters_of(work: Work) -> tuple[Meters, Whole, Whole]:
    """Return the meters of a work, and which one counts overtime and energy of each machine; -1 for none."""
    lines: list[_Line] = []
    known: dict[tuple[int, float], int] = {}
    overtime, energy = [], []
    for machine in work.machines.values():
        overtime.append(_numbered(lines, _overtime(machine)))
        same = (id(machine.working_time), machine.power_kw)  # machines of one kind share calendar and power
        if same not in known:
            known[same] = _numbered(lines, _energy(machine, work.energy_prices))
        energy.append(known[same])
    at, value = (np.concatenate([np.zeros(0), *(line[part] for line in lines)]) for part in (0, 1))
    edge = np.cumsum([0, *(len(line[0]) for line in lines)]).astype(np.int64)
    return Meters(edge, at, value), np.array(overtime, np.int64), np.array(energy, np.int64)


def _numbered(lines: list[_Line], line: _Line | None) -> int:
    if line is None:
        return -1
    lines.append(line)
    return len(lines) - 1


def _overtime(machine: MachineOutlook) -> _Line | None:
    if not machine.overtime:
        return None
    begins, ends = (np.array(moments, float) for moments in zip(*sorted(machine.overtime), strict=True))

    def rate(at_s: Floats) -> Floats:
        return np.asarray(begins.searchsorted(at_s, "right") > ends.searchsorted(at_s, "right"), float)

    return _line(machine, np.concatenate([begins, ends]), rate)


def _energy(machine: MachineOutlook, prices: Sequence[tuple[float, float]]) -> _Line | None:
    if machine.power_kw == 0 or not prices:
        return None
    turns, per_kwh = (np.array(column, float) for column in zip(*prices, strict=True))
    per_s = np.concatenate([[0.0], per_kwh]) * machine.power_kw / _HOUR_S

    def rate(at_s: Floats) -> Floats:
        return np.asarray(per_s[turns.searchsorted(at_s, "right")])

    return _line(machine, turns, rate)


def _line(machine: MachineOutlook, turns: Floats, rate: Callable[[Floats], Floats]) -> _Line:
    """Return what runs up at `rate(moments)` while a machine is open; the rate changes at `turns` only."""
    open_ = machine.working_time
    starts, ends = np.array(open_.starts), np.minimum(open_.ends, LONGEST_S)
    at = np.unique(np.concatenate([[0.0], turns, starts, ends]))
    is_open = starts.searchsorted(at[:-1], "right") > ends.searchsorted(at[:-1], "right")
    return at, np.concatenate([[0.0], np.cumsum(np.diff(at) * np.where(is_open, rate(at[:-1]), 0.0))])
