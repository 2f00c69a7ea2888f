"""What meters show is what a plain sum over minutes says: of open time that is overtime, and of energy at its price."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from plant.calendar import WorkingTime
from plant.work import MachineOutlook, Work
from scheduler.meter import meters_of, read
from tests.scheduler.shops import HOUR, days, machine, task, work

_MINUTE = 60.0
_DAYS = 4


def _spans(dice: random.Random, count: int) -> tuple[tuple[float, float], ...]:
    """Return disjoint spans on whole minutes, in order."""
    edges = sorted(dice.sample(range(-600, _DAYS * 1440), 2 * count))
    return tuple((a * _MINUTE, b * _MINUTE) for a, b in zip(edges[::2], edges[1::2], strict=True))


def _random_work(dice: random.Random) -> Work:
    """Return three machines, the last two with one calendar and of one power."""
    open_ = [WorkingTime.always(), days([(6.0, 9.25), (10.0, 14.0), (22.0, 23.5)], _DAYS)]
    first = machine("M0", dice.choice(open_), overtime=_spans(dice, 3), power_kw=dice.uniform(1, 50))
    second = machine("M1", dice.choice(open_), overtime=_spans(dice, 1), power_kw=dice.uniform(1, 50))
    third = replace(second, id="M2", overtime=())
    turns = sorted(dice.sample(range(-300, _DAYS * 1440), 5))
    prices = tuple((turn * _MINUTE, dice.uniform(0, 1)) for turn in turns)
    some = work([task("1", "order", {"M0": 1.0})], [first, second, third], {})
    return replace(some, energy_prices=prices)


def _is_open(one: MachineOutlook, at_s: float) -> bool:
    time = one.working_time
    return any(start <= at_s < end for start, end in zip(time.starts, time.ends, strict=True))


def _price(some: Work, at_s: float) -> float:
    return next((per_kwh for start, per_kwh in reversed(some.energy_prices) if start <= at_s), 0.0)


@given(st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_meters_agree_with_a_sum_over_minutes(seed: int) -> None:
    note(f"seed {seed}")
    dice = random.Random(seed)
    some = _random_work(dice)
    meters, overtime_of, energy_of = meters_of(some)
    for number, one in enumerate(some.machines.values()):
        begin, end = sorted(dice.sample(range(_DAYS * 1440), 2))
        minutes = [at * _MINUTE for at in range(begin, end) if _is_open(one, at * _MINUTE)]
        paid_s = sum(_MINUTE for at in minutes if any(a <= at < b for a, b in one.overtime))
        energy = sum(one.power_kw * _MINUTE / HOUR * _price(some, at) for at in minutes)
        for meter, expected in ((overtime_of[number], paid_s), (energy_of[number], energy)):
            shown = 0.0
            if meter >= 0:
                shown = read(meters, meter, end * _MINUTE) - read(meters, meter, begin * _MINUTE)
            assert shown == pytest.approx(expected, rel=1e-9, abs=1e-6)


def test_what_is_paid_no_extra_and_draws_nothing_has_no_meter() -> None:
    plain = work([task("1", "order", {"M0": 1.0})], [machine("M0"), machine("M1", power_kw=3.0)], {})
    assert [numbers.tolist() for numbers in meters_of(plain)[1:]] == [[-1, -1], [-1, -1]]
    priced = replace(plain, energy_prices=((0.0, 0.2),))
    assert [numbers.tolist() for numbers in meters_of(priced)[1:]] == [[-1, -1], [-1, 0]]
