"""Kim and Nelson's procedure selects the best as often as it says, on normal data in the configurations it fears."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from plant.errors import InvalidInput
from scenarios.selection import FIRST, select_best

SEED = 20260105
FALSE_ALARM = 0.001


def slow(samples: np.ndarray, indifference: float, alpha: float) -> tuple[list[int], int]:
    """The procedure as the paper writes it, one replication at a time: who is left, and when."""
    count, k = samples.shape
    eta = 0.5 * ((2 * alpha / (k - 1)) ** (-2 / (FIRST - 1)) - 1)
    square = 2 * eta * (FIRST - 1)
    variances = {
        (i, j): np.var(samples[:FIRST, i] - samples[:FIRST, j], ddof=1) for i in range(k) for j in range(k) if i != j
    }
    left, r = list(range(k)), FIRST
    while True:
        means = samples[:r].mean(axis=0)

        def allowed(i: int, j: int, r: int = r) -> float:
            return max(0.0, indifference / (2 * r) * (square * variances[i, j] / indifference**2 - r))

        left = [i for i in left if all(means[i] >= means[j] - allowed(i, j) for j in left if j != i)]
        if len(left) == 1 or r == count:
            return left, r
        r += 1


def test_it_is_the_procedure_of_the_paper() -> None:
    random = np.random.default_rng(SEED)
    for _ in range(60):
        k = int(random.integers(2, 6))
        samples = random.normal(random.uniform(0, 1, k), random.uniform(0.5, 2, k), (200, k))
        found = select_best(samples, [str(i) for i in range(k)], 0.5, 0.95)
        left, moment = slow(samples, 0.5, 0.05)
        assert found.left == tuple(str(i) for i in left), f"seed {SEED}"
        if len(left) == 1:
            assert found.replications == moment, f"seed {SEED}"


def selected(correlation: float, k: int, deviations: np.ndarray, trials: int, probability: float) -> int:
    """Return how often the best was selected in the slippage configuration: all others exactly delta behind."""
    random, delta = np.random.default_rng(SEED), 1.0
    means = np.zeros(k)
    means[0] = delta
    right = 0
    for _ in range(trials):
        count = 200
        shared = random.normal(0, 1, (6400, 1))
        own = random.normal(0, 1, (6400, k))
        samples = means + deviations * (np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own)
        found = select_best(samples[:count], "abcdefgh"[:k], delta, probability)
        while found.best is None and count < 6400:
            count *= 2
            found = select_best(samples[:count], "abcdefgh"[:k], delta, probability)
        right += found.best == "a"
    return right


@pytest.mark.parametrize(
    ("correlation", "k", "deviations", "probability"),
    [
        (0.0, 2, np.array([4.0, 4.0]), 0.9),
        (0.0, 5, np.full(5, 3.0), 0.95),
        (0.7, 5, np.linspace(2.0, 5.0, 5), 0.95),
    ],
)
def test_the_best_is_selected_as_often_as_it_says(
    correlation: float, k: int, deviations: np.ndarray, probability: float
) -> None:
    trials = 400
    right = selected(correlation, k, deviations, trials, probability)
    # One-sided: the procedure promises at least this probability.
    assert right >= int(binom.ppf(FALSE_ALARM, trials, probability)), f"seed {SEED}: {right} of {trials}"


@pytest.mark.long
def test_the_best_is_selected_as_often_as_it_says_in_many_trials() -> None:
    trials = 5000
    right = selected(0.5, 8, np.linspace(2.0, 5.0, 8), trials, 0.95)
    assert right >= int(binom.ppf(FALSE_ALARM, trials, 0.95)), f"seed {SEED}: {right} of {trials}"


def test_common_luck_decides_sooner() -> None:
    random = np.random.default_rng(SEED)
    shared, own = random.normal(0, 3, (4000, 1)), random.normal(0, 1, (4000, 3))
    paired = select_best(np.array([0.0, 0.5, 1.0]) + shared + own, "abc", 0.5)
    apart = select_best(
        np.array([0.0, 0.5, 1.0]) + random.permuted(np.repeat(shared, 3, axis=1), axis=0) + own, "abc", 0.5
    )
    assert paired.best == apart.best == "c"
    assert paired.replications < apart.replications / 2


def test_looking_again_later_changes_nothing_that_was_decided() -> None:
    samples = np.random.default_rng(SEED).normal([0, 0.3, 1.0], 2.0, (600, 3))
    final = select_best(samples, "abc", 0.5)
    for count in range(FIRST, 600, 37):
        early = select_best(samples[:count], "abc", 0.5)
        assert early.eliminated == tuple(one for one in final.eliminated if one.replications <= count)
        assert early.best in (None, final.best)


def test_less_may_be_better() -> None:
    samples = np.random.default_rng(SEED).normal([5.0, 9.0], 0.5, (100, 2))
    assert select_best(samples, "ab", 1.0, more_is_better=False).best == "a"
    assert select_best(samples, "ab", 1.0).best == "b"


def test_too_few_replications_decide_nothing_and_nonsense_is_refused() -> None:
    samples = np.random.default_rng(SEED).normal([0.0, 100.0], 1.0, (FIRST - 1, 2))
    assert select_best(samples, "ab", 1.0).best is None
    with pytest.raises(InvalidInput, match="indifference"):
        select_best(samples, "ab", 0.0)
    with pytest.raises(InvalidInput, match="two or more"):
        select_best(samples[:, :1], "a", 1.0)
    with pytest.raises(InvalidInput, match="probability"):
        select_best(samples, "ab", 1.0, 0.5)
