"""Plain job shops among works: no setups, calendars, people or batches, nothing begun, times in whole milliseconds.

For the makespan of such a work there is a search that is faster by far (`scheduler.job_shop_search`). Its sequences are
timed again as all others are, so nothing rests on this module's being right about a work but the time spent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from plant.errors import InvalidInput
from plant.objective import Aim, Objective
from plant.ports import Progress
from plant.text import Text
from scheduler.candidate import Candidate, evaluated
from scheduler.compiled import Floats, Whole
from scheduler.decode import Sequences
from scheduler.disjunctive import DisjunctiveProblem
from scheduler.job_shop_search import Limits, Result, search
from scheduler.problem import Problem
from scheduler.stop import Enough

PER_SECOND = 1000
"""The search counts in milliseconds."""

_EQUAL_S = 1e-6


def job_shop_of(problem: Problem, objective: Objective, best: Candidate) -> DisjunctiveProblem | None:
    """Return the job shop whose better solutions are better plans, None where the problem is not one.

    That is where the makespan is what can still be bettered: it is the only aim, or the last one after tardiness and
    `best` has nothing late. Orders then keep their due dates: what ends as far before its due date as `best` ends
    after it counts like the end of `best`. So whatever is shorter than `best` is on time.
    """
    if not _is_plain(problem):
        return None
    *aims, last = objective.aims
    if objective.weights or last is not Aim.MAKESPAN or aims not in ([], [Aim.TARDINESS]):
        return None
    if aims and best.score.tardiness > _EQUAL_S:
        return None
    durations, heads = _whole(problem.shop.duration), _whole(problem.shop.tasks["release"][:-1])
    if durations is None or heads is None:
        return None
    tails = _tails(problem, best.score.makespan) if aims else None
    try:
        return DisjunctiveProblem.of(
            len(problem.machines),
            [
                [(machine, int(durations[task, machine])) for machine in problem.options(task)]
                for task in range(len(problem.tasks))
            ],
            [problem.predecessors(task) for task in range(len(problem.tasks))],
            heads.tolist(),
            tails,
        )
    except InvalidInput:  # too long to count in milliseconds
        return None


@dataclass(frozen=True)
class Searched:
    """What a search of a job shop came to.

    Attributes
    ----------
    best
        The best plan it found.
    makespan_s
        No plan is shorter.
    ended
        What `progress` raised to end it; None if it went its way.
    """

    best: Candidate | None
    makespan_s: float
    ended: Enough | None


def searched(problem: Problem, job_shop: DisjunctiveProblem, limits: Limits, seed: int, progress: Progress) -> Searched:
    """Search the job shop of a problem within the limits."""
    ended: list[Enough] = []

    def tell(share: float, doing: Text) -> None:
        try:
            progress(share, doing)
        except Enough as enough:
            ended.append(enough)
            raise

    result = search(job_shop, limits, seed, tell)
    bound_s = 0.0 if job_shop.arrays.tail.any() else result.bound / PER_SECOND
    return Searched(evaluated(problem, sequences_of(result)), bound_s, ended[0] if ended else None)


def sequences_of(result: Result) -> Sequences:
    """Return the steps of every machine."""
    return [[(task,) for task in row] for row in result.sequences]


def _is_plain(problem: Problem) -> bool:
    shop, tasks = problem.shop, problem.shop.tasks[:-1]
    return not (
        tasks["running"].any()
        or tasks["attendance"].any()
        or tasks["alone"].any()
        or (shop.machines["capacity"] > 1).any()
        or (shop.machines["free"] > 0).any()
        or shop.setup.any()
        or shop.way.any()
        or shop.before["least"].any()
        or np.isfinite(shop.before["most"]).any()
        or np.isfinite(tasks["latest"]).any()
        or any(one.working_time.starts != (0.0,) for one in problem.machines)
    )


def _whole(seconds: Floats) -> Whole | None:
    """Return times in milliseconds, or None where they are not whole."""
    found = np.rint(seconds * PER_SECOND)
    return found.astype(np.int64) if (found / PER_SECOND == seconds).all() else None


def _tails(problem: Problem, makespan_s: float) -> list[int]:
    """Return how long before a makespan each order is due, for its last tasks; 0 for all others."""
    tasks = problem.shop.tasks[:-1]
    early_s = np.maximum(makespan_s - problem.shop.orders["due"][tasks["order"]], 0.0)
    found: list[int] = np.ceil(np.where(tasks["is_last"], early_s, 0.0) * PER_SECOND).astype(np.int64).tolist()
    return found
