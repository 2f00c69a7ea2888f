"""What is no job shop is refused with what and where."""

from __future__ import annotations

from typing import Any

import pytest

from plant.errors import InvalidInput
from scheduler.disjunctive import DisjunctiveProblem


def test_arrays_hold_what_was_given() -> None:
    problem = DisjunctiveProblem.of(2, [[(0, 3), (1, 2)], [(1, 4)], [(0, 1)]], [[2], [0, 0], []], [1, 0, 0], [0, 0, 9])
    arrays = problem.arrays
    assert problem.flexible
    assert arrays.order.tolist() == [2, 0, 1]
    assert arrays.before.tolist() == [2, 0]
    assert arrays.after_edges.tolist() == [0, 1, 1, 2]
    assert arrays.after.tolist() == [1, 0]
    assert arrays.room_edges.tolist() == [0, 2, 4]
    assert arrays.last.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"machines": 0}, "at least 1 machine"),
        ({"alternatives": [[(0, 1)], []]}, "operation 1 has no machine"),
        ({"alternatives": [[(0, 1)], [(2, 1)]]}, "operation 1 names machine 2; there are 2, counted from 0"),
        ({"alternatives": [[(0, 1)], [(-1, 1)]]}, "operation 1 names machine -1"),
        ({"alternatives": [[(0, 1)], [(0, 1), (0, 2)]]}, "operation 1 names a machine twice"),
        ({"alternatives": [[(0, -1)], [(0, 1)]]}, "operation 0 takes -1 on machine 0"),
        ({"alternatives": [[(0, 2**52)], [(0, 2**52)]]}, "count in a longer unit"),
        ({"predecessors": [[]]}, "1 lists of predecessors for 2 operations"),
        ({"predecessors": [[], [2]]}, "operation 1 waits for operation 2; there are 2"),
        ({"predecessors": [[1], [0]]}, "waits for itself"),
        ({"predecessors": [[0], []]}, "operation 0 waits for itself"),
        ({"heads": [0]}, "1 head times for 2 operations"),
        ({"heads": [0, -1]}, "the head of operation 1 is -1"),
        ({"tails": [2**53, 0]}, "the tail of operation 0 is 9007199254740992"),
    ],
)
def test_what_is_wrong_is_refused(changed: dict[str, Any], message: str) -> None:
    given = {"machines": 2, "alternatives": [[(0, 1)], [(1, 1)]], "predecessors": [[], [0]]}
    with pytest.raises(InvalidInput, match=message):
        DisjunctiveProblem.of(**{**given, **changed})
