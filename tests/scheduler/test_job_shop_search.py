"""The compiled search: possible, true, repeatable, and as good as is known on small shops."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plant.errors import Cancelled, InvalidInput
from plant.ports import Progress
from plant.text import Text
from scheduler.disjunctive import DisjunctiveProblem
from scheduler.job_shop_format import read_jsp
from scheduler.job_shop_search import Limits, Result, search
from scheduler.stop import Enough
from tests.scheduler.job_shops import FT06, faults, random_problem


def test_known_optimum_of_a_job_shop() -> None:
    result = search(read_jsp(FT06), Limits(steps=5_000, workers=1))
    assert faults(read_jsp(FT06), result) == []
    assert result.objective == 55


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.booleans())
def test_every_result_is_possible_and_its_objective_true(seed: int, flexible: bool) -> None:
    problem = random_problem(seed, flexible=flexible)
    assert faults(problem, search(problem, Limits(steps=200, workers=1), seed)) == []


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.booleans())
def test_small_shops_are_solved_to_the_optimum(seed: int, flexible: bool) -> None:
    problem = random_problem(seed, flexible=flexible, most=5)
    assert search(problem, Limits(steps=1_000, workers=1), seed).objective == _optimum(problem)


@pytest.mark.parametrize("flexible", [False, True])
def test_the_same_seed_and_steps_give_the_same_result(flexible: bool) -> None:
    problem = random_problem(7, flexible=flexible, most=200)
    one, other = (search(problem, Limits(steps=10_000), seed=3) for _ in range(2))
    assert one.sequences == other.sequences
    assert (one.start == other.start).all()
    assert one.steps == other.steps


def test_seconds_end_the_search() -> None:
    problem = _hard()
    result = search(problem, Limits(seconds=0.5))
    assert faults(problem, result) == []
    assert result.objective > result.bound
    assert [objective for _, objective in result.history] == sorted({o for _, o in result.history}, reverse=True)
    assert result.history[-1][1] == result.objective


def test_a_gap_ends_the_search() -> None:
    result = search(_hard(), Limits(seconds=600, gap=1.0))
    assert result.objective <= 2 * result.bound


def test_enough_returns_the_best_so_far_and_other_exceptions_go_through() -> None:
    problem = _hard()
    result = search(problem, Limits(seconds=600), progress=_raising(Enough()))
    assert faults(problem, result) == []
    with pytest.raises(Cancelled):
        search(problem, Limits(seconds=600), progress=_raising(Cancelled("no more")))


def test_a_search_without_limit_or_operation_is_refused() -> None:
    with pytest.raises(InvalidInput, match="give seconds or steps"):
        Limits()
    for workers in (0, 65):
        with pytest.raises(InvalidInput, match=f"workers must be 1 to 64, not {workers}"):
            Limits(steps=1, workers=workers)
    with pytest.raises(InvalidInput, match="no operation"):
        search(DisjunctiveProblem.of(1, [], []), Limits(steps=1))


def _hard() -> DisjunctiveProblem:
    """Fifteen jobs on fifteen machines: too much for any of these tests to finish."""
    dice = np.random.default_rng(20260105)
    alternatives = [[(int(m), int(dice.integers(1, 99)))] for _ in range(15) for m in dice.permutation(15)]
    return DisjunctiveProblem.of(15, alternatives, [[v - 1] if v % 15 else [] for v in range(225)])


def _raising(error: Exception) -> Progress:
    calls = itertools.count()

    def progress(share: float, doing: Text) -> None:
        assert 0 <= share <= 1
        assert "job shop search" in str(doing)
        if next(calls) == 3:
            raise error

    return progress


def _optimum(problem: DisjunctiveProblem) -> int:
    """Return the best objective by trying every order and every alternative, each operation as early as it can."""
    arrays, best = problem.arrays, 1 << 60
    edges, before = arrays.alternative_edges.tolist(), arrays.before_edges.tolist()
    choices = [range(edges[v], edges[v + 1]) for v in range(problem.operations)]
    waits = [arrays.before[before[v] : before[v + 1]].tolist() for v in range(problem.operations)]
    for order in itertools.permutations(range(problem.operations)):
        if any(order.index(u) > order.index(v) for v in order for u in waits[v]):
            continue
        for chosen in itertools.product(*choices):
            end, free, largest = [0] * len(order), [0] * problem.machines, 0
            for v in order:
                machine = arrays.machine[chosen[v]]
                start = max([arrays.head[v], free[machine], *(end[u] for u in waits[v])])
                end[v] = free[machine] = int(start + arrays.duration[chosen[v]])
                largest = max(largest, end[v] + int(arrays.tail[v]))
            best = min(best, largest)
    return best


def test_the_checker_finds_what_is_wrong() -> None:
    problem = read_jsp(FT06)
    good = search(problem, Limits(steps=10, workers=1))
    bad = Result(**{**vars(good), "start": good.start - 1, "end": good.end - 1})
    assert faults(problem, bad) != []
