"""twin/arl.py: average run lengths of CUSUM charts."""

from __future__ import annotations

import pytest

from plant.errors import InvalidInput
from twin.arl import arl_from_zero, arl_siegmund, arl_steady, arl_two_sided, limit_for


@pytest.mark.parametrize(
    ("limit", "shift", "known"),
    # D. C. Montgomery, "Introduction to Statistical Quality Control", table 9.3 (two-sided, k = 1/2)
    [(4, 0.0, 168), (4, 0.5, 26.6), (4, 1.0, 8.38), (4, 2.0, 3.34), (5, 0.0, 465), (5, 0.5, 38.0), (5, 1.0, 10.4)],
)
def test_run_lengths_agree_with_the_published_table(limit: float, shift: float, known: float) -> None:
    assert arl_two_sided(limit, 0.5, shift) == pytest.approx(known, rel=5e-3)


@pytest.mark.parametrize("shift", [0.0, 0.25, 0.5, 1.0])
def test_siegmunds_approximation_agrees_within_a_hundredth(shift: float) -> None:
    assert arl_siegmund(14.5, 0.25, shift) == pytest.approx(arl_from_zero(14.5, 0.25, shift), rel=0.01)


def test_the_limit_for_a_run_length_gives_that_run_length() -> None:
    assert arl_two_sided(limit_for(10_000, 0.25), 0.25, 0.0) == pytest.approx(10_000, rel=1e-4)
    one_sided = limit_for(10_000, 0.25, two_sided=False)
    assert arl_from_zero(one_sided, 0.25, 0.0) == pytest.approx(10_000, rel=1e-4)
    assert arl_from_zero(one_sided, 0.25, 0.5) == pytest.approx(49.1, abs=0.1)  # what nobody can do better than


def test_a_change_after_a_long_quiet_time_is_seen_sooner_than_one_at_the_start() -> None:
    assert arl_steady(5, 0.5, 1.0) < arl_from_zero(5, 0.5, 1.0)


@pytest.mark.parametrize(("arl", "reference"), [(0.0, 0.25), (1.2, 0.25), (1000.0, 0.0), (float("nan"), 0.25)])
def test_what_no_chart_can_do_is_refused(arl: float, reference: float) -> None:
    with pytest.raises(InvalidInput, match=r"run length|reference|arl"):
        limit_for(arl, reference)
