"""The search for good solutions of (flexible) job shops: anytime, on several cores, repeatable.

Each worker is an island with elites of its own: dispatching rules give the first solutions, tabu search betters each
until it leads nowhere, then it goes on from between two elites (see `scheduler.relink`). Workers are threads: the
compiled loops do not hold the interpreter's lock.
"""

from __future__ import annotations

import time
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Event

import numpy as np

from plant.checks import require, require_not_negative, require_positive, require_workers
from plant.ports import Progress, no_progress
from plant.text import told
from scheduler import tabu
from scheduler.construct import RULES, Rule, construct, lower_bound
from scheduler.disjunctive import DisjunctiveProblem, Ints, Times
from scheduler.disjunctive_graph import empty_graph, load, objective
from scheduler.relink import Elite, Pool, between
from scheduler.stop import Enough
from scheduler.trail import BEST, STEP, empty_trail

_PATIENCE, _PATIENCE_FLEXIBLE, _PATIENCE_PER_OPERATION = 30_000, 2_500, 20
"""Steps without improvement after which a tabu search ends. One that computes insertions exactly does more than one in
blocks, but must come round: the third is the least per operation."""

_ELITES = 8
_BURST_S = 0.02
_WATCH_S = 0.02


@dataclass(frozen=True)
class Limits:
    """When to stop; at least one of `seconds` and `steps` is needed.

    Attributes
    ----------
    seconds
        Wall seconds.
    steps
        Steps of tabu search per worker. As long as seconds do not end it, the result is the same in every run.
    gap
        Relative distance to the bound that is good enough.
    workers
        Threads.
    stagnation_s
        Wall seconds without a better solution after which to stop; None: never.
    """

    seconds: float | None = None
    steps: int | None = None
    gap: float = 0.0
    workers: int = 2
    stagnation_s: float | None = None

    def __post_init__(self) -> None:
        require(
            self.seconds is not None or self.steps is not None,
            told("a search needs a limit; give seconds or steps"),
        )
        if self.seconds is not None:
            require_positive("seconds", self.seconds)
        if self.steps is not None:
            require_not_negative("steps", self.steps)
        require_not_negative("gap", self.gap)
        if self.stagnation_s is not None:
            require_positive("stagnation_s", self.stagnation_s)
        require_workers(self.workers)


@dataclass(frozen=True)
class Result:
    """The best solution found.

    Attributes
    ----------
    machine, start, end
        Per operation; shape (N,).
    sequences
        Per machine its operations in order.
    objective, bound
        The largest end plus tail, and what it cannot fall below.
    steps
        Steps of tabu search that were made.
    history
        (seconds, objective) whenever a better solution was seen.
    """

    machine: Ints
    start: Times
    end: Times
    sequences: tuple[tuple[int, ...], ...]
    objective: int
    bound: int
    steps: int
    history: tuple[tuple[float, int], ...]

    @property
    def optimal(self) -> bool:
        """Whether nothing better exists."""
        return self.objective == self.bound


def search(problem: DisjunctiveProblem, limits: Limits, seed: int = 1, progress: Progress = no_progress) -> Result:
    """Return the best solution found within the limits.

    Parameters
    ----------
    progress
        Called some fifty times a second, in the calling thread. `Enough` raised by it ends the search with the best
        solution so far; any other exception, such as `Cancelled`, goes through.
    """
    require(problem.operations > 0, told("there is no operation to schedule"))
    return _Searching(problem, limits, seed, progress).run()


class _Island:
    """One worker's solutions; what it does depends on nothing but its seed and its steps."""

    def __init__(self, problem: DisjunctiveProblem, seed: tuple[int, int], enough: float) -> None:
        self._problem, self._enough = problem.arrays, enough
        self._dice = np.random.default_rng(seed)
        self._graph, self._drawn = empty_graph(self._problem), empty_graph(self._problem)
        self._trail = empty_trail(self._problem, seed)
        self._pool = Pool(_ELITES)
        patience = _PATIENCE_FLEXIBLE if problem.flexible else _PATIENCE
        self._patience = max(patience, _PATIENCE_PER_OPERATION * problem.operations)
        self.best = self._built(RULES[0])
        self._rules = list(RULES[1:])
        self._burst = 16
        # Here, so that what is compiled on its first call is so before there are threads.
        self._begin(self.best.chosen, self.best.order)
        tabu.search(self._problem, self._graph, self._trail, 0, self._patience)

    @property
    def steps(self) -> int:
        """Steps made."""
        return int(self._trail.counts[STEP])

    def run(self, limits: Limits, stop: Event) -> None:
        """Search until told to stop, out of steps, or good enough."""
        while self._rules and not stop.is_set():
            self._take(self._built(self._rules.pop(0)))
        self._begin(self.best.chosen, self.best.order)
        while not (stop.is_set() or self.best.objective <= self._enough):
            burst = self._burst if limits.steps is None else min(self._burst, limits.steps - self.steps)
            if burst <= 0:
                return
            self._advance(burst)

    def _advance(self, burst: int) -> None:
        began = time.monotonic()
        before = self.steps
        going = tabu.search(self._problem, self._graph, self._trail, burst, self._patience)
        if self._trail.counts[BEST] < self.best.objective:
            self._take(self._found())
        if not going:
            self._next()
        elif self.steps - before == self._burst:  # the size of bursts changes nothing but how often we look up
            taken_s = max(time.monotonic() - began, 1e-6)
            self._burst = max(1, min(int(self._burst * _BURST_S / taken_s), 2 * self._burst))

    def _next(self) -> None:
        """Go on from a new place."""
        self._pool.add(self._found())
        if self._pool.full:
            one, other = self._pool.pair(self._dice)
            self._begin(*between(one, other, self._dice.uniform(0.3, 0.7), self._dice))
        else:
            elite = self._built(Rule(self._dice.random(), self._dice.uniform(-1, 1), self._dice.random() / 2, 0.0))
            self._begin(elite.chosen, elite.order)

    def _begin(self, chosen: Ints, order: Ints) -> None:
        load(self._problem, self._graph, chosen, order)
        tabu.begin(self._problem, self._graph, self._trail, self._tenure())

    def _tenure(self) -> int:
        """Return how long moves are forbidden at least (and at most twice that): the longer, the longer sequences are.

        Found by trying factors: half of what is usual for moves in blocks (0.5 to 2 on ta11, ta21, ta41). Insertions
        need three times as much, or they go round in circles on plateaus (0.5 to 16 on five of mk and behnke).
        """
        machines = self._problem.room_edges.size - 1
        if self._problem.machine.size == self._problem.order.size:
            jobs = int((np.diff(self._problem.before_edges) == 0).sum())
            return 5 + jobs // (2 * machines)
        return int((10 + self._problem.order.size / machines) * self._dice.uniform(1.0, 2.0))

    def _take(self, elite: Elite) -> None:
        if elite.objective < self.best.objective:
            self.best = elite

    def _built(self, rule: Rule) -> Elite:
        return self._elite(*construct(self._problem, rule, self._dice))

    def _found(self) -> Elite:
        return self._elite(self._trail.chosen, self._trail.order)

    def _elite(self, chosen: Ints, order: Ints) -> Elite:
        """Return a solution with its operations in the order they start (equal starts as they were)."""
        graph = self._drawn
        load(self._problem, graph, chosen, order)
        starts = (graph.end - graph.takes)[order]
        return Elite(int(objective(self._problem, graph)), chosen.copy(), order[np.argsort(starts, kind="stable")])


class _Searching:
    """One call of `search`: the islands, the stopwatch, and what was seen when."""

    def __init__(self, problem: DisjunctiveProblem, limits: Limits, seed: int, progress: Progress) -> None:
        self._problem, self._limits, self._progress = problem, limits, progress
        self._began = time.monotonic()
        self._bound = lower_bound(problem.arrays)
        self._enough = self._bound * (1 + limits.gap)
        self._islands = [_Island(problem, (seed, worker), self._enough) for worker in range(limits.workers)]
        self._history: list[tuple[float, int]] = []

    def run(self) -> Result:
        """Let the islands search until the limits are reached."""
        stop = Event()
        with ThreadPoolExecutor(len(self._islands), thread_name_prefix="job shop search") as pool:
            running = [pool.submit(island.run, self._limits, stop) for island in self._islands]
            try:
                self._watch(running)
            except Enough:
                pass  # whoever watches takes the best so far, as at a limit
            finally:
                stop.set()
        for future in running:
            future.result()
        self._look()
        return self._result()

    def _watch(self, running: list[Future[None]]) -> None:
        """Return when the search is over."""
        while True:
            done, left = wait(running, timeout=_WATCH_S, return_when=FIRST_EXCEPTION)
            self._look()
            found = self._history[-1][1]
            self._progress(self._share(), told("job shop search: {objective:count}", objective=found))
            failed = any(future.exception() for future in done)
            # Counted in steps, each island goes its whole way: which is first differs from run to run.
            satisfied = self._limits.steps is None and found <= self._enough
            if not left or failed or satisfied or self._spent() >= 1 or self._is_stagnant():
                return

    def _spent(self) -> float:
        return (time.monotonic() - self._began) / self._limits.seconds if self._limits.seconds else 0.0

    def _is_stagnant(self) -> bool:
        limit = self._limits.stagnation_s
        return limit is not None and time.monotonic() - self._began - self._history[-1][0] > limit

    def _share(self) -> float:
        steps = min(island.steps for island in self._islands) / self._limits.steps if self._limits.steps else 0.0
        return min(max(self._spent(), steps), 1.0)

    def _look(self) -> None:
        found = min(island.best.objective for island in self._islands)
        if not self._history or found < self._history[-1][1]:
            self._history.append((time.monotonic() - self._began, found))

    def _result(self) -> Result:
        best = min((island.best for island in self._islands), key=lambda elite: elite.objective)
        arrays, graph = self._problem.arrays, empty_graph(self._problem.arrays)
        load(arrays, graph, best.chosen, best.order)
        count = self._problem.operations
        edges = arrays.room_edges[:-1].tolist()
        return Result(
            graph.on[:count],
            (graph.end - graph.takes)[:count],
            graph.end[:count],
            tuple(tuple(graph.sequence[e : e + n].tolist()) for e, n in zip(edges, graph.length.tolist(), strict=True)),
            best.objective,
            self._bound,
            sum(island.steps for island in self._islands),
            tuple(self._history),
        )
