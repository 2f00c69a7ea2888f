"""twin/energy.py: power held from reading to reading."""

from __future__ import annotations

import math

import pytest

from twin.energy import energy_kwh


def test_a_reading_holds_until_the_next_one_but_not_for_ever() -> None:
    times, power = [0.0, 600.0, 1200.0, 9000.0], [6.0, 12.0, math.nan, 6.0]
    # 600 s of 6 kW, 600 s of 12 kW, nothing usable, and 900 s of the last one.
    assert energy_kwh(times, power, 0.0, 20000.0, 900.0) == pytest.approx((3600 + 7200 + 5400) / 3600)
    assert energy_kwh(times, power, 300.0, 900.0, 900.0) == pytest.approx((1800 + 3600) / 3600)


def test_adjacent_periods_add_up() -> None:
    times, power = [0.0, 600.0, 1000.0, 5000.0], [6.0, 12.0, 1.0, 6.0]
    whole = energy_kwh(times, power, 0.0, 6000.0, 900.0)
    for cut in (1.0, 600.0, 1500.0, 1950.0, 5100.0):
        parts = [energy_kwh(times, power, a, b, 900.0) or 0.0 for a, b in ((0.0, cut), (cut, 6000.0))]
        assert sum(parts) == pytest.approx(whole, rel=1e-12)


def test_nothing_known_is_none_and_standing_still_is_zero() -> None:
    assert energy_kwh([], [], 0.0, 10.0, 900.0) is None
    assert energy_kwh([0.0], [math.nan], 0.0, 10.0, 900.0) is None
    assert energy_kwh([0.0], [5.0], 2000.0, 2010.0, 900.0) is None
    assert energy_kwh([0.0], [0.0], 0.0, 10.0, 900.0) == 0.0
