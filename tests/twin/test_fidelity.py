"""twin/fidelity.py: honest predictions are found honest, others are not, and what is not complete is not left out."""

from __future__ import annotations

import math
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, norm

from plant.errors import InvalidInput
from tests.twin.random_works import cases as works
from twin.draws import Draws
from twin.fidelity import (
    INTERVALS,
    PROBABILITIES,
    Case,
    crps_of_ensemble,
    crps_of_quantiles,
    fidelity,
    forecast,
    quantiles_of,
)
from twin.replay import replay

SEED = 20260105
SPREAD = 0.3
FAR = 1e9
SCORES = norm.ppf(PROBABILITIES)


def drawn(
    plans: int, each: int, *, bias: float = 0.0, spread: float = SPREAD, censored: bool = True, shared: float = 0.0
) -> list[Case]:
    """Cases whose completion is lognormal; predictions are off by `bias`, and by `spread`, in its logarithm."""
    print(f"seed {SEED}")
    rng = np.random.default_rng(SEED)
    found = []
    for plan in range(plans):
        until_s = float(rng.uniform(2, 30)) if censored else FAR
        common = rng.normal()
        for number in range(each):
            median = rng.uniform(1, 20)
            luck = math.sqrt(1 - shared**2) * rng.normal() + shared * common
            quantiles_s = tuple((median * np.exp(bias + spread * SCORES)).tolist())
            completed_s = float(median * math.exp(SPREAD * luck))
            seen = completed_s if completed_s <= until_s else None
            found.append(Case(f"plan-{plan}", f"order-{number}", quantiles_s, until_s, seen))
    return found


@pytest.mark.parametrize("censored", [False, True])
def test_honest_predictions_are_found_honest_censored_or_not(censored: bool) -> None:
    # Each of four statements is refused with a probability of at most 0.02 %.
    found = fidelity(drawn(200, 10, censored=censored))
    assert found.completed + found.censored == found.cases == 2000
    assert (found.censored > 300) is censored
    for one in found.coverage:
        low, high = binom.interval(0.9998, one.cases, one.level)
        assert one.cases > 500
        assert low <= one.inside <= high, one
        assert one.low is not None
        assert one.high is not None
        assert one.low <= one.inside / one.cases <= one.high
    assert found.pit.p_value is not None
    assert found.pit.p_value > 2e-4
    assert sum(mass for mass in found.pit.mass if mass is not None) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("bias", "spread", "tenths"),
    [(-0.15, SPREAD, (0.0, 1.0)), (0.15, SPREAD, (1.0, 0.0)), (0.0, 0.5 * SPREAD, (1.0, 1.0))],
    ids=["too early", "too late", "too sure"],
)
def test_wrong_predictions_are_found_out_and_the_histogram_says_how(
    bias: float, spread: float, tenths: tuple[float, float]
) -> None:
    found = fidelity(drawn(100, 20, bias=bias, spread=spread))
    assert found.pit.p_value is not None
    assert found.pit.p_value < 1e-6
    first, last = found.pit.mass[0], found.pit.mass[-1]
    assert first is not None
    assert last is not None
    assert ((first > 0.12), (last > 0.12)) == tuple(map(bool, tenths))
    assert found.error.bias_s is not None
    if bias:
        assert found.error.bias_s * bias < 0, "predicted too early is later than predicted"


def test_orders_that_share_their_plans_luck_are_not_taken_for_independent_ones() -> None:
    together = drawn(100, 20, shared=0.9)
    honest = fidelity(together).pit.p_value
    apart = fidelity([replace(case, plan=f"{case.plan}/{case.subject}") for case in together]).pit.p_value
    assert honest is not None
    assert apart is not None
    assert honest > 1e-3 > apart


def test_leaving_out_what_is_not_complete_would_show_a_bias_that_is_not_there() -> None:
    together = drawn(200, 10)
    naive = [case for case in together if case.completed_s is not None]
    early = np.mean([case.completed_s <= case.quantiles_s[19] for case in naive if case.completed_s is not None])
    assert early > 0.53
    masses = fidelity(together).pit.mass[:5]
    assert sum(mass for mass in masses if mass is not None) == pytest.approx(0.5, abs=0.035)


def test_a_case_is_decided_only_when_its_interval_is_over() -> None:
    quantiles_s = tuple(1000 + 10.0 * number for number in range(39))
    median, last = quantiles_s[19], quantiles_s[38]
    case = Case("plan", "A", quantiles_s, last, median + 5)
    decided = fidelity([case])
    assert [(one.cases, one.inside) for one in decided.coverage] == [(1, 1)] * 3
    assert (decided.error.cases, decided.error.bias_s, decided.error.mae_s) == (1, 5.0, 5.0)
    undecided = fidelity([replace(case, until_s=quantiles_s[35])])
    assert [(one.level, one.cases) for one in undecided.coverage] == [(0.5, 1), (0.8, 1), (0.95, 0)]
    assert undecided.error.cases == 0
    late = fidelity([replace(case, until_s=last + 100, completed_s=None)])
    assert [(one.cases, one.inside) for one in late.coverage] == [(1, 0)] * 3
    assert (late.error.still_open, late.error.bias_s) == (1, last + 100 - median)
    assert fidelity([replace(case, completed_s=last + 1)]).censored == 1, "complete after it was looked at"


def test_nothing_to_look_back_at_is_nothing_said() -> None:
    found = fidelity([])
    assert (found.plans, found.cases, found.crps_s, found.pit.p_value, found.error.bias_s) == (0, 0, None, None, None)
    assert [one.share for one in found.coverage] == [None] * len(INTERVALS)
    assert asdict(found)["pit"]["mass"] == (None,) * 10


def test_crps_of_a_normal_distribution_is_the_closed_form() -> None:
    # T. Gneiting and A. E. Raftery, JASA 102 (2007), 359-378: sigma (z (2 Phi(z) - 1) + 2 phi(z) - 1 / sqrt(pi))
    for z in (-1.5, 0.0, 0.7):
        known = z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / math.sqrt(math.pi)
        assert crps_of_quantiles([norm.ppf(PROBABILITIES)], [z])[0] == pytest.approx(known, rel=0.02)
        ranks = (np.arange(20_000) + 0.5) / 20_000
        assert crps_of_ensemble(norm.ppf(ranks), z) == pytest.approx(known, rel=1e-3)


def test_the_fair_crps_of_few_members_is_that_of_their_distribution_in_the_mean() -> None:
    # Off by more with a probability of at most 0.1 % (normal bound with the sample's deviation).
    print(f"seed {SEED}")
    rng = np.random.default_rng(SEED)
    known = 1 / math.sqrt(math.pi)  # mean over observations of the same standard normal distribution
    fair, plain = (
        np.array([crps_of_ensemble(rng.normal(size=4), rng.normal(), fair=one) for _ in range(8000)])
        for one in (True, False)
    )
    assert abs(fair.mean() - known) < 3.3 * fair.std() / math.sqrt(len(fair))
    assert plain.mean() - known > 3.3 * plain.std() / math.sqrt(len(plain))


def test_a_certain_prediction_has_the_absolute_error_as_crps() -> None:
    assert crps_of_ensemble([3.0], 5.0, fair=False) == 2.0
    assert crps_of_quantiles([[3.0] * 39], [5.0])[0] == pytest.approx(2.0 * 39 / 40)
    with pytest.raises(InvalidInput, match="1 members; the fair CRPS needs 2"):
        crps_of_ensemble([3.0], 5.0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"quantiles_s": (1.0,)}, "39 quantiles, not 1"),
        ({"quantiles_s": tuple(float(-number) for number in range(39))}, "must not decrease"),
        ({"quantiles_s": (math.nan,) * 39}, "finite"),
        ({"until_s": math.inf}, "until_s must be a finite number"),
    ],
)
def test_what_is_no_prediction_is_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidInput, match=rf"prediction of A by plan-1: .*{said}"):
        replace(Case("plan-1", "A", (1.0,) * 39, 5.0, None), **change)  # type: ignore[arg-type]


def test_quantiles_are_observed_values_in_their_order() -> None:
    rows = np.random.default_rng(SEED).permuted(np.arange(1.0, 1001.0)[None].repeat(2, axis=0), axis=1)
    assert quantiles_of(rows) == [tuple(25.0 * number for number in range(1, 40))] * 2
    assert quantiles_of([]) == []


@settings(max_examples=25, deadline=None)
@given(case=works(), replications=st.integers(1, 40))
def test_every_plan_predicts_each_of_its_orders_and_job_orders(case: object, replications: int) -> None:
    work, plan, seed = case  # type: ignore[misc]
    found = forecast(replay(work, plan, Draws(seed, replications)))
    assert list(found.job_orders) == [task.id for task in work.tasks]
    assert set(found.orders) == {task.order for task in work.tasks}
    cases = [Case("plan", name, rows, FAR, rows[19]) for name, rows in (found.orders | found.job_orders).items()]
    assert fidelity(cases).error.mae_s == 0
