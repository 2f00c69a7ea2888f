"""Run CP-SAT on a shop's model: two phases, watched from the calling thread so that it can be stopped."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from ortools.sat.python import cp_model

from plant.text import Told, listed, told
from scheduler.candidate import Candidate
from scheduler.cp_solver import new_solver
from scheduler.cpsat import WEIGHT_UNIT, JobShopModel
from scheduler.decode import Sequences
from scheduler.problem import Problem

_WATCH_S = 0.1
_TARDINESS_SHARE = 0.7
_HINT_SHARE = 0.2
_SEEDS = 2**31
"""CP-SAT takes as many; ours have no end."""

Watch = Callable[[float, Told], None]
"""Called with the share of the time spent and what is being done; may raise."""


@dataclass(frozen=True)
class Limits:
    """How long to search.

    Attributes
    ----------
    seconds
        Wall time, at most.
    effort
        CP-SAT's deterministic time; given, it ends the search at the same point on every machine.
    gap
        Relative gap between solution and bound at which to stop.
    """

    seconds: float
    effort: float | None
    workers: int
    seed: int
    gap: float


@dataclass(frozen=True)
class Answer:
    """What CP-SAT found.

    Attributes
    ----------
    sequences
        Every improvement on the way, the last one the best in the model; empty when there was none.
    bound_s
        Proven lower bound of the weighted tardiness, where the model's bound holds for the shop.
    proven
        Whether nothing better exists: optimal in both phases, in an exact model.
    """

    sequences: list[Sequences]
    status: str
    bound_s: float | None
    proven: bool


class _Collector(cp_model.CpSolverSolutionCallback):
    """Keeps each solution's sequences and counts them."""

    def __init__(self, model: JobShopModel) -> None:
        super().__init__()
        self._model = model
        self.found: list[Sequences] = []
        self.news: tuple[Told, ...] = ()

    def on_solution_callback(self) -> None:
        self.found.append(self._model.sequences(self.value))
        self.news = (
            told(
                "solution {n:count}: {value:count}, bound {bound:count}",
                n=len(self.found),
                value=round(self.objective_value),
                bound=round(self.best_objective_bound),
            ),
        )


def optimise(problem: Problem, start: Candidate, opening: Sequences, limits: Limits, watch: Watch) -> Answer:
    """Return the sequences CP-SAT finds from `start` on: least weighted tardiness first, then least makespan.

    Raises
    ------
    Cancelled
        Or whatever else `watch` raises: the search is stopped first.
    """
    model = JobShopModel(problem, start, opening)
    runner = _Runner(model, limits, watch)
    runner.complete_hint()
    bound, status = 0.0, "optimal"
    if start.score.tardiness > 0:
        model.model.minimize(model.tardiness)
        status, bound = runner.run(_TARDINESS_SHARE, told("least tardiness"))
        if runner.value is not None:
            model.model.add(model.tardiness <= runner.value)
    if status == "optimal" or runner.left() > 0:
        model.model.minimize(model.makespan)
        second, _ = runner.run(1.0, told("least makespan"))
        status = second if status == "optimal" else status
    bound_s = bound / WEIGHT_UNIT if model.relaxed else None
    proven = model.exact and status == "optimal"
    return Answer(
        runner.found, "optimal in the model" if status == "optimal" and not proven else status, bound_s, proven
    )


class _Runner:
    """Solves the phases of one model within one limit."""

    def __init__(self, model: JobShopModel, limits: Limits, watch: Watch) -> None:
        self._model, self._limits, self._watch = model, limits, watch
        self._began = time.monotonic()
        self.found: list[Sequences] = []
        self.value: int | None = None

    def left(self) -> float:
        """Return the seconds left."""
        return self._limits.seconds - (time.monotonic() - self._began)

    def complete_hint(self) -> None:
        """Fill in what the hinted starts and machines imply for all other variables, so that the hint is a solution.

        Where whole seconds do not let it be one, the hint stays partial, and CP-SAT repairs it.
        """
        solver = new_solver()
        solver.parameters.fix_variables_to_their_hinted_value = True
        solver.parameters.num_workers = 1
        solver.parameters.max_time_in_seconds = max(self.left() * _HINT_SHARE, 0.01)
        if solver.solve(self._model.model) in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            self._hint(solver)

    def run(self, share: float, doing: Told) -> tuple[str, float]:
        """Solve for what the model minimises now, within `share` of what is left; return status and bound."""
        solver = new_solver()
        parameters = solver.parameters
        parameters.max_time_in_seconds = max(self.left() * share, 0.01)
        parameters.num_workers = self._limits.workers
        parameters.random_seed = self._limits.seed % _SEEDS
        parameters.relative_gap_limit = self._limits.gap
        parameters.cp_model_probing_level = 0  # costs a large part of a short search and saves little here
        if self._limits.effort is not None:
            parameters.max_deterministic_time = self._limits.effort * share
            parameters.interleave_search = self._limits.workers > 1
        collector = _Collector(self._model)
        status = self._supervise(solver, collector, doing)
        self.found += collector.found
        if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            self.value = math.ceil(solver.objective_value)
            self._hint(solver)
        return solver.status_name(status).lower(), solver.best_objective_bound

    def _hint(self, solver: cp_model.CpSolver) -> None:
        """Start the next phase from this one's solution."""
        self._model.model.clear_hints()  # type: ignore[no-untyped-call]
        for number in range(len(self._model.model.proto.variables)):
            variable = self._model.model.get_int_var_from_proto_index(number)
            self._model.model.add_hint(variable, solver.value(variable))

    def _supervise(self, solver: cp_model.CpSolver, collector: _Collector, doing: Told) -> cp_model.CpSolverStatus:
        """Solve in a thread; tell the watcher from this one, and stop the search when it raises."""
        outcome: list[cp_model.CpSolverStatus | BaseException] = []

        def solve() -> None:
            try:
                outcome.append(solver.solve(self._model.model, collector))
            except BaseException as error:
                outcome.append(error)

        thread = threading.Thread(target=solve, name="cp-sat", daemon=True)
        thread.start()
        try:
            while thread.is_alive():
                self._watch(1 - self.left() / self._limits.seconds, listed([doing, *collector.news]))
                thread.join(_WATCH_S)
        except BaseException:
            while thread.is_alive():
                solver.stop_search()
                thread.join(_WATCH_S)
            raise
        if isinstance(outcome[0], BaseException):
            raise outcome[0]
        return outcome[0]
