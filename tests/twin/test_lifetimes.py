"""Likelihoods agree with scipy's distributions and with integrals; shrinking and tests of fit do what they say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad
from scipy.special import ndtr

from plant.distribution import Distribution, Family
from twin.draws import Draws, weibull_shape
from twin.goodness import filled, normality, uniformity
from twin.lifetimes import distribution_function, log_likelihood
from twin.shrink import LOG_FACTORS, shrink

FAMILIES = [(Family.EXPONENTIAL, 1.0), (Family.WEIBULL, 0.6), (Family.GAMMA, 0.7), (Family.LOGNORMAL, 0.8)]
MIDDLE = np.array([0.5])


def reference(family: Family, cv: float) -> stats.rv_continuous:
    """The distribution with mean 1."""
    if family is Family.EXPONENTIAL:
        return stats.expon()
    if family is Family.GAMMA:
        return stats.gamma(cv**-2, scale=cv**2)
    if family is Family.WEIBULL:
        shape = weibull_shape(cv)
        return stats.weibull_min(shape, scale=1 / math.gamma(1 + 1 / shape))
    spread = math.sqrt(math.log1p(cv * cv))
    return stats.lognorm(spread, scale=math.exp(-spread * spread / 2))


def likelihood(
    family: Family, cv: float, x: float, mean: float = 1.0, censored: bool = False, residual: bool = False
) -> float:
    flags = np.array([censored]), np.array([residual])
    return float(np.exp(log_likelihood(family, np.array([x]), *flags, np.array([mean]), cv)[0]))


@pytest.mark.parametrize(("family", "cv"), FAMILIES)
@pytest.mark.parametrize("x", [0.1, 0.9, 3.0])
def test_densities_and_survival_are_those_of_the_family(family: Family, cv: float, x: float) -> None:
    known = reference(family, cv)
    assert likelihood(family, cv, x) == pytest.approx(known.pdf(x), rel=1e-9)
    assert likelihood(family, cv, 50 * x, mean=50.0) == pytest.approx(known.pdf(x) / 50, rel=1e-9)
    assert likelihood(family, cv, x, censored=True) == pytest.approx(known.sf(x), rel=1e-9)
    assert float(distribution_function(family, np.array([x]), cv)[0]) == pytest.approx(known.cdf(x), rel=1e-9)


@pytest.mark.parametrize(("family", "cv"), FAMILIES)
@pytest.mark.parametrize("x", [0.1, 0.9, 3.0])
def test_what_is_left_of_a_time_met_in_its_course(family: Family, cv: float, x: float) -> None:
    known = reference(family, cv)
    assert likelihood(family, cv, x, residual=True) == pytest.approx(known.sf(x), rel=1e-9)
    left = 1 - quad(known.sf, 0, x, epsabs=1e-12)[0]
    assert likelihood(family, cv, x, residual=True, censored=True) == pytest.approx(left, rel=1e-7)


@pytest.mark.parametrize(("family", "cv"), FAMILIES)
def test_the_most_likely_mean_is_the_one_that_was_drawn_from(family: Family, cv: float) -> None:
    drawn = Draws(3, 4000).row(Distribution(family, 500.0, cv), "test", "x")
    flags = np.zeros(4000, dtype=np.bool_)
    means = np.linspace(400, 600, 201)
    best = means[np.argmax(log_likelihood(family, drawn, flags, flags, means, cv))]
    assert best == pytest.approx(500, rel=3.3 * cv / 4000**0.5 + 0.002)


def _normal(centre: float, spread: float) -> np.ndarray:
    return -(((LOG_FACTORS - centre) / spread) ** 2) / 2


def test_groups_with_few_data_lean_on_the_others() -> None:
    strong = [_normal(0.5, 0.02) for _ in range(8)]
    weak, none = _normal(-0.5, 0.5), np.zeros(len(LOG_FACTORS))
    found = shrink(np.array([*strong, weak, none]))
    assert float(found.quantiles(0, MIDDLE)[0]) == pytest.approx(0.5, abs=0.01)
    assert float(found.quantiles(8, MIDDLE)[0]) > 0.2
    assert float(found.quantiles(9, MIDDLE)[0]) > 0.3


def test_a_group_with_no_plan_stands_alone() -> None:
    rows = np.array([*[_normal(0.5, 0.02) for _ in range(8)], np.zeros(len(LOG_FACTORS))])
    found = shrink(rows, np.array([False] * 8 + [True]))
    low, middle, high = found.quantiles(8, np.array([0.05, 0.5, 0.95]))
    assert abs(middle) < 0.05
    assert high - low > 4
    assert float(found.quantiles(0, MIDDLE)[0]) == pytest.approx(0.5, abs=0.01)


def test_a_right_family_is_rarely_called_wrong_and_a_wrong_one_is() -> None:
    # Of 400 samples at 5 %, 20 +- 4.4 are expected; 3.3 standard errors: 6 to 34.
    random = np.random.default_rng(11)
    for count in (8, 40):
        alarms = 0
        for _ in range(400):
            scores = 3 + 0.5 * random.standard_normal(count)
            fit = normality(ndtr(scores))
            assert fit is not None
            alarms += fit.p_value < 0.05
        assert 6 <= alarms <= 34, count
    wrong = normality(ndtr(random.standard_exponential(100)))
    assert wrong is not None
    assert wrong.p_value < 0.001
    assert normality(np.array([0.5] * 7)) is None
    assert uniformity(np.array([0.5] * 7)) is None


def test_residuals_of_what_was_cut_off_are_filled_in_uniformly() -> None:
    random = np.random.default_rng(12)
    truth, limit = random.random(4000), 0.6
    cut = truth > limit
    levels = filled(np.minimum(truth, limit), cut, random)
    assert (levels[~cut] == truth[~cut]).all()
    fit = uniformity(levels)
    assert fit is not None
    assert fit.p_value > 0.001
