"""Steady-state questions: the order book repeated, its beginning and its end left out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cache

import numpy as np
import pytest

from benchmarks.floors import floor, item, machine, operation
from plant.distribution import exponential
from plant.errors import InvalidInput
from plant.snapshot import Snapshot
from scenarios.case import Case
from scenarios.evaluate import CHUNK, Sample, evaluate
from scenarios.experiment import InlineRunner, Question, run_experiment
from scenarios.measures import MEASURES, measure_named
from scenarios.prepare import prepare
from scenarios.scenario import BASE
from scenarios.steady import lasting, settle
from tests.scenarios.shop import machine_shop


def test_the_book_is_repeated_by_whole_weeks() -> None:
    case = lasting(machine_shop(), 6)
    assert len(case.orders) == 3 * 44
    first, again = case.order("CO-1001"), case.order("CO-1001~3")
    assert again.ordered_at - first.ordered_at == again.due_at - first.due_at == timedelta(weeks=4)
    assert replace(again, id=first.id, ordered_at=first.ordered_at, due_at=first.due_at) == first


@pytest.mark.parametrize(("weeks", "said"), [(4, "three are the least"), (30, "within 24 weeks")])
def test_too_few_or_too_many_weeks_are_refused(weeks: int, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        lasting(machine_shop(), weeks)


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
    case = lasting(machine_shop(), 8)
    found = settle({BASE: case, "slow": case}, 44, 1, Series({BASE: 10, "slow": 35}))
    assert (found.deleted, found.last, found.settled) == (35, 44, True)
    assert len(found.counted) == 4 * 44 - 44 - 35
    assert not found.counted & {order.id for order in case.orders if order.id.endswith("~4")}


def test_a_series_that_never_settles_says_so_and_keeps_something() -> None:
    case = lasting(machine_shop(), 8)
    found = settle({BASE: case}, 44, 1, Series({BASE: None}))
    assert not found.settled
    assert found.counted


MEAN_H = 1.0
BETWEEN_H = 1.5


@cache
def queue() -> Case:
    """One machine, jobs that come at random and take at random long: M/M/1 at two thirds, out of its plant folder."""
    hours = {"family": "exponential", "mean_s": BETWEEN_H * 3600}
    stream = {"id": "JOBS", "item": "A", "quantity": 1, "interarrival": hours}
    plant = floor([machine("M")], [item("A", operation("M", MEAN_H * 3600))], [stream]).plant
    return Case(plant, (), Snapshot(plant.starts_at))


def test_arrivals_come_to_the_steady_state_that_queueing_theory_knows() -> None:
    """The mean time in an M/M/1 queue is 1 / (mu - lambda); 32 futures, an interval of 99.9 % confidence."""
    cases = {BASE: lasting(queue(), 12)}
    runner = InlineRunner()
    steady = settle(cases, 0, 1, runner)
    assert steady.settled
    assert (steady.deleted + len(steady.counted), steady.last) == (1344 - 134, 134)
    question = Question(half_width=None, max_replications=CHUNK, confidence=0.999, seed=20260109)
    found = run_experiment(cases, question, runner, counted=steady.counted)
    exact_h = 1 / (1 / MEAN_H - 1 / BETWEEN_H)
    lead_time = found.mean(BASE, MEASURES[0])
    assert abs(lead_time.mean - exact_h) <= lead_time.half_width, f"{lead_time} against {exact_h} (seed 20260109)"
    assert lead_time.half_width < 0.1 * exact_h
    throughput = found.mean(BASE, measure_named("throughput"))
    assert abs(throughput.mean - 24 / BETWEEN_H) <= throughput.half_width + 0.1, "a few are in process at the end"


def test_arrivals_without_end_are_refused_where_nothing_ends_them() -> None:
    with pytest.raises(InvalidInput, match="arrivals JOBS have no end; ask for the steady state"):
        prepare(queue())
    rare = tuple(replace(one, interarrival=exponential(86400.0)) for one in queue().plant.arrivals)
    with pytest.raises(InvalidInput, match="2 weeks bring 14 arrivals; 40 are the least"):
        lasting(replace(queue(), plant=replace(queue().plant, arrivals=rare)), 2)


def test_only_the_orders_that_count_are_measured() -> None:
    prepared = prepare(machine_shop())
    whole: Sample = evaluate(prepared, 1, 0)
    one = evaluate(prepared, 1, 0, frozenset({"CO-1016"}))
    assert not np.allclose(whole[:, 0], one[:, 0])
    assert np.array_equal(whole[:, 3:], one[:, 3:]), "what is the shop's stays the shop's"
    with pytest.raises(InvalidInput, match="none of the orders"):
        evaluate(prepared, 1, 0, frozenset({"nobody's"}))


def test_the_machine_shop_has_a_steady_state() -> None:
    case = lasting(machine_shop(), 6)
    found = settle({BASE: case}, 44, 1, InlineRunner())
    assert 0 < found.deleted <= 44
