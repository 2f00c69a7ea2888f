"""Named random quantities refuse moments their family cannot have."""

from __future__ import annotations

import pytest

from plant.distribution import Distribution, Family, constant, exponential
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
