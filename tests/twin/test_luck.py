"""twin/luck.py: what has come through so far, scrap and failures are drawn from the right distributions.

Fixed seeds; each statistical test raises a false alarm in at most 1 of 1,000 cases.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from plant.distribution import Distribution, Family, constant, exponential, mixture, shifted, uniform
from plant.errors import InvalidInput
from plant.plant import Reliability
from plant.work import Running, Task
from twin.draws import Draws
from twin.luck import first_failure_s, processing_s

R = 4000
DRAWS = Draws(seed=31, replications=R)
TASK = Task("A-1", "A", "item", "10", 20, (), {"M1": 600.0}, "red", variation=0.5)


@pytest.mark.parametrize("threshold", [30.0, 100.0, 250.0])
@pytest.mark.parametrize(
    "distribution",
    [
        exponential(100.0),
        Distribution(Family.LOGNORMAL, 100.0, 0.6),
        Distribution(Family.GAMMA, 100.0, 0.7),
        Distribution(Family.GAMMA, 100.0, 1.6),
        Distribution(Family.WEIBULL, 100.0, 1.4),
        Distribution(Family.WEIBULL, 100.0, 0.5),
        uniform(10.0, 900.0),
        mixture([exponential(60.0), shifted(exponential(200.0), 50.0)], [0.8, 0.2]),
    ],
    ids=lambda one: f"{one.family} {one.variation}",
)
def test_what_is_left_is_the_rest_of_those_that_got_so_far(distribution: Distribution, threshold: float) -> None:
    """Held against plain draws, so many that enough of them exceed the threshold (two-sample Kolmogorov-Smirnov)."""
    many = Draws(77, 3_000_000).row(distribution, "all", "x")
    survivors = many[many > threshold] - threshold
    assert len(survivors) > 1000
    left = DRAWS.beyond(distribution, threshold, "processing", f"x{threshold}")
    # 24 cases share the 0.1 %.
    assert stats.ks_2samp(left, survivors).pvalue > 0.001 / 24


def test_far_beyond_anything_likely_something_finite_is_left() -> None:
    for family in (Family.LOGNORMAL, Family.GAMMA, Family.WEIBULL):
        left = DRAWS.beyond(Distribution(family, 10.0, 0.3), 5000.0, "processing", "far")
        assert np.isfinite(left).all()
        assert (left >= 0).all()
        assert left.max() > 0


def test_from_a_threshold_of_zero_it_is_the_same_row_as_ever() -> None:
    for distribution in (exponential(3.0), Distribution(Family.GAMMA, 3.0, 0.4), constant(2.0)):
        plain = DRAWS.row(distribution, "time between failures", "M1")
        assert np.array_equal(DRAWS.beyond(distribution, 0.0, "time between failures", "M1"), plain)
    assert (DRAWS.beyond(constant(2.0), 1.5, "p", "s") == 0.5).all()
    assert (DRAWS.beyond(constant(2.0), 2.5, "p", "s") == 0.0).all()
    assert (DRAWS.beyond(uniform(1.0, 2.0), 2.5, "p", "s") == 0.0).all()


def test_a_running_task_that_is_overdue_is_not_about_to_end() -> None:
    """The mean of what is left grows with what was worked beyond the plan, as it does for a lognormal."""
    left = []
    for worked_s in (300.0, 900.0, 2700.0):
        running = Running("M1", -worked_s, 1.0, None, worked_s)
        left.append(float(processing_s(replace(TASK, running=running), "M1", DRAWS).mean()))
    width = math.sqrt(math.log1p(0.25))
    location = math.log(600.0) - width**2 / 2
    for worked_s, found in zip((300.0, 900.0, 2700.0), left, strict=True):
        z = (math.log(worked_s) - location) / width
        mean = 600.0 * stats.norm.sf(z - width) / stats.norm.sf(z) - worked_s
        assert found == pytest.approx(mean, rel=0.12)
    assert left[2] > left[1]


def test_a_running_task_without_a_record_of_its_work_keeps_its_factor() -> None:
    running = replace(TASK, running=Running("M1", -5.0, 120.0))
    expected = 0.2 * processing_s(TASK, "M1", DRAWS)
    assert np.allclose(processing_s(running, "M1", DRAWS), expected, rtol=1e-12, atol=0)


def test_scrap_is_made_again_until_enough_good_pieces_are_there() -> None:
    sure = replace(TASK, variation=0.0, scrap_ratio=0.2, replenish=True, fixed_share=0.25)
    pieces = (processing_s(sure, "M1", DRAWS) / 600.0 - 0.25) / 0.75 * 20
    assert np.allclose(pieces, np.rint(pieces))
    bad = pieces - 20
    # Negative binomial: mean 20 * 0.2 / 0.8 = 5, variance 5 / 0.8.
    assert abs(bad.mean() - 5.0) < 3.3 * math.sqrt(6.25 / R)
    assert bad.min() >= -1e-9
    assert (processing_s(replace(sure, replenish=False), "M1", DRAWS) == 600.0).all()


def test_the_first_failure_takes_into_account_what_the_machine_has_come_through() -> None:
    wearing = Reliability(Distribution(Family.WEIBULL, 1000.0, 0.3), constant(1.0))
    fresh = first_failure_s("M1", wearing, 0.0, DRAWS)
    worn = first_failure_s("M1", wearing, 900.0, DRAWS)
    assert worn.mean() < 0.4 * fresh.mean()
    overdue = Reliability(constant(100.0), constant(1.0))
    assert 0 < first_failure_s("M1", overdue, 150.0, DRAWS).max() < 1e-6
    with pytest.raises(InvalidInput, match="M1: the mean time between failures must be above 0"):
        first_failure_s("M1", Reliability(constant(0.0), constant(1.0)), 0.0, DRAWS)
