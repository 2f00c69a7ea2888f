"""What no plan can be better than: each order for itself, as if it had the whole shop."""

from __future__ import annotations

from scheduler.problem import Problem


def bound_of(problem: Problem) -> tuple[float, float]:
    """Return lower bounds of weighted tardiness and makespan, in seconds.

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
    late = (
        order.priority.weight * max(done[name] - order.due_s, 0.0)
        for name, order in problem.work.orders.items()
        if name in done
    )
    return sum(late), max(finish, default=0.0)
