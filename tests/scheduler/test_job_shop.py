"""Works that are plain job shops are searched as such; their plans are plans like any other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from plant.item import Attendance
from plant.objective import OBJECTIVE, Aim, Objective
from plant.plant import SetupMatrix
from plant.text import Text
from plant.work import Lock, PersonOutlook, Running, Wait, Work
from scheduler.candidate import Candidate, Dispatcher
from scheduler.check import check
from scheduler.decode import as_plan
from scheduler.disjunctive import DisjunctiveProblem
from scheduler.job_shop import PER_SECOND, job_shop_of, searched
from scheduler.job_shop_search import Limits, search
from scheduler.prefix import opening
from scheduler.problem import Problem
from scheduler.rules import RULES
from scheduler.solve import SolverSettings, solve
from scheduler.stop import Enough
from scheduler.timing import Sequence
from tests.scheduler.job_shops import random_problem
from tests.scheduler.shops import HOUR, days, job_shop, machine, task, work

STEPS = Limits(steps=500, workers=1)


def work_of(shop: DisjunctiveProblem) -> Work:
    """Return a job shop as a work, a quarter of a second for each unit of time; tails are left out."""
    arrays, tasks = shop.arrays, []
    for v in range(shop.operations):
        given_ = range(arrays.alternative_edges[v], arrays.alternative_edges[v + 1])
        before = arrays.before[arrays.before_edges[v] : arrays.before_edges[v + 1]]
        durations = {f"M{arrays.machine[a]}": arrays.duration[a] / 4 for a in given_}
        tasks.append(task(f"T{v}", f"O{v % 5}", durations, *(f"T{u}" for u in before), release_s=arrays.head[v] / 4))
    return work(tasks, [machine(f"M{number}") for number in range(shop.machines)], {})


def first(problem: Problem) -> Candidate:
    found = Dispatcher(problem, opening(problem, None)).plan(RULES[0].index)
    assert found is not None
    return found


def shop_of(some: Work, objective: Objective = OBJECTIVE) -> DisjunctiveProblem | None:
    problem = Problem(some)
    return job_shop_of(problem, objective, first(problem))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.booleans())
def test_the_plan_is_possible_and_its_times_are_those_of_the_search(seed: int, flexible: bool) -> None:
    note(f"seed {seed}")
    problem = Problem(work_of(random_problem(seed, flexible=flexible)))
    shop = job_shop_of(problem, OBJECTIVE, first(problem))
    assert shop is not None
    result, found = search(shop, STEPS, seed), searched(problem, shop, STEPS, seed, lambda share, doing: None)
    assert found.best is not None
    plan = as_plan(problem, found.best.sequence, found.best.steps)
    assert check(problem.work, plan) == []
    times = [plan.by_job_order[one.id] for one in problem.tasks]
    assert [one.start_s for one in times] == (result.start / PER_SECOND).tolist()
    assert [one.end_s for one in times] == (result.end / PER_SECOND).tolist()
    assert found.best.score.makespan == result.objective / PER_SECOND
    assert found.makespan_s <= plan.makespan_s


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.floats(0.3, 1.0))
def test_whatever_is_shorter_is_on_time(seed: int, share: float) -> None:
    """Orders are due soon after the first plan has them done, or before its end."""
    note(f"seed {seed}")
    some = work_of(random_problem(seed, flexible=True))
    plan = as_plan(Problem(some), *_steps(first(Problem(some))))
    due = {
        name: max(plan.by_job_order[one.id].end_s for one in some.tasks if one.order == name) for name in some.orders
    }
    orders = {
        name: replace(one, due_s=1.1 * due[name] if place % 2 else max(due[name], share * plan.makespan_s))
        for place, (name, one) in enumerate(some.orders.items())
    }
    problem = Problem(replace(some, orders=orders))
    best = first(problem)
    if best.score.tardiness > 0:  # due dates change what the rule does
        return
    shop = job_shop_of(problem, OBJECTIVE, best)
    assert shop is not None
    result = search(shop, STEPS, seed)
    found = searched(problem, shop, STEPS, seed, lambda share, doing: None).best
    assert found is not None
    if result.objective < round(best.score.makespan * PER_SECOND):
        assert found.score.tardiness == 0
        assert found.score.makespan < best.score.makespan


def _steps(found: Candidate) -> tuple[Sequence, int]:
    return found.sequence, found.steps


def plain() -> Work:
    tasks = [task("a", "o", {"M1": HOUR, "M2": HOUR}), task("b", "o", {"M1": HOUR}, "a")]
    return work(tasks, [machine("M1"), machine("M2")], {})


def changed(**changes: object) -> Work:
    some = plain()
    return replace(some, tasks=(some.tasks[0], replace(some.tasks[1], **changes)))  # type: ignore[arg-type]


def on(**changes: object) -> Work:
    some = plain()
    return replace(some, machines={**some.machines, "M1": machine("M1", **changes)})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "some",
    [
        changed(attendance=Attendance.ALL),
        changed(lock=Lock("M1", 3 * HOUR)),
        changed(waits={"a": Wait(least_s=1.0)}),
        changed(waits={"a": Wait(most_s=HOUR)}),
        changed(durations_s={"M1": 1.00001}),
        changed(release_s=0.00001),
        changed(predecessors=(), running=Running("M1", -HOUR, HOUR)),
        on(setup_matrix=SetupMatrix("m", 1.0)),
        on(batch_capacity=2),
        on(available_from_s=1.0),
        on(working_time=days([(0, 8)])),
        replace(plain(), transport_s={("M1", "M2"): 1.0}),
    ],
)
def test_what_is_more_than_a_job_shop_is_not_taken_for_one(some: Work) -> None:
    assert shop_of(plain()) is not None
    people = {} if some.tasks[1].attendance is Attendance.NONE else {"P": _somebody()}
    assert shop_of(replace(some, people=people)) is None


def _somebody() -> PersonOutlook:
    return PersonOutlook("P", days([(0, 24)]))


def test_the_makespan_must_be_what_is_left_to_better() -> None:
    late = work([task("a", "o", {"M1": HOUR})], [machine("M1")], {"o": 0.5 * HOUR})
    assert shop_of(late) is None
    makespan, setup = Objective((Aim.MAKESPAN,)), Objective((Aim.TARDINESS, Aim.SETUP, Aim.MAKESPAN))
    assert shop_of(late, makespan) is not None
    assert shop_of(plain(), setup) is None
    assert shop_of(plain(), Objective((Aim.TARDINESS,))) is None
    assert shop_of(plain(), Objective((Aim.TARDINESS, Aim.MAKESPAN), (1.0, 1.0))) is None


def test_a_plan_that_fills_a_machine_is_proven_at_once() -> None:
    tasks = [task(f"t{n}", f"o{n}", {"M1": HOUR, "M2": 3 * HOUR}) for n in range(3)]
    tasks += [task(f"u{n}", f"o{n}", {"M2": 2 * HOUR}, f"t{n}") for n in range(3)]
    solution = solve(work(tasks, [machine("M1"), machine("M2")], {}), SolverSettings(time_limit_s=600))
    assert solution.plan.makespan_s == 7 * HOUR
    assert solution.report.status == "optimal"


def test_the_same_effort_gives_the_same_plan() -> None:
    some, settings_ = work_of(random_problem(3, flexible=True, most=400)), SolverSettings(time_limit_s=600, effort=0.3)
    one, other = solve(some, settings_), solve(some, settings_)
    assert one.plan == other.plan
    assert one.report.method == "job shop search"


def test_enough_ends_it_with_the_best_plan_so_far() -> None:
    some = _hard()

    def enough(share: float, doing: Text) -> None:
        if "job shop search" in str(doing):
            raise Enough

    solution = solve(some, SolverSettings(time_limit_s=600), enough)
    assert check(some, solution.plan) == []
    assert solution.report.status.startswith("stopped early")


def test_stagnation_ends_it() -> None:
    solution = solve(_hard(), SolverSettings(time_limit_s=3600, stagnation_s=0.3))
    assert check(_hard(), solution.plan) == []


def _hard() -> Work:
    """Twenty jobs on fifteen machines: more than CP-SAT is asked for, and too much for any test to finish."""
    dice = np.random.default_rng(20260105)
    return job_shop([" ".join(f"{m} {dice.integers(1, 99)}" for m in dice.permutation(15)) for _ in range(20)])
