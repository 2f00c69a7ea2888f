"""Named random quantities refuse moments their family cannot have."""

from __future__ import annotations

import pytest

from plant.distribution import (
    Distribution,
    Family,
    constant,
    empirical,
    erlang,
    exponential,
    mixture,
    scaled,
    shifted,
    triangular,
    truncated,
    uniform,
)
from plant.errors import InvalidInput


def test_variance_is_in_the_squared_unit() -> None:
    assert Distribution(Family.GAMMA, 10.0, 0.3).variance == pytest.approx(9.0)
    assert constant(10.0).variance == 0
    assert exponential(10.0).variance == pytest.approx(100.0)


@pytest.mark.parametrize(
    ("family", "mean", "variation", "reason"),
    [
        (Family.CONSTANT, 1.0, 0.1, "a constant has variation 0, not 0.1"),
        (Family.EXPONENTIAL, 1.0, 0.5, "an exponential has variation 1, not 0.5"),
        (Family.LOGNORMAL, 1.0, 0.0, "a lognormal needs a variation above 0, not 0.0"),
        (Family.WEIBULL, -1.0, 0.5, "mean must be a number of at least 0, not -1.0"),
        (Family.GAMMA, float("inf"), 0.5, "mean must be a number of at least 0, not inf"),
        (Family.GAMMA, 1.0, float("nan"), "variation must be a number of at least 0, not nan"),
    ],
)
def test_what_cannot_be_is_refused(family: Family, mean: float, variation: float, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        Distribution(family, mean, variation)


def moments(one: Distribution) -> tuple[float, float]:
    return one.mean, one.variance


def test_composed_quantities_have_the_moments_that_follow() -> None:
    assert moments(uniform(1, 4)) == pytest.approx((2.5, 0.75))
    assert moments(triangular(0, 0, 3)) == pytest.approx((1, 0.5))
    assert moments(empirical([1, 2, 6])) == pytest.approx((3, 14 / 3))
    assert moments(empirical([1, 5], [3, 1])) == pytest.approx((2, 3))
    assert moments(erlang(4, 8)) == pytest.approx((8, 16))
    assert moments(mixture([constant(1), exponential(3)], [1, 1])) == pytest.approx((2, (1 + 18) / 2 - 4))
    assert moments(shifted(exponential(2), 5)) == pytest.approx((7, 4))
    assert moments(scaled(uniform(1, 4), 2)) == pytest.approx((5, 3))
    assert scaled(exponential(2), 3) == exponential(6)


def test_truncated_quantities_have_the_moments_that_follow() -> None:
    """Against closed forms: an exponential forgets its age, a piece of a uniform is uniform."""
    assert moments(truncated(exponential(2), 3)) == pytest.approx((5, 4), rel=1e-9)
    assert moments(truncated(uniform(0, 10), 2, 5)) == pytest.approx((3.5, 0.75), rel=1e-9)
    assert moments(truncated(shifted(scaled(uniform(0, 5), 2), 1), 3, 6)) == pytest.approx((4.5, 0.75), rel=1e-9)
    assert moments(truncated(empirical([1, 2, 9]), 0, 5)) == pytest.approx((1.5, 0.25))
    for family, variation in ((Family.LOGNORMAL, 0.7), (Family.GAMMA, 1.6), (Family.WEIBULL, 0.4)):
        whole = Distribution(family, 60.0, variation)
        assert moments(truncated(whole, 0)) == pytest.approx(moments(whole), rel=1e-6)
    half = truncated(exponential(1), 0, 1)
    assert half.mean == pytest.approx((1 - 2 / 2.718281828459045) / (1 - 1 / 2.718281828459045), rel=1e-9)


def test_composed_quantities_that_cannot_be_are_refused() -> None:
    for build, reason in (
        (lambda: uniform(3, 1), "2 values in rising order"),
        (lambda: triangular(1, 5, 3), "3 values in rising order"),
        (lambda: empirical([]), "at least one value"),
        (lambda: empirical([1, 2], [0, 0]), "2 weights are needed, not all 0"),
        (lambda: mixture([constant(1)], [1, 1]), "1 weights are needed"),
        (lambda: shifted(constant(1), -1), "at least 0, not -1"),
        (lambda: truncated(exponential(1), 50), "lies within 50"),
        (lambda: Distribution(Family.UNIFORM, 9.0, 0.1, (1.0, 3.0)), "has mean 2.0"),
    ):
        with pytest.raises(InvalidInput, match=reason):
            build()
