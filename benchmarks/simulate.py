"""The open floor on a plain job shop against a minimal SimPy job shop written by hand.

The minimal one is what a first page on SimPy would show: a process an order, a resource a machine, a timeout an
operation, nothing recorded. The full model reads its plant from a folder, draws keyed luck and keeps every column.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Iterable

import numpy as np
import simpy

from benchmarks.figures import Figure, in_turn, median_ratio, significant
from benchmarks.floors import floor, item, machine, operation
from plant.floor_model import FloorModel
from twin.draws import Draws
from twin.open_floor import simulate_floor

SEED = 20260108
MACHINES, STEPS = 10, 10
VARIATION = 0.3

Routes = list[list[tuple[int, float]]]


def run(quick: bool) -> Iterable[Figure]:
    """Yield `simulate_ratio`: operations per second of the full model relative to the minimal one's."""
    orders, futures, repeats = (100, 10, 5) if quick else (200, 20, 15)
    routes = random_routes(orders)
    model = job_shop(routes)
    check_same(model, routes)
    seeds = iter(range(SEED, SEED + 2 * repeats + 2))
    times = in_turn(
        {
            "full": lambda: full(model, Draws(next(seeds), futures)),
            "minimal": lambda: [minimal(routes, drawn(random.Random(future))) for future in range(futures)],
        },
        repeats,
    )
    operations = orders * STEPS * futures
    rates = {side: operations / statistics.median(taken) for side, taken in times.items()}
    yield Figure(
        "simulate_ratio",
        median_ratio(times["minimal"], times["full"]),
        "1",
        ">= 0.5",
        {
            "full_operations_per_s": significant(rates["full"]),
            "minimal_operations_per_s": significant(rates["minimal"]),
            "operations": orders * STEPS,
            "futures": futures,
            "repeats": repeats,
        },
    )


def random_routes(orders: int) -> Routes:
    """Return per order its (machine, mean seconds)."""
    shape = random.Random(SEED)
    return [
        [(shape.randrange(MACHINES), float(shape.randrange(600, 7200))) for _ in range(STEPS)] for _ in range(orders)
    ]


def job_shop(routes: Routes) -> FloorModel:
    """Return the floor on which every order has an item of its own, all of them there from the beginning."""
    machines = [machine(f"M{number}") for number in range(MACHINES)]
    items = [
        item(
            f"A{order}",
            *(
                operation(f"M{number}", mean_s, None, variation=VARIATION) | {"id": str(place), "skill": "M0"}
                for place, (number, mean_s) in enumerate(route)
            ),
        )
        for order, route in enumerate(routes)
    ]
    orders = [f"O{order},C,A{order},1,2026-01-05T00:00,2026-03-01T00:00,normal" for order in range(len(routes))]
    return floor(machines, items, orders=orders)


def full(model: FloorModel, draws: Draws) -> None:
    """Run every future, draws included."""
    for replication in range(draws.replications):
        simulate_floor(model, draws, replication)


def minimal(routes: Routes, factor: Callable[[int, int], float]) -> list[float]:
    """Return when each order is complete."""
    env = simpy.Environment()
    machines = [simpy.Resource(env) for _ in range(MACHINES)]
    done = [0.0] * len(routes)

    def order(number: int, route: list[tuple[int, float]]) -> Iterable[simpy.Event]:
        for place, (where, mean_s) in enumerate(route):
            with machines[where].request() as request:
                yield request
                yield env.timeout(mean_s * factor(number, place))
        done[number] = env.now

    for number, route in enumerate(routes):
        env.process(order(number, route))  # type: ignore[arg-type]
    env.run()
    return done


def drawn(source: random.Random) -> Callable[[int, int], float]:
    """Return factors drawn on the way: lognormal with mean 1."""
    variance = float(np.log1p(VARIATION**2))
    return lambda order, place: source.lognormvariate(-variance / 2, variance**0.5)


def check_same(model: FloorModel, routes: Routes) -> None:
    """Make sure both do the same work: on the same factors every order is complete at the same time."""
    draws = Draws(SEED, 2)
    found = simulate_floor(model, draws, 1)
    names = found.names["stage"]
    factors = {}
    for row in range(len(found.operations["order"])):
        order, stage = int(found.operations["order"][row]), names[found.operations["stage"][row]]
        place = int(stage.split("-")[1])
        taken_s = found.operations["finish_s"][row] - found.operations["start_s"][row]
        factors[order, place] = float(taken_s) / routes[order][place][1]
    expected = minimal(routes, lambda order, place: factors[order, place])
    assert np.allclose(found.orders["completed_s"], expected, rtol=1e-9, atol=0)
