"""Steady-state questions: the order book repeated, its beginning and its end left out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from plant.errors import InvalidInput
from scenarios.evaluate import CHUNK, Sample, evaluate, prepare
from scenarios.experiment import InlineRunner
from scenarios.scenario import BASE
from scenarios.steady import repeated, settle
from tests.scenarios.shop import machine_shop


def test_the_book_is_repeated_by_whole_weeks() -> None:
    case = repeated(machine_shop(), 6)
    assert len(case.orders) == 3 * 44
    first, again = case.order("CO-1001"), case.order("CO-1001~3")
    assert again.ordered_at - first.ordered_at == again.due_at - first.due_at == timedelta(weeks=4)
    assert replace(again, id=first.id, ordered_at=first.ordered_at, due_at=first.due_at) == first


@pytest.mark.parametrize(("weeks", "said"), [(4, "three are the least"), (30, "within 24 weeks")])
def test_too_few_or_too_many_weeks_are_refused(weeks: int, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        repeated(machine_shop(), weeks)


class Series:
    """Answers lead times that begin high and settle after `settles` orders, or grow and grow (None)."""

    def __init__(self, settles: dict[str, int | None]) -> None:
        self.settles = settles

    def run(self, cases, seed, pieces, evaluator):  # type: ignore[no-untyped-def]
        count = len(evaluator.keywords["orders"])
        for name, chunk in pieces:
            settles = self.settles[name]
            place = np.arange(count, dtype=float)
            series = place if settles is None else np.where(place < settles, 50.0, 10.0)
            yield (name, chunk), np.repeat(series[:, None], CHUNK, axis=1)


def test_the_longest_warm_up_of_all_cases_is_deleted_in_all() -> None:
    case = repeated(machine_shop(), 8)
    found = settle({BASE: case, "slow": case}, 44, 1, Series({BASE: 10, "slow": 35}))
    assert (found.deleted, found.last, found.settled) == (35, 44, True)
    assert len(found.counted) == 4 * 44 - 44 - 35
    assert not found.counted & {order.id for order in case.orders if order.id.endswith("~4")}


def test_a_series_that_never_settles_says_so_and_keeps_something() -> None:
    case = repeated(machine_shop(), 8)
    found = settle({BASE: case}, 44, 1, Series({BASE: None}))
    assert not found.settled
    assert found.counted


def test_only_the_orders_that_count_are_measured() -> None:
    prepared = prepare(machine_shop())
    whole: Sample = evaluate(prepared, 1, 0)
    one = evaluate(prepared, 1, 0, frozenset({"CO-1016"}))
    assert not np.allclose(whole[:, 0], one[:, 0])
    assert np.array_equal(whole[:, 3:], one[:, 3:]), "what is the shop's stays the shop's"
    with pytest.raises(InvalidInput, match="none of the orders"):
        evaluate(prepared, 1, 0, frozenset({"nobody's"}))


def test_the_machine_shop_has_a_steady_state() -> None:
    case = repeated(machine_shop(), 6)
    found = settle({BASE: case}, 44, 1, InlineRunner())
    assert 0 < found.deleted <= 44
