"""Each estimate is told in its unit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dashboard import estimates
from dashboard.words import Words
from plant.calibration import ANY_CHANGEOVER, Difference, Parameter

SAY = Words("en")
ONE = Difference(Parameter.DURATION, "M1", "gear/10", 1.0, 1.2, 1.1, 1.35, 40, 0, 1.0, True)


def test_every_parameter_has_a_name() -> None:
    assert set(estimates.NAMES) == set(Parameter)


@pytest.mark.parametrize(
    ("parameter", "value", "told"),
    [
        (Parameter.DURATION, 1.234, "× 1.23"),
        (Parameter.SETUP, 0.5, "× 0.50"),
        (Parameter.SCRAP, 0.0123, "1.2%"),
        (Parameter.VARIATION, 0.4, "40.0%"),
        (Parameter.TIME_TO_REPAIR, 5400.0, "90 min"),
        (Parameter.TIME_BETWEEN_FAILURES, 145_000.0, "40.3 h"),
        (Parameter.SCRAP, None, "–"),
    ],
)
def test_values_have_their_unit(parameter: Parameter, value: float | None, told: str) -> None:
    assert estimates.value(parameter, value, SAY) == told


def test_intervals_data_and_subjects_are_told() -> None:
    assert estimates.interval(ONE, SAY) == "1.10 – 1.35"
    assert estimates.interval(replace(ONE, low=None, high=None), SAY) == "–"
    assert estimates.data(ONE, SAY) == "40"
    assert estimates.data(replace(ONE, censored=3), SAY) == "40 + 3 cut off"
    assert estimates.subject(ONE, SAY) == "gear/10"
    assert estimates.subject(replace(ONE, subject=ANY_CHANGEOVER), SAY) == "any changeover"
