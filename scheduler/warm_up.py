"""Have the compiled search at hand before somebody waits for a plan."""

from __future__ import annotations

from datetime import UTC, datetime

from plant.calendar import WorkingTime
from plant.objective import OBJECTIVE
from plant.plant import SetupMatrix
from plant.ports import Progress, no_progress
from plant.work import MachineOutlook, OrderDemand, Task, Work
from scheduler import job_shop_search
from scheduler.candidate import Dispatcher
from scheduler.disjunctive import DisjunctiveProblem
from scheduler.job_shop_search import Limits
from scheduler.objective import weights_of
from scheduler.prefix import opening
from scheduler.problem import Problem
from scheduler.rules import RULES
from scheduler.score import Aims, everything
from scheduler.search import Search

_MOVES = 200


def warm_up_job_shops(progress: Progress = no_progress) -> None:
    """Search a plain job shop of next to nothing: what that compiles is kept, and every process finds it there.

    Parameters
    ----------
    progress
        Is not told anything: nobody waits for this.
    """
    plain = DisjunctiveProblem.of(2, [[(0, 1)], [(1, 2)], [(1, 2)], [(0, 2)]], [[], [0], [], [2]])
    job_shop_search.search(plain, Limits(steps=50, workers=1))
    flexible = DisjunctiveProblem.of(2, [[(0, 1), (1, 2)], [(0, 2), (1, 2)], [(0, 3)], [(0, 2)]], [[], [0], [], [2]])
    job_shop_search.search(flexible, Limits(steps=50, workers=1))


def warm_up_plans(progress: Progress = no_progress) -> None:
    """The same for dispatching, timing and annealing."""
    problem = Problem(_next_to_nothing())
    head = opening(problem, None)
    start = Dispatcher(problem, head).plan(RULES[0].index)
    assert start is not None  # nothing is frozen that could wait for itself
    aims = Aims(weights_of(OBJECTIVE), everything(len(problem.tasks)).near)
    Search(problem, aims, head, 1, 1).run(start, _MOVES, lambda moves, _: moves / _MOVES)


def _next_to_nothing() -> Work:
    epoch = datetime(2026, 1, 5, tzinfo=UTC)
    machines = [
        MachineOutlook(name, WorkingTime.always(), SetupMatrix("matrix", 1.0), batch_capacity=2) for name in ("M", "N")
    ]
    names = ("one", "other", "third")
    tasks = [Task(f"{name}-10", name, "item", "10", 1, (), {"M": 2.0, "N": 1.0}, "first") for name in names]
    tasks += [Task(f"{name}-20", name, "item", "20", 1, (f"{name}-10",), {"M": 1.0}, "second") for name in names]
    orders = {name: OrderDemand(name, 1.0) for name in names}
    return Work(epoch, tuple(tasks), {one.id: one for one in machines}, orders)
