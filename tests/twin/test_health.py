"""twin/health.py: healthy machines keep their index, worn ones lose it, and odd data do no harm."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plant.errors import InvalidInput
from twin.health import HealthState, baseline, health, index_series, state_of_index

Columns = dict[str, np.ndarray]


def signals(samples: int, seed: int = 1) -> Columns:
    """Condition signals of a healthy machine."""
    print(f"seed {seed}")
    noise = np.random.default_rng(seed)
    return {
        "temperature_c": 48 + np.sin(np.arange(samples) / 90) + 0.3 * noise.standard_normal(samples),
        "vibration_mm_s": 1.4 * np.exp(0.05 * noise.standard_normal(samples)),
        "power_kw": 9.0 * np.exp(0.02 * noise.standard_normal(samples)),
    }


def test_a_healthy_machine_stays_good() -> None:
    executing = np.ones(3000, dtype=bool)
    for seed in range(5):
        series = index_series(signals(3000, seed), executing)
        assert series.min() > 0.95
        assert health(signals(3000, seed), executing).state is HealthState.GOOD


def test_wear_shows_first_as_watch_then_as_act_and_names_its_signal() -> None:
    columns, executing = signals(2000), np.ones(2000, dtype=bool)
    wear = np.clip((np.arange(2000) - 800) / 1200, 0, 1)
    columns["vibration_mm_s"] *= 1 + 2.5 * wear**4
    series = index_series(columns, executing)
    states = [state_of_index(index) for index in series]
    watch, act = states.index(HealthState.WATCH), states.index(HealthState.ACT)
    assert 800 < watch < act < 1900
    assert set(states[:watch]) == {HealthState.GOOD}
    found = health(columns, executing)
    assert found.index == series[-1]
    assert found.state is HealthState.ACT
    assert sum(found.contributions.values()) == pytest.approx(1 - found.index)
    assert max(found.contributions, key=found.contributions.__getitem__) == "vibration_mm_s"
    assert found.contributions["vibration_mm_s"] > 0.8 * (1 - found.index)


def test_a_repaired_machine_recovers_and_one_absurd_sample_does_not_condemn() -> None:
    columns, executing = signals(1200), np.ones(1200, dtype=bool)
    columns["vibration_mm_s"][600:800] *= 3
    series = index_series(columns, executing)
    assert series[799] < 0.2
    assert series[-1] > 0.95
    columns = signals(1200)
    columns["power_kw"][700] = 1e12
    assert index_series(columns, executing).min() > 0.8


def test_only_executing_samples_count() -> None:
    columns, executing = signals(1000), np.ones(1000, dtype=bool)
    executing[500:] = False
    columns["vibration_mm_s"][500:] *= 4
    columns["power_kw"][500:] = np.nan
    before = index_series(columns, executing)[499]
    assert health(columns, executing).index == pytest.approx(before)


def test_a_reference_may_be_given() -> None:
    columns, executing = signals(1000), np.ones(1000, dtype=bool)
    columns["vibration_mm_s"][:300] *= 3  # it came worn, and was repaired
    reference = np.arange(1000) >= 300
    assert health(columns, executing, reference).baselines["vibration_mm_s"].median == pytest.approx(1.4, rel=0.02)
    assert index_series(columns, executing, reference)[299] < 0.5


def test_odd_data_are_survived() -> None:
    executing = np.ones(500, dtype=bool)
    constant = {"temperature_c": np.full(500, 40.0), "vibration_mm_s": np.zeros(500)}
    assert health(constant, executing).index == 1.0
    missing = {"temperature_c": np.full(500, np.nan), "power_kw": signals(500)["power_kw"]}
    found = health(missing, executing)
    assert list(found.contributions) == ["power_kw"]
    assert found.state is HealthState.GOOD
    for columns, runs in (
        (signals(29), np.ones(29, dtype=bool)),
        (signals(500), np.zeros(500, dtype=bool)),
        ({}, executing),
        (signals(0), np.zeros(0, dtype=bool)),
    ):
        assert health(columns, runs).index is None
        assert health(columns, runs).state is HealthState.UNKNOWN
        assert np.isnan(index_series(columns, runs)).all()
    assert baseline([1.0] * 15 + [np.inf] * 20) is None
    with pytest.raises(InvalidInput, match="power_kw: its 3 samples"):
        health({"power_kw": [1.0, 2.0, 3.0]}, [True, False])


@settings(max_examples=100, deadline=None, print_blob=True)
@given(
    values=st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32), min_size=40, max_size=80),
    runs=st.lists(st.booleans(), min_size=80, max_size=80),
)
def test_the_index_is_a_share_whatever_comes(values: list[float], runs: list[bool]) -> None:
    found = health({"power_kw": values}, runs[: len(values)])
    if found.index is not None:
        assert 0 <= found.index <= 1
        assert all(0 <= share <= 1 for share in found.contributions.values())
