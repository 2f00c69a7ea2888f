"""twin/drift.py: what the chart sees, how soon, and how seldom it is wrong."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import poisson

from plant.errors import InvalidInput
from twin.arl import arl_two_sided
from twin.drift import LIMIT, REFERENCE, SHIFT, Direction, DriftChart, drift_of

Sample = Callable[[np.random.Generator, int], NDArray[np.float64]]
SEED = 20260105
SHAPES: dict[str, tuple[Sample, float]] = {
    "normal": (lambda rng, n: rng.normal(20, 2, n), 2.0),
    "lognormal": (lambda rng, n: rng.lognormal(0, 0.5, n), math.sqrt(math.expm1(0.25) * math.exp(0.25))),
    "exponential": (lambda rng, n: rng.exponential(60, n), 60.0),
}


def rng(shape: str) -> np.random.Generator:
    number = list(SHAPES).index(shape)
    print(f"seed {SEED}, {number}")
    return np.random.default_rng([SEED, number])


def test_the_limits_are_what_the_markov_chain_says() -> None:
    assert arl_two_sided(LIMIT, REFERENCE, 0.0) == pytest.approx(11_000, rel=0.005)
    assert arl_two_sided(LIMIT, REFERENCE, SHIFT) < 60


@pytest.mark.parametrize("shape", SHAPES)
def test_false_alarms_are_no_more_frequent_than_stated_whatever_the_shape(shape: str) -> None:
    # Were there one in 10,000 cycles, so many would be seen with a probability of at most 0.1 %.
    cycles = 100_000
    alarms = drift_of(SHAPES[shape][0](rng(shape), cycles)).alarms
    assert len(alarms) <= poisson.ppf(0.999, cycles / 10_000), alarms


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("direction", Direction)
def test_a_shift_of_half_a_deviation_is_seen_within_sixty_cycles(shape: str, direction: Direction) -> None:
    # Refused although the mean were 60 with a probability of at most 0.1 % (one-sided normal bound).
    random, (sample, deviation) = rng(shape), SHAPES[shape]
    by = SHIFT * deviation * (1 if direction is Direction.LONGER else -1)
    delays = [delay for delay in (_delay(random, sample, by, direction) for _ in range(40)) if delay is not None]
    error = np.std(delays, ddof=1) / math.sqrt(len(delays))
    assert len(delays) >= 20
    assert np.mean(delays) <= 60 + 3.1 * error, delays


def _delay(random: np.random.Generator, sample: Sample, by: float, direction: Direction) -> int | None:
    """Cycles from the change to the alarm, None where there was a false alarm before."""
    chart, history = DriftChart(), 2000
    alarms = [chart.observe(cycle) for cycle in sample(random, history).tolist()]
    if any(alarms):
        return None
    for number, cycle in enumerate((sample(random, 1000) + by).tolist(), start=1):
        alarm = chart.observe(cycle)
        if alarm is not None:
            assert alarm.direction is direction
            assert (alarm.shift > 0) == (by > 0)
            return number
    pytest.fail("not seen within 1,000 cycles")


def test_an_alarm_tells_since_when_and_by_how_much_and_begins_anew() -> None:
    random = rng("normal")
    cycles = np.concatenate([random.normal(100, 10, 1000), random.normal(115, 10, 300)])
    found = drift_of(cycles)
    (alarm,) = found.alarms
    assert alarm.direction is Direction.LONGER
    assert abs(alarm.since - 1000) < 15
    assert 1000 < alarm.seen_at < 1030
    assert alarm.shift == pytest.approx(1.5, abs=0.5)
    assert found.cycles == 1300
    assert found.compared_with == 1299 - alarm.seen_at
    assert 0 <= found.longer < 1
    assert 0 <= found.shorter < 1


def test_any_unit_and_any_increasing_function_give_the_same() -> None:
    cycles = rng("lognormal").lognormal(4, 0.4, 3000)
    cycles[2000:] *= 1.5
    assert drift_of(cycles) == drift_of(np.log(cycles)) == drift_of(cycles / 60)
    assert drift_of(cycles).alarms


def test_equal_cycles_are_no_drift_and_one_of_another_length_is_none_yet() -> None:
    assert drift_of(np.full(500, 30.0)).longer == 0
    found = drift_of([30.0] * 500 + [31.0])
    assert not found.alarms
    assert 0 < found.longer < 1
    assert drift_of([30.0] * 500 + [31.0] * 20).alarms


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_a_cycle_that_is_no_number_is_refused(wrong: float) -> None:
    with pytest.raises(InvalidInput, match="finite"):
        drift_of([1.0, wrong])


def test_nothing_seen_is_nothing_said() -> None:
    assert (drift_of([]).cycles, drift_of([]).alarms) == (0, ())
