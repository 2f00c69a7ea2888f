"""Replay of a fixed plan against a plain numpy pass over the same matrix, and against SimPy.

The plain pass is what numpy alone takes for the graph: per step, gather the finishes of what it waits for, take
their maximum, add the processing time. Draws are made once, beforehand, and timed apart.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable
from datetime import UTC, datetime

import numpy as np

from benchmarks.figures import Figure, in_turn, median_ratio, significant
from plant.calendar import WorkingTime
from plant.plan import Plan, PlannedOperation
from plant.plant import SetupMatrix
from plant.work import MachineOutlook, OrderDemand, Task, Work
from twin.draws import Draws
from twin.graph import Node, graph_of
from twin.luck import Matrix, draw
from twin.program import program_of
from twin.replay import Replay
from twin.replay import run as run_replay
from twin.simulate import Simulation

SEED = 20260105
OPERATIONS_PER_ORDER = 10
MACHINES = 10


def run(quick: bool) -> Iterable[Figure]:
    """Yield `replay_ratio`: 1,000 operations x 1,000 replications."""
    operations, replications = 1000, 1000
    repeats, simulated = (7, 3) if quick else (41, 20)
    work, plan = job_shop(operations // OPERATIONS_PER_ORDER)
    draws = Draws(SEED, replications)
    nodes = graph_of(work, plan)
    program = program_of(work, nodes)
    began = time.perf_counter()
    luck = draw(work, nodes, draws)
    drawing_s = time.perf_counter() - began
    times = in_turn(
        {
            "replay": lambda: run_replay(work, nodes, program, luck, SEED),
            "plain": lambda: plain_pass(nodes, luck.processing_s),
            "pairwise": lambda: pairwise_pass(nodes, luck.processing_s),
        },
        repeats,
    )
    replayed = run_replay(work, nodes, program, luck, SEED)
    assert np.allclose(replayed.finish_s, plain_pass(nodes, luck.processing_s), rtol=0, atol=1e-6)
    replay_s = statistics.median(times["replay"])
    simulate_s = simulated_s(work, plan, draws, replayed, simulated) * replications
    yield Figure(
        "replay_ratio",
        median_ratio(times["replay"], times["plain"]),
        "1",
        "<= 2.5",
        {
            "operations": operations,
            "replications": replications,
            "replay_s": significant(replay_s),
            "plain_s": significant(statistics.median(times["plain"])),
            "ratio_to_pairwise_without_gather": significant(median_ratio(times["replay"], times["pairwise"])),
            "draws_s": significant(drawing_s),
            "simulate_s": significant(simulate_s),
            "factor_over_simulate": significant(simulate_s / replay_s),
            "repeats": repeats,
        },
    )


def job_shop(orders: int) -> tuple[Work, Plan]:
    """Orders of ten operations on ten machines that are always open, and a plan that takes them layer by layer."""
    shape = np.random.default_rng(SEED)
    machines = {
        name: MachineOutlook(name, WorkingTime.always(), SetupMatrix("none", 0.0))
        for name in (f"M{number:02}" for number in range(MACHINES))
    }
    tasks = [
        Task(
            f"O{order}/1-{step}",
            f"O{order}",
            "item",
            str(step),
            1,
            (f"O{order}/1-{step - 1}",) if step else (),
            {f"M{shape.integers(MACHINES):02}": float(shape.integers(600, 7200))},
            "any",
            variation=0.3,
        )
        for order in range(orders)
        for step in range(OPERATIONS_PER_ORDER)
    ]
    demands = {f"O{order}": OrderDemand(f"O{order}", 0.0) for order in range(orders)}
    work = Work(datetime(2026, 1, 5, 5, tzinfo=UTC), tuple(tasks), machines, demands)
    places = dict.fromkeys(machines, 0)
    operations = []
    for step in range(OPERATIONS_PER_ORDER):
        for order in shape.permutation(orders):
            machine = next(iter(work.by_id[f"O{order}/1-{step}"].durations_s))
            operations.append(PlannedOperation(f"O{order}/1-{step}", machine, places[machine], 0.0, 0.0))
            places[machine] += 1
    return work, Plan(work.epoch, tuple(operations))


def plain_pass(nodes: Iterable[Node], processing_s: Matrix) -> Matrix:
    """Gather, maximum, add: one pass over the matrix as numpy is usually written."""
    finish_s = np.empty_like(processing_s)
    for node in nodes:
        before = list(node.preceding)
        if before:
            np.add(finish_s[before].max(axis=0), processing_s[node.row], out=finish_s[node.row])
        else:
            finish_s[node.row] = processing_s[node.row]
    return finish_s


def pairwise_pass(nodes: Iterable[Node], processing_s: Matrix) -> Matrix:
    """The same without gathering: a maximum of two rows into the result's row, and nothing else (at most two here)."""
    finish_s = np.empty_like(processing_s)
    rows, work_s = list(finish_s), list(processing_s)
    for node in nodes:
        before, row = node.preceding, node.row
        if len(before) == 2:
            np.maximum(rows[before[0]], rows[before[1]], out=rows[row])
            np.add(rows[row], work_s[row], out=rows[row])
        elif before:
            np.add(rows[before[0]], work_s[row], out=rows[row])
        else:
            np.copyto(rows[row], work_s[row])
    return finish_s


def simulated_s(work: Work, plan: Plan, draws: Draws, replayed: Replay, count: int) -> float:
    """Return what one future takes in SimPy, its draws made beforehand, and check that it says the same."""
    simulation = Simulation(work, plan, draws)
    simulation.run(0)
    began = time.perf_counter()
    runs = [simulation.run(future) for future in range(count)]
    taken_s = (time.perf_counter() - began) / count
    for future, found in enumerate(runs):
        expected = [found.finish_s[task.id] for task in work.tasks]
        assert np.allclose(replayed.finish_s[:, future], expected, rtol=0, atol=1e-9)
    return taken_s
