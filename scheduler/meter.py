"""Meters: what a machine has run up by a moment, as a broken line over clock time, compiled.

One counts working seconds that are paid extra, another one the cost of the energy a machine draws while it is open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from plant.work import MachineOutlook, Work
from scheduler.compiled import Floats, Whole, compiled
from scheduler.refusal import LONGEST_S

_HOUR_S = 3600.0


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
    lines: list[Sequence[tuple[float, float]]] = []
    overtime = [_numbered(lines, _overtime(machine)) for machine in work.machines.values()]
    energy = [_numbered(lines, _energy(machine, work.energy_prices)) for machine in work.machines.values()]
    points = np.array([point for line in lines for point in line] or [(0.0, 0.0)], float)
    edge = np.cumsum([0, *map(len, lines)]).astype(np.int64)
    return (
        Meters(edge, points[:, 0].copy(), points[:, 1].copy()),
        np.array(overtime, np.int64),
        np.array(energy, np.int64),
    )


def _numbered(lines: list[Sequence[tuple[float, float]]], line: Sequence[tuple[float, float]]) -> int:
    if not line:
        return -1
    lines.append(line)
    return len(lines) - 1


def _overtime(machine: MachineOutlook) -> Sequence[tuple[float, float]]:
    if not machine.overtime:
        return ()

    def rate(at_s: float) -> float:
        return 1.0 if any(begin <= at_s < end for begin, end in machine.overtime) else 0.0

    return _line(machine, (moment for span in machine.overtime for moment in span), rate)


def _energy(machine: MachineOutlook, prices: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    if machine.power_kw == 0 or not prices:
        return ()
    starts = np.array([start for start, _ in prices])

    def rate(at_s: float) -> float:
        place = int(starts.searchsorted(at_s, side="right")) - 1
        return machine.power_kw * prices[place][1] / _HOUR_S if place >= 0 else 0.0

    return _line(machine, starts.tolist(), rate)


def _line(
    machine: MachineOutlook, turns: Iterable[float], rate: Callable[[float], float]
) -> Sequence[tuple[float, float]]:
    """Return the points of what runs up at `rate(moment)` while a machine is open; the rate changes at `turns` only."""
    open_ = machine.working_time
    moments = sorted({*turns, *open_.starts, *(min(end, LONGEST_S) for end in open_.ends), 0.0})
    points = [(moments[0], 0.0)]
    for begin, end in pairwise(moments):
        worked_s = open_.worked_at(end) - open_.worked_at(begin)
        points.append((end, points[-1][1] + worked_s * rate(begin)))
    return points
