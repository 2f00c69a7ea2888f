"""Figures of an experiment: what is drawn is what was found."""

from __future__ import annotations

import numpy as np
import pytest

from dashboard.figures.experiment import BETTER, SAME, WORSE, colour_of, differences, half_widths, label, spread
from dashboard.words import Words
from scenarios.experiment import Ended, Outcome, Question
from scenarios.intervals import Interval
from scenarios.measures import MEASURES, measure_named
from scenarios.precision import HalfWidth

SAY = Words("en")
TITLES = {"base": "As it is", "a": "A & B", "b": "Other"}


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    random = np.random.default_rng(1)
    base = random.normal(10, 1, (100, len(MEASURES)))
    samples = {"base": base, "a": base + 2 + random.normal(0, 0.1, base.shape), "b": random.normal(10, 1, base.shape)}
    return Outcome(Question(half_width=HalfWidth(0.25)), ("base", "a", "b"), samples, Ended.ANSWERED, None)


def test_every_measure_has_a_bar_and_a_whisker_per_scenario(outcome: Outcome) -> None:
    figure = differences(outcome, TITLES, SAY)
    assert len(figure.data) == len(MEASURES)
    for trace, measure in zip(figure.data, MEASURES, strict=True):
        found = outcome.difference("a", measure)
        factor = 100 if measure.unit == "1" else 1
        assert trace.x[0] == pytest.approx(found.mean * factor)
        assert trace.error_x.array[0] == pytest.approx(found.half_width * factor)
        assert list(trace.y) == ["A &amp; B", "Other"], "names are escaped"


def test_colours_say_better_worse_or_neither() -> None:
    lead, on_time = measure_named("lead_time"), measure_named("on_time")
    assert colour_of(Interval(2, 1, 0.95, 9), lead) == WORSE
    assert colour_of(Interval(-2, 1, 0.95, 9), lead) == BETTER
    assert colour_of(Interval(2, 1, 0.95, 9), on_time) == BETTER
    assert colour_of(Interval(2, 3, 0.95, 9), lead) == SAME


def test_the_spread_shows_every_future(outcome: Outcome) -> None:
    figure = spread(outcome, TITLES, SAY)
    assert [len(trace.x) for trace in figure.data] == [100, 100, 100]
    assert figure.data[0].name == "As it is"


def test_half_widths_end_where_the_experiment_did(outcome: Outcome) -> None:
    figure = half_widths(outcome, TITLES, SAY)
    assert len(figure.data) == 2
    for trace, name in zip(figure.data, ("a", "b"), strict=True):
        assert trace.x[-1] == 100
        assert trace.y[-1] == pytest.approx(outcome.difference(name, measure_named("lead_time")).half_width)
    assert figure.layout.shapes[0].y0 == pytest.approx(0.25)


def test_names_and_units_are_translated() -> None:
    assert label(measure_named("lead_time"), SAY) == "Lead time (h)"
    assert label(measure_named("on_time"), Words("zh")) == "准时率 (%)"
