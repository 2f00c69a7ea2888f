"""The open floor against queueing theory: means inside their intervals at a half-width of 1 %.

Each case is a plant folder whose long-run mean is known exactly. Every run is cut into batches of equal length after
a warm-up; the interval is Student's over the batch means. Runs are added until its half-width is 1 % of the mean.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from benchmarks.figures import Figure, significant
from benchmarks.floors import EXPONENTIAL, Values, floor, item, machine, operation
from plant.floor_model import FloorModel
from twin.draws import Draws
from twin.happened import Columns, Happened
from twin.open_floor import simulate_floor

Batches = NDArray[np.float64]

SEED = 20260106
BATCHES = 10
CONFIDENCE = 0.99
"""Of the benchmark's intervals."""

LOTS = 50_000
"""Lots of one run; its rows fit into memory easily."""

MOST_RUNS = 400

SERVICE_S = 60.0


@dataclass(frozen=True)
class Case:
    """A floor with a known mean.

    Attributes
    ----------
    exact
        The mean in the long run.
    measure
        Gives it for each batch between the edges, shape (batches + 1,).
    unit_s
        Seconds in which about one lot passes: lengths of runs are counted in it.
    """

    name: str
    source: str
    model: Callable[[], FloorModel]
    exact: float
    measure: Callable[[Happened, Batches], Batches]
    unit_s: float

    def batches(self, draws: Draws, replication: int, lots: int, count: int = BATCHES) -> Batches:
        """Run over about `lots` lots and return the means of `count` batches after the first tenth of the run."""
        until_s = lots * self.unit_s
        happened = simulate_floor(_model(self), draws, replication, until_s)
        return self.measure(happened, np.linspace(0.1 * until_s, until_s, count + 1))


@cache
def _model(case: Case) -> FloorModel:
    return case.model()


def half_width(batches: Batches, confidence: float) -> float:
    """Return the half-width of Student's interval for the mean of independent batches."""
    error = batches.std(ddof=1) / math.sqrt(len(batches))
    return float(student.ppf((1 + confidence) / 2, len(batches) - 1) * error)


def run(quick: bool) -> Iterable[Figure]:
    """Yield per case how far its mean is off, in half-widths of its interval; the interval's width in the detail."""
    wanted, lots = (0.05, LOTS // 10) if quick else (0.01, LOTS)
    draws = Draws(SEED, MOST_RUNS)
    for case in cases():
        found: list[float] = []
        width, runs = math.inf, 0
        while width > wanted * case.exact and runs < MOST_RUNS:
            found += case.batches(draws, runs, lots).tolist()
            runs += 1
            width = half_width(np.array(found), CONFIDENCE) if runs > 1 else math.inf
        mean = sum(found) / len(found)
        yield Figure(
            f"theory_{case.name}",
            abs(mean - case.exact) / width,
            "half-widths",
            "<= 1",
            {
                "mean": significant(mean, 6),
                "exact": significant(case.exact, 6),
                "half_width": f"{width / case.exact:.2%}",
                "confidence": CONFIDENCE,
                "lots": runs * lots,
                "source": case.source,
            },
        )


# What is measured


def mean_sojourn(happened: Happened, edges: Batches) -> Batches:
    """Mean time from release to completion of the orders released in each batch and completed before the end.

    The last batch leaves out what is still there: it ends a little before the run does.
    """
    orders = happened.orders
    taken = (orders["lost"] == 0) & ~np.isnan(orders["completed_s"])
    return _batch_means(orders["completed_s"][taken], (orders["completed_s"] - orders["released_s"])[taken], edges)


def throughput_per_s(happened: Happened, edges: Batches) -> Batches:
    """Completed orders per second of each batch."""
    orders = happened.orders
    done = orders["completed_s"][(orders["lost"] == 0) & ~np.isnan(orders["completed_s"])]
    return np.histogram(done, edges)[0] / np.diff(edges)


def throughput(service_s: float) -> Callable[[Happened, Batches], Batches]:
    """Return what measures completed orders per mean service time."""
    return lambda happened, edges: throughput_per_s(happened, edges) * service_s


def share_lost(happened: Happened, edges: Batches) -> Batches:
    """Share of the arrivals of each batch that found no place."""
    orders = happened.orders
    return _batch_means(orders["released_s"], orders["lost"].astype(np.float64), edges)


def mean_up(happened: Happened, edges: Batches) -> Batches:
    """Mean number of machines that are not broken down, over the time of each batch."""
    states = happened.machine_states
    down = states["state"] == happened.names["state"].index("breakdown")
    lost_s = _time_within(states, down, edges)
    return len(happened.names["machine"]) - lost_s / np.diff(edges)


def _time_within(states: Columns, chosen: NDArray[np.bool_], edges: Batches) -> Batches:
    since_s, until_s = states["since_s"][chosen], states["until_s"][chosen]
    clipped = [np.clip(until_s, a, b) - np.clip(since_s, a, b) for a, b in itertools.pairwise(edges)]
    return np.array([part.sum() for part in clipped])


def _batch_means(at_s: Batches, value: Batches, edges: Batches) -> Batches:
    place = np.searchsorted(edges, at_s, side="right") - 1
    inside = (place >= 0) & (place < len(edges) - 1)
    count = np.bincount(place[inside], minlength=len(edges) - 1)
    return np.bincount(place[inside], value[inside], minlength=len(edges) - 1) / np.maximum(count, 1)


# The floors


def poisson(item_id: str, mean_s: float, **more: object) -> Values:
    """Return a Poisson stream of arrivals."""
    return {"id": item_id, "item": item_id, "interarrival": {"family": "exponential", "mean_s": mean_s}} | more


def single(load: float, factor: Values = EXPONENTIAL, servers: int = 1, **more: object) -> FloorModel:
    """One queue before one or more machines alike, Poisson arrivals."""
    machines = [machine(f"M{n}", "work", **more) for n in range(servers)]
    gap_s = SERVICE_S / (load * servers)
    return floor(machines, [item("A", operation("work", SERVICE_S, factor))], [poisson("A", gap_s)])


def mg1_sojourn_s(load: float, mean_s: float, second_moment: float) -> float:
    """Return the mean time in an M/G/1 queue (Pollaczek and Khinchine)."""
    return mean_s + load / mean_s * second_moment / (2 * (1 - load))


def erlang_c(servers: int, load: float) -> float:
    """Return the probability of waiting in an M/M/c queue (Erlang 1917)."""
    offered = servers * load
    terms = [offered**n / math.factorial(n) for n in range(servers)]
    last = offered**servers / math.factorial(servers) / (1 - load)
    return last / (sum(terms) + last)


def lossy(places: int, load: float) -> FloorModel:
    """M/M/1/K: K - 1 places before the machine and one on it; who finds none is lost."""
    machines = [machine("M1", "work", input_buffer=places - 1)]
    arrivals = [poisson("A", SERVICE_S / load, when_full="lost")]
    return floor(machines, [item("A", operation("work", SERVICE_S))], arrivals)


def share_lost_exact(places: int, load: float) -> float:
    """Return the share an M/M/1/K queue loses."""
    return (1 - load) * load**places / (1 - load ** (places + 1))


def line(times_s: Sequence[float], factors: Sequence[Values], buffers: Sequence[int]) -> FloorModel:
    """A line that never lacks work and blocks after service: buffers[k] stands before machine k + 1.

    It is kept saturated by a closed loop of more orders than the line holds; the others wait in front of it.
    """
    names = [f"M{n}" for n in range(len(times_s))]
    places = (0, *buffers)
    machines = [machine(name, input_buffer=places[n], output_buffer=0) for n, name in enumerate(names)]
    steps = [operation(name, *of) for name, *of in zip(names, times_s, factors, strict=True)]
    held = len(names) + sum(places) + 1
    return floor(machines, [item("A", *steps)], [{"id": "A", "item": "A", "wip": held}])


def geometric(success: float) -> Values:
    """Factor of a Bernoulli machine's time: cycles until it succeeds, over their mean (cut where doubles end)."""
    cycles = range(1, math.ceil(-45 / math.log2(1 - success)) + 1)
    weights = [success * (1 - success) ** (n - 1) for n in cycles]
    return {"family": "empirical", "values": [n * success for n in cycles], "weights": weights}


def bernoulli_rate(first: float, second: float, buffer: int) -> float:
    """Return parts per cycle of two Bernoulli machines, blocking after service: a birth-death chain.

    Its state is the number of parts the first machine has finished and the second has not: at `buffer` + 2 the first
    is blocked, at 0 the second starved.
    """
    up = [first, *[first * (1 - second)] * (buffer + 1)]
    down = [*[second * (1 - first)] * (buffer + 1), second]
    weights = [1.0]
    for rising, falling in zip(up, down, strict=True):
        weights.append(weights[-1] * rising / falling)
    return second * (1 - weights[0] / sum(weights))


def network() -> FloorModel:
    """Open Jackson network: of three machines the third sends 30 % back to the second, that 20 % to the first."""
    steps = [
        operation("M0", 30.0),
        operation("M1", 36.0, rework={"ratio": 0.2, "to": "M0"}),
        operation("M2", 30.0, rework={"ratio": 0.3, "to": "M1"}),
    ]
    return floor([machine(f"M{n}") for n in range(3)], [item("A", *steps)], [poisson("A", 120.0)])


def network_sojourn_s() -> float:
    """Return the mean time in that network: traffic equations, then Little's law (Jackson 1957)."""
    rate = 1 / 120.0
    # flows: f0 = r + 0.2 f1, f1 = f0 + 0.3 f2, f2 = 0.8 f1
    passes = np.linalg.solve(np.array([[1, -0.2, 0], [-1, 1, -0.3], [0, -0.8, 1]]), np.array([rate, 0, 0]))
    loads = passes * np.array([30.0, 36.0, 30.0])
    return float((loads / (1 - loads)).sum() / rate)


def failing(load: float) -> FloorModel:
    """M/G/1 whose machine fails in operating time."""
    reliability = {
        "time_between_failures": {"family": "exponential", "mean_s": 300.0},
        "time_to_repair": {"family": "gamma", "mean_s": 60.0, "variation": 0.5},
    }
    return single(load, {"family": "gamma", "mean": 1, "variation": 0.5}, reliability=reliability)


def failing_sojourn_s(load: float) -> float:
    """Return its mean time: service is stretched by a Poisson number of repairs (Avi-Itzhak and Naor 1963)."""
    up_s, repair_s, repair_square = 300.0, 60.0, 60.0**2 * 1.25
    second = SERVICE_S**2 * 1.25
    mean_s = SERVICE_S * (1 + repair_s / up_s)
    square = second * (1 + repair_s / up_s) ** 2 + SERVICE_S * repair_square / up_s
    return mg1_sojourn_s(load * mean_s / SERVICE_S, mean_s, square)


REPAIRMEN = 6


def repairmen(crews: int) -> FloorModel:
    """Machines that fail in calendar time and share repair crews."""
    reliability = {
        "time_between_failures": {"family": "exponential", "mean_s": 300.0},
        "time_to_repair": {"family": "exponential", "mean_s": 60.0},
        "failure_time": "calendar",
        "crew": "fitters",
    }
    machines = [machine(f"M{n}", "work", reliability=reliability) for n in range(REPAIRMEN)]
    arrivals = [poisson("A", 36_000.0)]
    return floor(
        machines, [item("A", operation("work", SERVICE_S))], arrivals, {"crew": [{"id": "fitters", "count": crews}]}
    )


def repairmen_up(crews: int) -> float:
    """Return the mean number of machines up (Palm 1947)."""
    weights = [1.0]
    for down in range(REPAIRMEN):
        weights.append(weights[-1] * (REPAIRMEN - down) / 300.0 * 60.0 / min(down + 1, crews))
    return REPAIRMEN - sum(n * weight for n, weight in enumerate(weights)) / sum(weights)


def loop(stations: int, wip: int) -> FloorModel:
    """CONWIP: a line of machines alike in which the work in process is fixed."""
    names = [f"M{n}" for n in range(stations)]
    steps = [operation(name, SERVICE_S) for name in names]
    return floor([machine(name) for name in names], [item("A", *steps)], [{"id": "A", "item": "A", "wip": wip}])


BLOCKED_LINES = {2: 0.66667, 3: 0.56410, 4: 0.51478, 5: 0.48580, 6: 0.46671}
"""Parts per mean service time of saturated exponential lines without buffers (Hunt 1956; Hillier and Boling 1967)."""


def cases() -> list[Case]:
    """Return every case."""
    exponential_line = [
        Case(
            f"blocking_line_{count}",
            "Hunt 1956; Hillier and Boling 1967",
            lambda count=count: line([SERVICE_S] * count, [EXPONENTIAL] * count, [0] * (count - 1)),  # type: ignore[misc]
            rate,
            throughput(SERVICE_S),
            2 * SERVICE_S,
        )
        for count, rate in BLOCKED_LINES.items()
    ]
    buffered = [
        Case(
            f"two_stations_buffer_{places}",
            "(B + 2) / (B + 3)",
            lambda places=places: line([SERVICE_S] * 2, [EXPONENTIAL] * 2, [places]),  # type: ignore[misc]
            (places + 2) / (places + 3),
            throughput(SERVICE_S),
            1.5 * SERVICE_S,
        )
        for places in (1, 4)
    ]
    general = [
        Case(
            f"mg1_variation_{variation}",
            "Pollaczek and Khinchine",
            lambda factor=factor: single(0.5, factor),  # type: ignore[misc]
            mg1_sojourn_s(0.5, SERVICE_S, SERVICE_S**2 * (1 + variation**2)),
            mean_sojourn,
            SERVICE_S / 0.5,
        )
        for variation, factor in {
            0.0: {"family": "constant", "mean": 1},
            0.5: {"family": "gamma", "mean": 1, "variation": 0.5},
            1.5: {"family": "gamma", "mean": 1, "variation": 1.5},
        }.items()
    ]
    wait_s = erlang_c(3, 0.7) * SERVICE_S / (3 * 0.3)
    return [
        Case("mm1", "M/M/1", lambda: single(0.5), SERVICE_S / 0.5, mean_sojourn, SERVICE_S / 0.5),
        Case("mm3", "Erlang 1917", lambda: single(0.7, servers=3), SERVICE_S + wait_s, mean_sojourn, SERVICE_S / 2.1),
        *general,
        Case("mm1k", "M/M/1/4", lambda: lossy(4, 0.8), share_lost_exact(4, 0.8), share_lost, SERVICE_S / 0.8),
        Case("tandem", "Burke 1956", tandem, SERVICE_S / 0.5 + 36.0 / 0.7, mean_sojourn, SERVICE_S / 0.5),
        Case("jackson", "Jackson 1957", network, network_sojourn_s(), mean_sojourn, 120.0),
        Case(
            "mg1_failures",
            "Avi-Itzhak and Naor 1963",
            lambda: failing(0.5),
            failing_sojourn_s(0.5),
            mean_sojourn,
            SERVICE_S / 0.5,
        ),
        *[
            Case(
                f"repairmen_{crews}",
                "Palm 1947",
                lambda crews=crews: repairmen(crews),  # type: ignore[misc]
                repairmen_up(crews),
                mean_up,
                70.0,
            )
            for crews in (1, 2)
        ],
        Case("conwip", "n / (n + m - 1)", lambda: loop(4, 6), 6 / 9, throughput(SERVICE_S), 1.5 * SERVICE_S),
        *exponential_line,
        *buffered,
        Case(
            "bernoulli_line",
            "birth-death chain",
            lambda: line([120.0, 240.0], [geometric(0.5), geometric(0.25)], [2]),
            bernoulli_rate(0.5, 0.25, 2) * 4,
            throughput(240.0),
            240.0,
        ),
    ]


def tandem() -> FloorModel:
    """Two machines in a row, Poisson arrivals."""
    steps = [operation("M0", SERVICE_S), operation("M1", 36.0)]
    return floor([machine("M0"), machine("M1")], [item("A", *steps)], [poisson("A", SERVICE_S / 0.5)])
