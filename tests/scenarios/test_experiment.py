"""Experiments end when the question is answered, when they may not go on, or when it is enough."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pytest

from plant.errors import Cancelled, InvalidInput
from scenarios.case import Case
from scenarios.evaluate import CHUNK, Evaluator, evaluate
from scenarios.experiment import Ended, InlineRunner, Piece, Question, run_experiment
from scenarios.measures import MEASURES, measure_named
from scenarios.precision import HalfWidth
from scenarios.scenario import BASE, LIBRARY, load
from tests.scenarios.shop import machine_shop


class Normal:
    """Answers normal data, pairs correlated, each piece always the same."""

    def __init__(self, means: dict[str, float]) -> None:
        self.means = means
        self.asked: list[Piece] = []

    def run(
        self, cases: Mapping[str, Case], seed: int, pieces: Sequence[Piece], evaluator: Evaluator = evaluate
    ) -> Iterator[tuple[Piece, np.ndarray]]:
        for name, chunk in reversed(pieces):  # the order does not matter
            self.asked.append((name, chunk))
            shared = np.random.default_rng((seed, chunk)).normal(0, 4, (CHUNK, 1))
            own = np.random.default_rng((seed, chunk, len(name))).normal(0, 1, (CHUNK, len(MEASURES)))
            yield (name, chunk), self.means[name] + shared + own


def cases(*names: str) -> dict[str, Case]:
    return dict.fromkeys((BASE, *names), machine_shop())


def test_it_ends_as_soon_as_every_difference_is_known_well_enough() -> None:
    runner = Normal({BASE: 10.0, "one": 12.0, "three": 9.0})
    found = run_experiment(cases("one", "three"), Question(half_width=HalfWidth(0.1)), runner)
    assert found.ended is Ended.ANSWERED
    assert all(one.half_width <= 0.1 for one in found.answering())
    # sqrt(2) / sqrt(n) * 2.24 = 0.1 needs about 1000, and no fewer: common luck is gone from the difference.
    assert 800 <= found.replications <= 1400
    assert found.difference("one", MEASURES[0]).mean == pytest.approx(2.0, abs=0.2)
    assert len(runner.asked) == len(set(runner.asked)), "no piece is asked for twice"


def test_the_base_alone_is_asked_for_its_own_mean() -> None:
    found = run_experiment(cases(), Question(half_width=HalfWidth(0.3)), Normal({BASE: 10.0}))
    assert found.answering() == [found.mean(BASE, MEASURES[0])]
    assert found.answering()[0].half_width <= 0.3


def test_it_ends_when_the_replications_are_used_up() -> None:
    runner = Normal({BASE: 10.0, "one": 12.0})
    found = run_experiment(cases("one"), Question(half_width=HalfWidth(1e-6), max_replications=300), runner)
    assert (found.ended, found.replications) == (Ended.EXHAUSTED, 300)


def test_the_best_is_looked_for_until_it_is_found() -> None:
    runner = Normal({BASE: 10.0, "one": 10.2, "three": 9.8})
    question = Question(half_width=None, indifference=0.2)
    found = run_experiment(cases("one", "three"), question, runner)
    assert found.ended is Ended.ANSWERED
    assert found.selection is not None
    assert found.selection.best == "three", "less lead time is better"
    more = Question(measure="on_time", half_width=None, indifference=0.2)
    again = run_experiment(cases("one", "three"), more, runner).selection
    assert again is not None
    assert again.best == "one"


def test_enough_takes_what_is_complete_in_every_case() -> None:
    runner = Normal({BASE: 10.0, "one": 12.0})
    answers = iter([False] * 5 + [True] * 99)
    question = Question(half_width=HalfWidth(1e-6))
    found = run_experiment(cases("one"), question, runner, enough=lambda: next(answers))
    assert found.ended is Ended.STOPPED
    assert found.replications % CHUNK == 0
    assert {len(sample) for sample in found.samples.values()} == {found.replications}
    with pytest.raises(Cancelled, match="nothing can be compared"):
        run_experiment(cases("one"), question, runner, enough=lambda: True)


def test_a_maximum_reached_in_a_smaller_way_is_the_same_futures() -> None:
    few = run_experiment(cases(), Question(half_width=None, max_replications=50), Normal({BASE: 1.0}))
    many = run_experiment(cases(), Question(half_width=None, max_replications=150), Normal({BASE: 1.0}))
    assert np.array_equal(few.samples[BASE], many.samples[BASE][:50])


def test_common_luck_narrows_the_difference_of_the_machine_shop() -> None:
    shop = {BASE: machine_shop(), "down": load(LIBRARY / "machine_down_4h").apply(machine_shop())}
    found = run_experiment(shop, Question(half_width=None, max_replications=128), InlineRunner())
    lead = [found.samples[name][:, 0] for name in (BASE, "down")]
    # The least that is promised is five; over 128 replications the estimate is good to about a quarter.
    assert (lead[0].var() + lead[1].var()) / (lead[1] - lead[0]).var() > 5


def test_nonsense_is_refused() -> None:
    for wrong in ({"confidence": 1.0}, {"max_replications": 1}, {"indifference": 0.0}, {"probability": 0.0}):
        with pytest.raises(InvalidInput):
            Question(**wrong)  # type: ignore[arg-type]
    assert measure_named("lead-time").id == "lead_time"
