"""Successive halving finds the best, looks at everybody in the same cases, and at each just once."""

from __future__ import annotations

import pytest

from plant.errors import InvalidInput
from scenarios.halving import best_of, looks, rungs


def test_the_better_half_goes_on_to_twice_the_cases() -> None:
    assert rungs(9, 2) == [(9, 2), (5, 4), (3, 8), (2, 16)]
    assert rungs(1, 2) == []


@pytest.mark.parametrize(("arms", "first"), [(1, 1), (2, 1), (7, 2), (16, 3)])
def test_each_is_looked_at_once_a_case_and_as_often_as_foretold(arms: int, first: int) -> None:
    seen: list[tuple[int, int]] = []

    def score(arm: int, case: int) -> tuple[float, ...]:
        seen.append((arm, case))
        return (float((arm * 7) % arms),)

    assert best_of(range(arms), score, first) == 0
    assert len(set(seen)) == len(seen) == looks(arms, first)
    assert {case for arm, case in seen if arm == 0} == set(range(rungs(arms, first)[-1][1] if arms > 1 else 0))


def test_luck_that_all_share_decides_nothing() -> None:
    def score(arm: int, case: int) -> tuple[float, ...]:
        return (1000.0 * ((case * 37) % 11) + abs(arm - 5),)

    assert best_of(range(12), score, 1) == 5


def test_between_equals_what_comes_later_counts_and_then_who_stood_first() -> None:
    assert best_of(range(8), lambda arm, _: (0.0, -float(arm == 6)), 1) == 6
    assert best_of(range(8), lambda arm, _: (0.0, 0.0), 1) == 0


def test_nothing_cannot_be_halved() -> None:
    with pytest.raises(InvalidInput, match="something to halve"):
        best_of([], lambda arm, case: (0.0,), 1)
