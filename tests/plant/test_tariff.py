"""Energy costs what the clock on the wall says, summer time or not; no moment of the week has two prices."""

from __future__ import annotations

import random
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from plant.errors import InvalidInput
from plant.tariff import PricePeriod, Tariff

BERLIN, SHANGHAI = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Shanghai")
NIGHT = PricePeriod(time(22), time(6), 0.1)
PEAK = PricePeriod(time(8), time(12), 0.5, (0, 1, 2, 3, 4))


def _local_price(tariff: Tariff, local: datetime) -> float:
    """Return the price by the wall clock alone."""
    for period in tariff.periods:
        for back in (0, 1):
            day = (local - timedelta(days=back)).date()
            if day.weekday() not in period.days:
                continue
            begin = datetime.combine(day, period.start)
            end = datetime.combine(day, period.end) + timedelta(days=period.end <= period.start)
            if begin <= local < end:
                return period.per_kwh
    return tariff.per_kwh


@given(st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_the_price_is_that_of_the_wall_clock(seed: int) -> None:
    note(f"seed {seed}")
    dice = random.Random(seed)
    zone = dice.choice([BERLIN, SHANGHAI, ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe")])
    hours = sorted(dice.sample(range(24), 4))
    days = tuple(sorted(dice.sample(range(7), dice.randint(1, 7))))
    tariff = Tariff(0.3, (
        PricePeriod(time(hours[0]), time(hours[1]), 0.7, days),
        PricePeriod(time(hours[1]), time(hours[2]), 0.5),
        PricePeriod(time(hours[3]), time(hours[0]), 0.1, days),
    ))  # fmt: skip
    start = datetime(2026, dice.randint(1, 12), dice.randint(1, 28), dice.randint(0, 23), 30, tzinfo=UTC)
    turns = tariff.prices(zone, start, start + timedelta(days=30))
    assert turns[0][0] == start
    assert [at for at, _ in turns] == sorted({at for at, _ in turns})
    assert all(one[1] != other[1] for one, other in pairwise(turns))
    for quarter in range(30 * 96):
        at = start + timedelta(minutes=15 * quarter)
        local = at.astimezone(zone)
        if local.utcoffset() != (at - timedelta(hours=1)).astimezone(zone).utcoffset():
            continue  # what the clocks show twice is told in the tests below
        price = next(per_kwh for turn, per_kwh in reversed(turns) if turn <= at)
        assert price == _local_price(tariff, local.replace(tzinfo=None)), f"{local}"


def test_the_night_is_an_hour_longer_when_the_clocks_are_put_back() -> None:
    night = Tariff(0.3, (NIGHT,))
    lengths = []
    for day in (24, 25):  # clocks go back on 25 October 2026 at 3:00
        noon = datetime(2026, 10, day - 1, 10, tzinfo=UTC)
        turns = night.prices(BERLIN, noon, noon + timedelta(days=1))
        lengths.append(turns[2][0] - turns[1][0])
    assert lengths == [timedelta(hours=8), timedelta(hours=9)]


def test_prices_begin_in_the_middle_of_a_period_and_weekends_have_none() -> None:
    friday = datetime(2026, 1, 9, 9, tzinfo=BERLIN).astimezone(UTC)
    turns = Tariff(0.3, (PEAK,)).prices(BERLIN, friday, friday + timedelta(days=3))
    monday = datetime(2026, 1, 12, 8, tzinfo=BERLIN).astimezone(UTC)
    assert turns == [(friday, 0.5), (friday + timedelta(hours=3), 0.3), (monday, 0.5)]


@pytest.mark.parametrize(
    ("periods", "wrong"),
    [
        ((NIGHT, PricePeriod(time(5), time(7), 0.2)), "22:00 to 06:00 and from 05:00 to 07:00 overlap"),
        ((PricePeriod(time(22), time(6), 0.1, (6,)), PricePeriod(time(3), time(4), 0.2, (0,))), "overlap"),
        ((PEAK, PEAK), "overlap"),
    ],
)
def test_two_prices_at_once_are_refused(periods: tuple[PricePeriod, ...], wrong: str) -> None:
    with pytest.raises(InvalidInput, match=wrong):
        Tariff(0.3, periods)


def test_periods_may_follow_each_other_around_the_week() -> None:
    whole_days = tuple(PricePeriod(time(6), time(6), 0.1 + day, (day,)) for day in range(7))
    start = datetime(2026, 1, 5, 12, tzinfo=UTC)
    assert len(Tariff(0.0, whole_days).prices(ZoneInfo("UTC"), start, start + timedelta(days=7))) == 8


def test_a_price_below_zero_and_a_day_that_is_none_are_refused() -> None:
    with pytest.raises(InvalidInput, match="per_kwh must be a number of at least 0"):
        Tariff(-0.1)
    with pytest.raises(InvalidInput, match="days must be 0"):
        PricePeriod(time(6), time(7), 0.1, (7,))
