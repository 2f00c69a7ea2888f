"""The twin: replay with calendars, people and failures against plain numpy, and ten thousand operations with draws.

The plain pass is what numpy alone takes for the graph: per step, gather the finishes of what it waits for, take
their maximum, add the time it takes. It knows no calendars, people or failures; it is the floor to stand on.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from benchmarks.figures import Figure, in_turn, median_ratio, significant
from benchmarks.replay import plain_pass, simulated_s
from plant.calendar import WorkingTime
from plant.distribution import Distribution, Family, exponential
from plant.item import Attendance
from plant.plan import Plan, PlannedOperation
from plant.plant import Reliability, SetupMatrix, SetupTime
from plant.work import MachineOutlook, OrderDemand, PersonOutlook, Task, Work
from twin.draws import Draws
from twin.graph import graph_of
from twin.luck import draw
from twin.program import program_of
from twin.replay import replay
from twin.replay import run as run_replay

SEED = 20260105
STEPS = 10
FAMILIES = ("red", "blue", "green")
HOUR_S = 3600.0
DAYS = 400


def run(quick: bool) -> Iterable[Figure]:
    """Yield the twin's figures."""
    for figure in FIGURES:
        yield figure(quick)


def replay_ratio(quick: bool) -> Figure:
    """2,000 operations x 1,000 replications with calendars, people and failures."""
    operations, replications = 2000, 1000
    repeats, simulated = (7, 2) if quick else (31, 10)
    work, plan = shop(operations // STEPS)
    draws = Draws(SEED, replications)
    nodes = graph_of(work, plan)
    program = program_of(work, nodes)
    luck = draw(work, nodes, draws)
    began = time.perf_counter()
    replayed = run_replay(work, nodes, program, luck, SEED)
    first_s = time.perf_counter() - began
    times = in_turn(
        {
            "replay": lambda: run_replay(work, nodes, program, luck, SEED),
            "plain": lambda: plain_pass(nodes, luck.processing_s),
        },
        repeats,
    )
    replay_s = statistics.median(times["replay"])
    simulate_s = simulated_s(work, plan, draws, replayed, simulated) * replications
    return Figure(
        "replay_ratio",
        median_ratio(times["replay"], times["plain"]),
        "1",
        "<= 5",
        {
            "operations": operations,
            "replications": replications,
            "attended": sum(node.person is not None for node in nodes),
            "failures_per_replication": significant(sum(len(each.repairs_s) for each in luck.failures.values())),
            "replay_s": significant(replay_s),
            "plain_s": significant(statistics.median(times["plain"])),
            "first_call_s": significant(first_s),
            "compile_s": significant(compile_s()),
            "simulate_s": significant(simulate_s),
            "factor_over_simulate": significant(simulate_s / replay_s),
            "repeats": repeats,
        },
    )


def replay_10k(quick: bool) -> Figure:
    """10,000 operations x 1,000 replications from work and plan to finishes, draws included."""
    operations, replications = 10_000, 1000
    work, plan = shop(operations // STEPS)
    parts: dict[str, list[float]] = {"graph_s": [], "draws_s": [], "walk_s": []}
    totals = []
    replay(work, plan, Draws(SEED, 1))  # loads the compiled kernel: its time is replay_ratio's first_call_s
    for _ in range(2 if quick else 5):
        taken = [time.perf_counter()]
        nodes = graph_of(work, plan)
        program = program_of(work, nodes)
        taken.append(time.perf_counter())
        luck = draw(work, nodes, Draws(SEED, replications))
        taken.append(time.perf_counter())
        run_replay(work, nodes, program, luck, SEED)
        taken.append(time.perf_counter())
        for name, seconds in zip(parts, np.diff(taken), strict=True):
            parts[name].append(float(seconds))
        totals.append(taken[-1] - taken[0])
    return Figure(
        "replay_10k_s",
        statistics.median(totals),
        "s",
        "<= 3",
        {
            "operations": operations,
            "replications": replications,
            **{name: significant(statistics.median(seconds)) for name, seconds in parts.items()},
            "repeats": len(totals),
        },
    )


FIGURES: list[Callable[[bool], Figure]] = [replay_ratio, replay_10k]
"""What `run` yields, in this order."""


@dataclass
class _Places:
    """Where the next step of each machine goes."""

    next: dict[str, int]

    def take(self, machine: str) -> int:
        place = self.next.get(machine, 0)
        self.next[machine] = place + 1
        return place


def shop(orders: int) -> tuple[Work, Plan]:
    """Orders of ten operations in a shop that works two shifts, and a plan that takes them layer by layer.

    A machine stands for every hundred operations. It fails every 40 hours of processing and changes over between
    families; two thirds of the operations are attended, half of these for the changeover only, by people of whom
    there is one for two machines.
    """
    shape = np.random.default_rng(SEED)
    count = max(orders // 10, 2)
    machines = {f"M{number:03}": _machine(f"M{number:03}", number) for number in range(count)}
    people = {f"P{number:03}": PersonOutlook(f"P{number:03}", _shifts(12.0)) for number in range(max(count // 2, 1))}
    tasks = [
        Task(
            f"O{order}/1-{step}",
            f"O{order}",
            "item",
            str(step),
            10,
            (f"O{order}/1-{step - 1}",) if step else (),
            {f"M{shape.integers(count):03}": float(shape.integers(600, 7200))},
            str(shape.choice(FAMILIES)),
            variation=0.3,
            attendance=(Attendance.NONE, Attendance.SETUP, Attendance.ALL)[shape.integers(3)],
        )
        for order in range(orders)
        for step in range(STEPS)
    ]
    demands = {f"O{order}": OrderDemand(f"O{order}", 0.0) for order in range(orders)}
    work = Work(datetime(2026, 1, 5, 5, tzinfo=UTC), tuple(tasks), machines, demands, people)
    places, operations = _Places({}), []
    for step in range(STEPS):
        for order in shape.permutation(orders):
            machine = next(iter(work.by_id[f"O{order}/1-{step}"].durations_s))
            person = f"P{int(machine[1:]) // 2 % len(people):03}"
            start_s = float(len(operations))  # only its order matters: who attends what first
            operations.append(
                PlannedOperation(f"O{order}/1-{step}", machine, places.take(machine), start_s, start_s, person=person)
            )
    return work, Plan(work.epoch, tuple(operations))


def _machine(name: str, number: int) -> MachineOutlook:
    times = tuple(SetupTime(a, b, 600.0) for a in FAMILIES for b in FAMILIES if a != b)
    reliability = Reliability(exponential(40 * HOUR_S), Distribution(Family.LOGNORMAL, 2 * HOUR_S, 0.8))
    return MachineOutlook(
        name,
        _shifts(10.0 + number % 3),
        SetupMatrix("m", 600.0, times),
        reliability=reliability,
        setup_family="red",
    )


def _shifts(hours: float) -> WorkingTime:
    """Two halves a day around a break."""
    day_s, half_s = 24 * HOUR_S, hours / 2 * HOUR_S
    windows = []
    for day in range(DAYS):
        begins_s = day * day_s
        windows += [(begins_s, begins_s + half_s), (begins_s + half_s + 1800.0, begins_s + 2 * half_s + 1800.0)]
    return WorkingTime.of(windows)


def compile_s() -> float:
    """Return what the kernel's import and first call take where nothing of it was kept from before."""
    with tempfile.TemporaryDirectory() as folder:
        found = subprocess.run(
            [sys.executable, "-c", _FIRST_CALL],
            env={**os.environ, "NUMBA_CACHE_DIR": folder},
            check=True,
            capture_output=True,
            text=True,
        )
    return float(found.stdout)


_FIRST_CALL = """
import time
from benchmarks.twin import SEED, shop
from twin.draws import Draws
from twin.replay import replay

work, plan = shop(2)
began = time.perf_counter()
replay(work, plan, Draws(SEED, 1))
print(time.perf_counter() - began)
"""
