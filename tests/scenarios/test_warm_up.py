"""MSER-5 deletes what is left of the beginning, and little of what is not."""

from __future__ import annotations

import numpy as np
import pytest

from plant.errors import InvalidInput
from scenarios.warm_up import mser5

SEED = 20260105


def slow(series: np.ndarray) -> int:
    """MSER-5 as it is written down: every index of the first half, straight from the definition."""
    means = series[: len(series) // 5 * 5].reshape(-1, 5).mean(axis=1)
    errors = [np.var(means[d:]) / len(means[d:]) for d in range(len(means) // 2 + 1)]
    return int(np.argmin(errors)) * 5


def test_it_is_what_is_written_down() -> None:
    random = np.random.default_rng(SEED)
    for _ in range(50):
        series = random.normal(5, 1, random.integers(20, 300))
        series[: len(series) // 4] += random.uniform(0, 5)
        assert mser5(series).delete == slow(series), f"seed {SEED}"


def test_a_step_is_found_where_it_is() -> None:
    series = np.concatenate([np.zeros(100), np.ones(400)])
    found = mser5(series)
    assert (found.delete, found.settled) == (100, True)


def test_nothing_is_deleted_of_what_never_changes() -> None:
    assert mser5(np.full(200, 3.0)).delete == 0


def test_the_bias_of_an_empty_beginning_goes() -> None:
    """AR(1) around 10 that begins at 0: what is left is nearer to 10, on average over 200 series."""
    random = np.random.default_rng(SEED)
    whole, left = [], []
    for _ in range(200):
        noise = random.normal(0, 1, 600)
        values = np.empty(600)
        level = -10.0
        for index in range(600):
            level = 0.95 * level + noise[index]
            values[index] = 10 + level
        found = mser5(values)
        whole.append(values.mean())
        left.append(values[found.delete :].mean())
    # The whole is biased by 10 / (600 * 0.05) = 0.33; 200 means have a standard error of about 0.06.
    assert np.mean(whole) < 10 - 0.33 + 4 * 0.06, f"seed {SEED}"
    assert abs(np.mean(left) - 10) < 0.33 / 2, f"seed {SEED}"


def test_a_series_without_a_steady_state_says_so() -> None:
    assert not mser5(np.arange(400.0)).settled


def test_what_cannot_be_judged_is_refused() -> None:
    with pytest.raises(InvalidInput, match="at least 20"):
        mser5(np.ones(19))
    with pytest.raises(InvalidInput, match="finite"):
        mser5(np.array([np.nan] * 40))
