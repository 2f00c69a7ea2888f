"""What no plan can be better than: each order for itself, as if it had the whole shop."""

from __future__ import annotations

from scheduler.problem import Problem
from scheduler.score import Score


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
    orders = [one for one in problem.work.orders.values() if one.id in done]
    late = sum(one.priority.weight * max(done[one.id] - one.due_s, 0.0) for one in orders)
    return Score(tardiness=late, makespan=max(finish, default=0.0))
