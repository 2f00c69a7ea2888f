"""What no plan can be better than: each order for itself, as if it had the whole shop."""

from __future__ import annotations

from collections.abc import Mapping

from scheduler.decode import BUFFERED
from scheduler.problem import Problem
from scheduler.timing import Score


def bound_of(problem: Problem) -> Score:
    """Return a score no plan can better in any part.

    Every task begins when it is released and all it waits for is done, on the machine that would finish it first, and
    pays no changeover.
    """
    release, free = problem.shop.tasks["release"].tolist(), problem.shop.machines["free"].tolist()
    finish: list[float] = []
    done: dict[str, float] = {}
    for number, task in enumerate(problem.tasks):
        ready = max([release[number], *(finish[before] for before in problem.predecessors(number))])
        ended = min(
            problem.machines[machine].working_time.finish(
                max(ready, free[machine]), float(problem.shop.duration[number, machine])
            )
            for machine in problem.options(number)
        )
        finish.append(ended)
        done[task.order] = max(done.get(task.order, ended), ended)
    return Score(
        0.0, _late_s(problem, done, 0.0), _late_s(problem, done, BUFFERED.buffer_s), max(finish, default=0.0), 0.0
    )


def _late_s(problem: Problem, done: Mapping[str, float], buffer_s: float) -> float:
    orders = problem.work.orders.values()
    return sum(one.priority.weight * max(done[one.id] - one.due_s + buffer_s, 0.0) for one in orders if one.id in done)
