"""Experiments: what a second worker is worth, and what common random numbers are worth.

`experiment_scaling` divides two speed-ups that are measured in turn: that of an experiment by a pool of two workers
over a pool of one, and that of two bare processes, each in a loop over half of the same chunks, over one process that
does them all. The second is what the machine gives at that moment.

`crn_variance_reduction` takes the shipped scenarios 'extra shift' and 'machine down 4 h' against the base, over twenty
seeds: the variance of the difference in lead time where both meet different luck, over its variance where they meet
the same.
"""

from __future__ import annotations

import multiprocessing
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from benchmarks.figures import Figure, in_turn, significant
from plant.folder import load, load_orders
from plant.snapshot import Snapshot
from runtime.pool import PoolRunner
from scenarios.case import Case
from scenarios.evaluate import CHUNK, evaluate
from scenarios.experiment import Question, run_experiment
from scenarios.measures import COLUMN
from scenarios.prepare import Prepared, prepare
from scenarios.scenario import BASE, LIBRARY, library
from scenarios.scenario import load as load_scenario

SHOP = Path(__file__).parents[1] / "plants" / "machine_shop"
MEASURED = ("extra_shift", "machine_down_4h")
SEEDS = 20


def run(quick: bool) -> Iterable[Figure]:
    """Yield `experiment_scaling` and `crn_variance_reduction`."""
    base = machine_shop()
    yield crn_variance_reduction(base)
    yield experiment_scaling(base, chunks=2 if quick else 4, repeats=3 if quick else 7)


def machine_shop() -> Case:
    """Return the machine shop with its orders at its start."""
    plant = load(SHOP)
    return Case(plant, load_orders(SHOP, plant), Snapshot(plant.starts_at))


def crn_variance_reduction(base: Case) -> Figure:
    """Return the smaller of the two scenarios' ratios."""
    column = COLUMN["lead_time"]
    prepared = prepare(base)
    # Each seed is one experiment of CHUNK futures; other seeds are other luck.
    mine = _means(prepared, range(1, SEEDS + 1), column)
    detail: dict[str, object] = {"seeds": SEEDS, "replications_per_seed": CHUNK}
    ratios = []
    for name in MEASURED:
        changed = prepare(load_scenario(LIBRARY / name).apply(base))
        same = _means(changed, range(1, SEEDS + 1), column)
        other = _means(changed, range(SEEDS + 1, 2 * SEEDS + 1), column)
        ratios.append(float(np.var(other - mine, ddof=1) / np.var(same - mine, ddof=1)))
        detail[name] = significant(ratios[-1])
        detail[f"{name}_difference_h"] = significant(float(np.mean(same - mine)))
    return Figure("crn_variance_reduction", min(ratios), "1", ">= 5", detail)


def _means(prepared: Prepared, seeds: Iterable[int], column: int) -> np.ndarray:
    return np.array([evaluate(prepared, seed, 0)[:, column].mean() for seed in seeds])


def experiment_scaling(base: Case, chunks: int, repeats: int) -> Figure:
    """Return the experiment's speed-up by two workers relative to that of two bare processes."""
    cases = {BASE: base} | {scenario.name: scenario.apply(base) for scenario in library()}
    question = Question(half_width=None, max_replications=chunks * CHUNK)
    pieces = [(name, chunk) for chunk in range(chunks) for name in cases]
    half = len(pieces) // 2  # an even number of chunks: each half holds every case equally often
    with PoolRunner(1) as one, PoolRunner(2) as two, _Bare(cases, 2) as bare:
        sides: dict[str, Callable[[], object]] = {
            "two workers": partial(run_experiment, cases, question, two),
            "two bare": lambda: bare.run([pieces[:half], pieces[half:]]),
            "one worker": partial(run_experiment, cases, question, one),
            "one bare": lambda: bare.run([pieces, []]),
        }
        times = in_turn(sides, repeats)
    ours = [a / b for a, b in zip(times["one worker"], times["two workers"], strict=True)]
    theirs = [a / b for a, b in zip(times["one bare"], times["two bare"], strict=True)]
    return Figure(
        "experiment_scaling",
        statistics.median(a / b for a, b in zip(ours, theirs, strict=True)),
        "1",
        ">= 0.9",
        {
            "speed_up": significant(statistics.median(ours)),
            "bare_speed_up": significant(statistics.median(theirs)),
            "two_workers_s": significant(statistics.median(times["two workers"])),
            "two_bare_s": significant(statistics.median(times["two bare"])),
            "cases": len(cases),
            "replications": chunks * CHUNK,
            "repeats": repeats,
        },
    )


class _Bare:
    """Processes that hold every case prepared and evaluate the pieces they are told, in a loop and nothing more."""

    def __init__(self, cases: Mapping[str, Case], count: int) -> None:
        context = multiprocessing.get_context("forkserver")
        self._pipes: list[Connection] = []
        self._processes = []
        for _ in range(count):
            ours, theirs = context.Pipe()
            process = context.Process(target=_loop, args=(theirs, dict(cases)), daemon=True)
            process.start()
            self._processes.append(process)
            self._pipes.append(ours)

    def __enter__(self) -> _Bare:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
            process.join()

    def run(self, shares: Sequence[Sequence[tuple[str, int]]]) -> None:
        for pipe, share in zip(self._pipes, shares, strict=True):
            pipe.send(share)
        for pipe in self._pipes:
            pipe.recv()


def _loop(pipe: Connection, cases: Mapping[str, Case]) -> None:
    prepared = {name: prepare(case) for name, case in cases.items()}
    while True:
        try:
            share = pipe.recv()
        except EOFError:
            return
        for name, chunk in share:
            evaluate(prepared[name], 1, chunk)
        pipe.send(len(share))
