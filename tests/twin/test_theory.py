"""The open floor obeys queueing theory: its intervals cover the exact means as often as they say.

Each case of `benchmarks.theory`, a plant folder whose mean is known, is run 200 times over with different luck. Of the
200 intervals of 90 % confidence about 180 hold the exact mean; a two-sided binomial test at 0.1 % judges. So each case
fails by luck once in a thousand seeds; the seed is fixed.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from benchmarks.theory import Case, cases, half_width
from twin.draws import Draws

SEED = 20260107
MACRO_RUNS = 200
CONFIDENCE = 0.9
LEVEL = 0.001

CASES = {case.name: case for case in cases()}
SHORT = {"mg1_variation_0.0": 1000, "mg1_failures": 2000, "blocking_line_3": 600, "repairmen_2": 600}
"""What runs in `make test`, and over how many lots: batches long enough to be nearly independent."""

LONG = 4000


def covered(case: Case, lots: int) -> int:
    """Return how many of the intervals hold the exact mean."""
    draws = Draws(SEED, MACRO_RUNS)
    count = 0
    for replication in range(MACRO_RUNS):
        batches = case.batches(draws, replication, lots)
        count += abs(batches.mean() - case.exact) <= half_width(batches, CONFIDENCE)
    return count


@pytest.mark.parametrize("name", SHORT)
def test_intervals_cover_the_exact_mean(name: str) -> None:
    count = covered(CASES[name], SHORT[name])
    said = f"{name}: {count} of {MACRO_RUNS} intervals of {CONFIDENCE:.0%} cover the mean (seed {SEED})"
    assert binomtest(count, MACRO_RUNS, CONFIDENCE).pvalue >= LEVEL, said


@pytest.mark.long
@pytest.mark.parametrize("name", CASES)
def test_longer_intervals_cover_the_exact_mean(name: str) -> None:
    count = covered(CASES[name], LONG)
    said = f"{name}: {count} of {MACRO_RUNS} intervals of {CONFIDENCE:.0%} cover the mean (seed {SEED})"
    assert binomtest(count, MACRO_RUNS, CONFIDENCE).pvalue >= LEVEL, said


def test_the_formulas_agree_where_they_meet() -> None:
    """Each closed form against another one it must equal in a special case."""
    exact = {name: case.exact for name, case in CASES.items()}
    assert exact["mg1_variation_0.0"] < exact["mg1_variation_0.5"] < exact["mm1"] < exact["mg1_variation_1.5"]
    assert exact["blocking_line_2"] == pytest.approx(2 / 3, abs=1e-5)  # (B + 2) / (B + 3) without a buffer
    assert exact["repairmen_1"] < exact["repairmen_2"] < 6 * 300 / 360
    assert np.isfinite(list(exact.values())).all()
