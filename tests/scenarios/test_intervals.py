"""Intervals cover what they say, alone, paired and several at once: on normal data, where it is known exactly."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom

from plant.errors import InvalidInput
from scenarios.intervals import Interval, each_of, mean_interval, paired_interval

SEED = 20260105
FALSE_ALARM = 0.001
"""Probability with which a test here fails although all is right (the seed is fixed: it either does or does not)."""


def accepted(trials: int, probability: float) -> tuple[int, int]:
    """Return the counts between which a right procedure lies, two-sided."""
    return int(binom.ppf(FALSE_ALARM / 2, trials, probability)), int(
        binom.ppf(1 - FALSE_ALARM / 2, trials, probability)
    )


@pytest.mark.parametrize(("confidence", "count"), [(0.9, 3), (0.95, 10), (0.99, 40)])
def test_an_interval_of_a_mean_covers_it_as_often_as_it_says(confidence: float, count: int) -> None:
    random, trials = np.random.default_rng(SEED), 4000
    rows = random.normal(7.0, 3.0, (trials, count))
    covered = sum(one.low <= 7.0 <= one.high for one in (mean_interval(row, confidence) for row in rows))
    low, high = accepted(trials, confidence)
    assert low <= covered <= high, f"seed {SEED}: {covered} of {trials}"


def test_a_paired_interval_covers_the_difference_and_is_narrow_where_luck_is_shared() -> None:
    random, trials, count = np.random.default_rng(SEED), 4000, 20
    covered, paired, apart = 0, [], []
    for _ in range(trials):
        luck = random.normal(0.0, 5.0, count)
        base, other = 50 + luck + random.normal(0, 1, count), 52 + luck + random.normal(0, 1, count)
        one = paired_interval(other, base, 0.95)
        covered += one.low <= 2.0 <= one.high
        paired.append(one.half_width)
        apart.append(paired_interval(random.permutation(other), base, 0.95).half_width)
    low, high = accepted(trials, 0.95)
    assert low <= covered <= high, f"seed {SEED}: {covered} of {trials}"
    # Standard deviations of the difference: sqrt(2) with shared luck, sqrt(52) without.
    assert np.mean(apart) / np.mean(paired) == pytest.approx(math.sqrt(26), rel=0.05)


def test_bonferroni_holds_for_all_scenarios_at_once() -> None:
    random, trials, count, scenarios = np.random.default_rng(SEED), 3000, 15, 8
    truth = np.arange(scenarios) * 0.5
    held = 0
    for _ in range(trials):
        base = random.normal(0, 1, count)
        found = [
            paired_interval(truth[k] + random.normal(0, 1, count), base, each_of(0.95, scenarios))
            for k in range(scenarios)
        ]
        held += all(one.low <= truth[k] <= one.high for k, one in enumerate(found))
    # One-sided: Bonferroni promises at least 95 %; the shared base makes it a little more.
    assert held >= int(binom.ppf(FALSE_ALARM, trials, 0.95)), f"seed {SEED}: {held} of {trials}"


def test_a_known_interval() -> None:
    # Law, Simulation Modeling and Analysis, example 4.26: ten observations, 90 % interval 1.34 +- 0.24.
    values = np.array([1.20, 1.50, 1.68, 1.89, 0.95, 1.49, 1.58, 1.55, 0.50, 1.09])
    one = mean_interval(values, 0.9)
    assert one.mean == pytest.approx(1.343)
    assert one.half_width == pytest.approx(0.24, abs=0.005)


def test_few_or_equal_values() -> None:
    assert mean_interval(np.array([3.0]), 0.95) == Interval(3.0, math.inf, 0.95, 1)
    same = paired_interval(np.ones(5), np.ones(5), 0.95)
    assert (same.mean, same.half_width, same.differs) == (0.0, 0.0, False)
    assert Interval(2.0, 1.0, 0.95, 9).differs
    assert not Interval(2.0, 2.0, 0.95, 9).differs


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(InvalidInput, match="between 0 and 1"):
        mean_interval(np.ones(3), 1.0)
    with pytest.raises(InvalidInput, match="no replication"):
        mean_interval(np.ones(0), 0.9)
    with pytest.raises(InvalidInput, match="as many values"):
        paired_interval(np.ones(3), np.ones(4), 0.9)
