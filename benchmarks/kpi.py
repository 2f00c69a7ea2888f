"""How many state intervals a second become times and KPIs.

The detail names a plain numpy pass that only sums durations by state: it knows no shifts, gaps or micro-stops and is
the least anybody could do with the log.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import numpy as np

from benchmarks.figures import Figure, in_turn, significant
from plant.calendar import Window
from twin.kpi import kpis
from twin.pieces import PieceLog
from twin.state_log import STATES, StateLog
from twin.tally import Tally, tallies

SEED = 20260105
EPOCH = datetime(2026, 1, 5, tzinfo=UTC)
MACHINES = 20
INTERVAL_S = 30.0


def run(quick: bool) -> Iterable[Figure]:
    """Yield `kpi_rate`: 1,000,000 state intervals of 20 machines in two shifts."""
    intervals, repeats = (200_000, 5) if quick else (1_000_000, 15)
    states, pieces, windows, period = factory(intervals)
    found: list[dict[str, Tally]] = []
    times = in_turn(
        {
            "kpis": lambda: found.append(tallies(states, pieces, windows, period)),
            "plain": lambda: plain_sums(states),
        },
        repeats,
    )
    total = sum(found[-1].values(), Tally())
    assert total.calendar_s == MACHINES * (period[1] - period[0]).total_seconds()
    kpis_s = statistics.median(times["kpis"])
    yield Figure(
        "kpi_rate",
        intervals / kpis_s,
        "1/s",
        ">= 1000000",
        {
            "intervals": intervals,
            "machines": MACHINES,
            "kpis_s": significant(kpis_s),
            "plain_s": significant(statistics.median(times["plain"])),
            "oee": significant(kpis(total).oee or 0.0),
        },
    )


def factory(intervals: int) -> tuple[StateLog, PieceLog, dict[str, list[Window]], Window]:
    """Return a drawn log of machines that change their state every half minute, with one piece an interval."""
    chance = np.random.default_rng(SEED)
    names = [f"M{number:02}" for number in range(MACHINES)]
    each = intervals // MACHINES
    machine, start_s = np.repeat(np.arange(MACHINES), each), np.tile(np.arange(each) * INTERVAL_S, MACHINES)
    state, has_job = chance.integers(0, len(STATES), len(machine)), chance.random(len(machine)) < 0.8
    states = StateLog.of_seconds(names, machine, state, has_job, start_s, start_s + INTERVAL_S, EPOCH)
    good = chance.random(len(machine)) < 0.98
    pieces = PieceLog.of_seconds(names, machine, start_s + INTERVAL_S / 2, good, ~good, 2.0, EPOCH)
    end = EPOCH + timedelta(seconds=each * INTERVAL_S)
    days = range((end - EPOCH).days + 1)
    own = [(EPOCH + timedelta(days=day, hours=6), EPOCH + timedelta(days=day, hours=22)) for day in days]
    return states, pieces, dict.fromkeys(names, own), (EPOCH, end)


def plain_sums(states: StateLog) -> np.ndarray:
    """Return the durations by machine and state, shape (machines x states,)."""
    key = states.machine * len(STATES) + states.state
    return np.bincount(key, weights=states.finish_us - states.start_us)
