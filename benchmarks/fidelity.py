"""How soon the drift chart sees a shift, how seldom it is wrong, and how fast the live floor is restored.

Drift: a shift of the mean by 0.5 standard deviations after 2,000 cycles without one, in histories of four shapes and
both directions; `drift_arl1_cycles` is the mean delay of the worst of them. False alarms are counted over cycles of
the same shapes in which nothing changes. The details hold what theory says of the same chart (`twin.arl`).
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from benchmarks.figures import Figure, significant
from plant.machine_state import MachineState, packml_of
from plant.reading import Reading, Signal
from twin.arl import arl_from_zero, arl_steady, arl_two_sided, limit_for
from twin.drift import LIMIT, REFERENCE, SHIFT, DriftChart
from twin.floor import LiveFloor, StateTuple, derive

SEED = 20260105
HISTORY = 2000
SHAPES: dict[str, tuple[Callable[[np.random.Generator, int], NDArray[np.float64]], float, float]] = {
    "normal, cv 0.1": (lambda rng, n: rng.normal(10, 1, n), 10.0, 1.0),
    "lognormal, cv 0.3": (lambda rng, n: rng.lognormal(-np.log(1.09) / 2, np.log(1.09) ** 0.5, n), 1.0, 0.3),
    "gamma, cv 0.5": (lambda rng, n: rng.gamma(4, 0.25, n), 1.0, 0.5),
    "exponential": (lambda rng, n: rng.exponential(1, n), 1.0, 1.0),
}
"""Histories: sampler, mean and standard deviation."""
EVENTS = 100_000
MACHINES = 20


def run(quick: bool) -> Iterator[Figure]:
    """Yield `drift_arl1_cycles`, `drift_arl0_cycles` and `restore_s`."""
    yield _delays(150 if quick else 400)
    yield _false_alarms(60_000 if quick else 600_000)
    yield _restore(3 if quick else 11)


def _delays(runs: int) -> Figure:
    rng = np.random.default_rng(SEED)
    shifted = {
        f"{name}, {direction}": _delay(rng, name, lambda x, by=sign * SHIFT * shape[2]: x + by, runs)  # type: ignore[misc]
        for name, shape in SHAPES.items()
        for direction, sign in (("longer", 1), ("shorter", -1))
    }
    scaled = {
        f"{name}, by a factor": _delay(rng, name, lambda x, by=1 + SHIFT * shape[2] / shape[1]: x * by, runs // 2)  # type: ignore[misc]
        for name, shape in SHAPES.items()
    }
    young = {
        f"after {history}": _delay(rng, "normal, cv 0.1", lambda x: x + SHIFT, runs // 2, history)
        for history in (500, 1000)
    }
    return Figure(
        "drift_arl1_cycles",
        max(shifted.values()),
        "1",
        "<= 60",
        {
            "runs_each": runs,
            "history": HISTORY,
            **{name: round(value, 1) for name, value in (shifted | scaled | young).items()},
            "theory_worst_case": significant(arl_two_sided(LIMIT, REFERENCE, SHIFT)),
            "theory_after_long_history": significant(arl_steady(LIMIT, REFERENCE, SHIFT)),
            "theory_no_procedure_below": significant(
                arl_from_zero(limit_for(10_000, REFERENCE, two_sided=False), REFERENCE, SHIFT)
            ),
        },
    )


def _delay(
    rng: np.random.Generator, name: str, change: Callable[[float], float], runs: int, history: int = HISTORY
) -> float:
    """Return the mean number of cycles from a change to the alarm; histories with a false alarm are drawn again."""
    sample, delays = SHAPES[name][0], []
    while len(delays) < runs:
        chart = DriftChart()
        if any(chart.observe(cycle) for cycle in sample(rng, history).tolist()):
            continue
        delays.append(next(number for number, cycle in _endless(rng, sample) if chart.observe(change(cycle))))
    return statistics.fmean(delays)


def _endless(
    rng: np.random.Generator, sample: Callable[[np.random.Generator, int], NDArray[np.float64]]
) -> Iterator[tuple[int, float]]:
    number = 0
    while True:
        for cycle in sample(rng, 100).tolist():
            number += 1
            yield number, cycle


def _false_alarms(cycles: int) -> Figure:
    """Count alarms over `cycles` of each shape; charts are young again after each alarm, as in use."""
    alarms = {}
    for number, (name, (sample, _, _)) in enumerate(SHAPES.items()):
        rng = np.random.default_rng([SEED, number])
        chart = DriftChart()
        alarms[name] = sum(chart.observe(cycle) is not None for cycle in sample(rng, cycles).tolist())
    seen, total = sum(alarms.values()), cycles * len(SHAPES)
    return Figure(
        "drift_arl0_cycles",
        total / max(seen, 1),
        "1",
        ">= 10000",
        {
            "cycles": total,
            "alarms": alarms,
            "standard_error": significant(total / max(seen, 1) ** 1.5),
            "theory": significant(arl_two_sided(LIMIT, REFERENCE, 0.0)),
        },
    )


def _restore(repeats: int) -> Figure:
    events = _events()
    taken, busy, intervals = [], [], 0
    for _ in range(repeats):
        began, worked = time.perf_counter(), time.process_time()
        by_machine: dict[str, list[Reading]] = {}
        for event in events:
            by_machine.setdefault(event.machine, []).append(event)
        derived = {machine: derive(machine, StateTuple(), own) for machine, own in by_machine.items()}
        floor = LiveFloor().fold(derived, events)
        taken.append(time.perf_counter() - began)
        busy.append(time.process_time() - worked)
        intervals = sum(map(len, derived.values()))
        assert all(live.since is not None for live in floor.machines.values())
    return Figure(
        "restore_s",
        statistics.median(taken),
        "s",
        "<= 1",
        {
            "events": len(events),
            "machines": MACHINES,
            "intervals": intervals,
            "processor_s": significant(statistics.median(busy)),
            "max_s": significant(max(taken)),
        },
    )


def _events() -> list[Reading]:
    """State readings of the machines, one after the other in time: each tells one signal of a tuple that changed."""
    rng = np.random.default_rng(SEED)
    states = (MachineState.EXECUTING, MachineState.STARVED, MachineState.SETUP, MachineState.BREAKDOWN)
    start = datetime(2026, 1, 5, 5, tzinfo=UTC)
    return [reading for step in range(EVENTS // 4) for reading in _told(rng, states, start, step)]


def _told(rng: np.random.Generator, states: tuple[MachineState, ...], start: datetime, step: int) -> Iterable[Reading]:
    machine = f"site/area/center/M{step % MACHINES:02}"
    packml_state, mode, interlocks = packml_of(states[int(rng.integers(len(states)))])
    moment = start + timedelta(seconds=step)
    yield Reading(f"{machine}/{Signal.PACKML_STATE}", moment, float(packml_state))
    yield Reading(f"{machine}/{Signal.PACKML_MODE}", moment, float(mode))
    yield Reading(f"{machine}/{Signal.INTERLOCKS}", moment, float(interlocks))
    yield Reading(f"{machine}/{Signal.JOB_ORDER}", moment, f"J{step // (3 * MACHINES)}")
