"""Job shops in the published texts: what is written is read again, what is wrong is named with its line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plant.errors import InvalidInput
from scheduler.disjunctive import DisjunctiveProblem
from scheduler.job_shop_format import Job, jobs_of, problem_of, read_fjsp, read_jsp, write_fjsp, write_jsp

_MACHINES = 5
_DURATIONS = st.integers(0, 10**6)
_PAIRS = st.tuples(st.integers(0, _MACHINES - 1), _DURATIONS)
_FLEXIBLE = st.lists(_PAIRS, min_size=1, max_size=4, unique_by=lambda pair: pair[0])
_PLAIN = st.lists(_PAIRS, min_size=1, max_size=1)


def _jobs(operation: st.SearchStrategy[list[tuple[int, int]]]) -> st.SearchStrategy[list[Job]]:
    return st.lists(st.lists(operation, min_size=1, max_size=5), min_size=1, max_size=5)


@given(_jobs(_FLEXIBLE))
def test_a_flexible_job_shop_is_read_as_it_was_written(jobs: list[Job]) -> None:
    problem = problem_of(_MACHINES, jobs)
    assert jobs_of(read_fjsp(write_fjsp(problem))) == jobs
    assert read_fjsp(write_fjsp(problem)).machines == _MACHINES


@given(_jobs(_PLAIN))
def test_a_job_shop_is_read_as_it_was_written(jobs: list[Job]) -> None:
    assert jobs_of(read_jsp(write_jsp(problem_of(_MACHINES, jobs)))) == jobs


def test_machines_count_from_one_or_from_zero() -> None:
    assert jobs_of(read_fjsp("1 2 1.5\n\n2 1 1 7 2 1 3 2 4\n")) == [[[(0, 7)], [(0, 3), (1, 4)]]]
    assert jobs_of(read_jsp("2 2\n0 7 1 3\n1 4 1 5 -1 -1\n")) == [[[(0, 7)], [(1, 3)]], [[(1, 4)], [(1, 5)]]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the text is empty"),
        ("x 2\n", "line 1: x stands where the number of jobs should"),
        ("1\n", "line 1: it ends where the number of machines should stand"),
        ("0 2\n", "line 1: the number of jobs is 0; it must be at least 1"),
        ("2 2\n1 1 1 5\n", "says 2 jobs, but 1 lines follow"),
        ("1 2\n1 1 3 5\n", "line 2: machine 3 is unknown: the first line says 2, counted from 1"),
        ("1 2\n1 1 0 5\n", "line 2: a machine is 0; it must be at least 1"),
        ("1 2\n\n1 1 1 -5\n", "line 3: a duration is -5"),
        ("1 2\n1 1 1\n", "line 2: it ends where a duration should stand"),
        ("1 2\n1 1 1 5 6\n", "line 2: it goes on behind the job's last operation"),
        ("1 2\n1 0\n", "line 2: the number of alternatives is 0"),
        ("1 2\n1 2 1 5 1 6\n", "operation 0 names a machine twice"),
    ],
)
def test_a_wrong_flexible_text_is_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        read_fjsp(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 2\n2 5\n", "line 2: machine 2 is unknown: the first line says 2, counted from 0"),
        ("1 2\n0 5 1\n", "line 2: it ends where a duration should stand"),
        ("1 2\n-1 -1\n", "line 2: the job has no operation"),
        ("1 2\n0 5 -1 -1 1\n", "line 2: it goes on behind"),
    ],
)
def test_a_wrong_plain_text_is_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        read_jsp(text)


def test_what_the_texts_cannot_say_is_not_written() -> None:
    with pytest.raises(InvalidInput, match="use fjsp"):
        write_jsp(problem_of(2, [[[(0, 1), (1, 1)]]]))
    with pytest.raises(InvalidInput, match="chains"):
        write_fjsp(DisjunctiveProblem.of(1, [[(0, 1)]] * 3, [[], [], [0, 1]]))
    with pytest.raises(InvalidInput, match="chains"):
        write_fjsp(DisjunctiveProblem.of(1, [[(0, 1)]], [[]], heads=[3]))
