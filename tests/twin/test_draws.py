"""Keyed luck: the same key the same row, another key another one, and the right moments."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plant.distribution import (
    Distribution,
    Family,
    constant,
    empirical,
    exponential,
    mixture,
    scaled,
    shifted,
    triangular,
    truncated,
    uniform,
)
from twin.draws import BLOCK, Draws, weibull_shape

R = 20_000
DRAWS = Draws(seed=11, replications=R)
TIME = Distribution(Family.LOGNORMAL, 1.0, 0.2)

FAMILIES = [
    exponential(3600.0),
    Distribution(Family.LOGNORMAL, 1.0, 0.05),
    Distribution(Family.LOGNORMAL, 5400.0, 0.6),
    Distribution(Family.GAMMA, 120.0, 0.3),
    Distribution(Family.GAMMA, 120.0, 1.4),
    Distribution(Family.WEIBULL, 144000.0, 0.7),
    Distribution(Family.WEIBULL, 10.0, 1.5),
    uniform(1.0, 3.0),
    triangular(1.0, 2.0, 5.0),
    empirical([55.0, 58.0, 71.0], [1, 2, 1]),
    mixture([constant(60.0), exponential(600.0)], [0.9, 0.1]),
    shifted(exponential(20.0), 40.0),
    scaled(triangular(1.0, 2.0, 4.0), 60.0),
    truncated(Distribution(Family.LOGNORMAL, 60.0, 0.5), 20.0, 200.0),
    truncated(Distribution(Family.GAMMA, 60.0, 1.4), 0.0, 100.0),
    truncated(mixture([uniform(0.0, 10.0), shifted(exponential(5.0), 2.0)], [1, 1]), 3.0),
]


def test_the_same_key_draws_the_same_row_to_the_last_bit() -> None:
    row = DRAWS.row(TIME, "processing", "CO-1/1-10", 3)
    assert np.array_equal(row, Draws(11, R).row(TIME, "processing", "CO-1/1-10", 3))


def test_any_other_key_draws_another_row() -> None:
    rows = [
        DRAWS.row(TIME, "processing", "A", 0),
        Draws(12, R).row(TIME, "processing", "A", 0),
        DRAWS.row(TIME, "time to repair", "A", 0),
        DRAWS.row(TIME, "processing", "B", 0),
        DRAWS.row(TIME, "processing", "A", 1),
    ]
    correlations = np.corrcoef(rows)
    off_diagonal = correlations[~np.eye(len(rows), dtype=bool)]
    # Independent rows correlate by about 1/sqrt(R); five times that does not happen by luck.
    assert np.abs(off_diagonal).max() < 5 / math.sqrt(R)


def test_the_parts_of_a_key_do_not_run_into_each_other() -> None:
    assert not np.array_equal(DRAWS.row(TIME, "ab", "c"), DRAWS.row(TIME, "a", "bc"))
    assert not np.array_equal(DRAWS.row(TIME, "a", "b1", 1), DRAWS.row(TIME, "a", "b", 11))


def test_the_first_futures_do_not_depend_on_how_many_there_are() -> None:
    """So a plan rehearsed a hundred times and a thousand times meets the same first hundred futures."""
    for distribution in FAMILIES:
        few, many = Draws(5, 100), Draws(5, 1000)
        assert np.array_equal(few.row(distribution, "p", "s"), many.row(distribution, "p", "s")[:100])


@pytest.mark.parametrize("distribution", FAMILIES, ids=lambda one: f"{one.family} {one.variation}")
def test_mean_and_variation_are_as_named(distribution: Distribution) -> None:
    row = DRAWS.row(distribution, "moments", "x")
    assert row.shape == (R,)
    assert (row >= 0).all()
    error_of_mean = distribution.mean * distribution.variation / math.sqrt(R)
    assert abs(row.mean() - distribution.mean) < 5 * error_of_mean
    # The error of a variance follows from the fourth moment, taken from the sample itself.
    deviations = (row - row.mean()) ** 2
    error_of_variance = deviations.std() / math.sqrt(R)
    assert abs(deviations.mean() - distribution.variance) < 6 * error_of_variance


def test_an_exponential_has_its_own_shape() -> None:
    """P(X > mean) = 1/e, which no lognormal of variation 1 has."""
    row = DRAWS.row(exponential(10.0), "shape", "x")
    share = float((row > 10.0).mean())
    assert abs(share - math.exp(-1)) < 5 * math.sqrt(share * (1 - share) / R)


def test_a_constant_is_the_same_in_every_future() -> None:
    assert (DRAWS.row(constant(7.5), "p", "s") == 7.5).all()
    assert (DRAWS.row(Distribution(Family.LOGNORMAL, 0.0, 0.3), "p", "s") == 0).all()


@given(st.floats(0.05, 3.0))
def test_the_weibull_shape_has_the_variation_asked_for(variation: float) -> None:
    """Variation^2 = Gamma(1 + 2/k) / Gamma(1 + 1/k)^2 - 1."""
    shape = weibull_shape(variation)
    ratio = math.exp(math.lgamma(1 + 2 / shape) - 2 * math.lgamma(1 + 1 / shape))
    assert math.sqrt(ratio - 1) == pytest.approx(variation, rel=1e-6)


def test_the_weibull_of_variation_1_is_the_exponential() -> None:
    assert weibull_shape(1.0) == pytest.approx(1.0, rel=1e-9)


def test_an_endless_sequence_is_the_same_whoever_asks_first() -> None:
    """Blocks are keyed by their number and their future, so none depends on what was drawn before."""
    one, other = Draws(3, 2), Draws(3, 50)
    late = one.stream(TIME, "arrival", "S", 1, block=2)
    assert late.shape == (BLOCK,)
    one.stream(TIME, "arrival", "S", 1, block=0)
    assert np.array_equal(late, other.stream(TIME, "arrival", "S", 1, block=2))
    for differing in (other.stream(TIME, "arrival", "S", 0, block=2), other.stream(TIME, "arrival", "S", 1, block=1)):
        assert abs(np.corrcoef(late, differing)[0, 1]) < 5 / math.sqrt(BLOCK)
