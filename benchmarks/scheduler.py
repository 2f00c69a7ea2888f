"""The compiled search on published job shops, against the best known and against PyJobShop on the same cores.

An instance's gap is its objective over the best known upper bound, minus 1. Both sides get the same two cores, one
after the other. `--quick` takes four instances only, with the same limits: what a search finds in five seconds says
nothing of thirty. Instances are read from the folder that FORERUN_DATA names.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, significant
from scheduler.disjunctive import DisjunctiveProblem
from scheduler.job_shop_format import read_fjsp, read_jsp
from scheduler.job_shop_search import Limits, Result, search
from scheduler.warm_up import warm_up_job_shops

SEED = 1
CORES = 2
SECONDS, SOON_S, LARGE_SECONDS = 30.0, 5.0, 60.0

GROUPS = {
    "mk": [f"mk{number:02}" for number in range(1, 11)],
    "ta": ["ta01", "ta11", "ta21", "ta31", "ta41"],
    "behnke": ["behnke16", "behnke17", "behnke36", "behnke37", "behnke60"],
}
LARGE = {"tai_100_100_1": "<= 0.09", "dct-short-100-10000-1": "<= 0.02"}
QUICK = {"mk10", "ta41", "behnke60", "tai_100_100_1"}
REACH = {"mk": "<= 0.01", "ta": "<= 0.02", "behnke": "<= 0.06"}


@dataclass(frozen=True)
class Measured:
    """One instance: gaps after `SOON_S` and in the end, and that of PyJobShop (None: it found nothing)."""

    name: str
    soon: float
    gap: float
    other: float | None

    @property
    def won(self) -> bool:
        """Whether we were at least as good after `SOON_S` as PyJobShop in the end."""
        return self.other is None or self.soon <= self.other

    def told(self) -> str:
        """Return the gaps in per cent."""
        other = "nothing" if self.other is None else f"{self.other:.2%}"
        return f"{self.soon:.2%} after {SOON_S:g} s, {self.gap:.2%} after {SECONDS:g} s; PyJobShop {other}"


def run(quick: bool) -> Iterable[Figure]:
    """Yield the mean gap of each group, the share of wins, the gaps of large shops and the time to their first plan."""
    began = time.perf_counter()
    warm_up_job_shops()
    print(f"  compiled or loaded in {time.perf_counter() - began:.1f} s", file=sys.stderr)
    wins: list[Measured] = []
    for group, names in GROUPS.items():
        measured = [_measure(name) for name in names if not quick or name in QUICK]
        wins += measured
        yield _mean(group, measured, complete=len(measured) == len(names))
    mk10 = next(one for one in wins if one.name == "mk10")
    yield Figure("mk10_gap_30s", mk10.gap, "1", "<= 0.04", {"mk10": mk10.told()})
    won = statistics.mean(one.won for one in wins)
    lost = {one.name: one.told() for one in wins if not one.won}
    yield Figure("wins_5s", won, "1", "" if quick else ">= 0.85", {"instances": len(wins), "lost": lost})
    first_s = {}
    for name, reach in LARGE.items():
        if not quick or name in QUICK:
            first_s[name], figure = _large(name, reach)
            yield figure
    yield Figure("first_feasible_s plain", max(first_s.values()), "s", "<= 0.5", first_s)


def _mean(group: str, measured: Sequence[Measured], *, complete: bool) -> Figure:
    mean = statistics.mean(one.gap for one in measured)
    reach = REACH[group] if complete else ""
    return Figure(f"{group}_mean_gap_30s", mean, "1", reach, {one.name: one.told() for one in measured})


def _measure(name: str) -> Measured:
    problem, best = instance(name)
    result = search(problem, Limits(seconds=SECONDS, workers=CORES), SEED)
    other = pyjobshop(problem)
    measured = Measured(
        name, _at(result, SOON_S) / best - 1, result.objective / best - 1, None if other is None else other / best - 1
    )
    print(f"  {name}: {measured.told()}", file=sys.stderr, flush=True)
    return measured


def _at(result: Result, seconds: float) -> float:
    """Return the objective known after so many seconds."""
    return next(found for at, found in reversed(result.history) if at <= seconds)


def _large(name: str, reach: str) -> tuple[float, Figure]:
    """Return the seconds from its text to a first plan, and the gap in the end."""
    began = time.perf_counter()
    problem, best = instance(name)
    reading_s = time.perf_counter() - began
    result = search(problem, Limits(seconds=LARGE_SECONDS, workers=CORES), SEED)
    first_s = reading_s + result.history[0][0]
    detail = {f"after {at:g} s": significant(_at(result, at) / best - 1) for at in (2, 5, 10, 30)}
    detail |= {"first_s": significant(first_s), "first": significant(result.history[0][1] / best - 1)}
    return significant(first_s), Figure(f"large_gap_60s {name}", result.objective / best - 1, "1", reach, detail)


def instance(name: str) -> tuple[DisjunctiveProblem, int]:
    """Return an instance and the best known upper bound."""
    if "FORERUN_DATA" not in os.environ:
        raise SystemExit("the environment variable FORERUN_DATA is missing; name the folder that holds jobshop/")
    folder = Path(os.environ["FORERUN_DATA"]) / "jobshop"
    known: dict[str, Any] = json.loads((folder / "bounds.json").read_text(encoding="utf-8"))[name]
    text = (folder / known["file"]).read_text(encoding="utf-8")
    return (read_fjsp if known["kind"] == "fjsp" else read_jsp)(text), known["ub"]


def pyjobshop(problem: DisjunctiveProblem) -> float | None:
    """Return the makespan PyJobShop finds within `SECONDS`, or None."""
    try:
        from pyjobshop import Model
    except ImportError as error:
        raise SystemExit(
            "PyJobShop is not installed; `pip install pyjobshop==0.0.9`, the dependency group `bench`"
        ) from error
    model, arrays = Model(), problem.arrays
    machines = [model.add_machine() for _ in range(problem.machines)]
    tasks = [model.add_task() for _ in range(problem.operations)]
    for v, task in enumerate(tasks):
        for a in range(arrays.alternative_edges[v], arrays.alternative_edges[v + 1]):
            model.add_mode(task, machines[arrays.machine[a]], int(arrays.duration[a]))
        for before in arrays.before[arrays.before_edges[v] : arrays.before_edges[v + 1]]:
            model.add_end_before_start(tasks[before], task)
    result = model.solve(solver="ortools", time_limit=SECONDS, num_workers=CORES, display=False)
    return float(result.objective) if result.best.tasks else None
