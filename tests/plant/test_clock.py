"""The plant clock's contract, over every implementation; and what an emulated one adds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plant.clock import Anchor, EmulatedPlantClock, WallPlantClock, wall_now
from plant.errors import InvalidInput
from plant.ports import PlantClock
from tests.plant.shops import MONDAY, small_shop

SHOP = small_shop()
WALL = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Wall:
    """A wall clock that a test moves."""

    def __init__(self) -> None:
        self.time = WALL

    def __call__(self) -> datetime:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


def emulated(
    plant: datetime = MONDAY, rate: float = 60.0, wall: Callable[[], datetime] = wall_now
) -> EmulatedPlantClock:
    return EmulatedPlantClock(SHOP, Anchor(plant, wall(), rate), wall)


CLOCKS = {
    "wall": WallPlantClock,
    "emulated": emulated,
    "emulated fast": lambda: emulated(rate=1e6),
    "emulated paused": lambda: emulated(rate=0),
    "emulated from a weekend": lambda: emulated(plant=MONDAY - timedelta(days=1)),
}


@pytest.mark.parametrize("make", CLOCKS.values(), ids=CLOCKS.keys())
def test_contract_tells_utc_and_never_goes_back(make: Callable[[], PlantClock]) -> None:
    clock = make()
    told = [clock.now() for _ in range(2000)]
    assert all(moment.utcoffset() == timedelta(0) for moment in told)
    assert all(before <= after for before, after in pairwise(told))


def test_a_real_plants_clock_is_the_walls() -> None:
    before = wall_now()
    told = WallPlantClock().now()
    assert before <= told <= wall_now()


def test_it_runs_at_its_rate() -> None:
    wall = Wall()
    clock = emulated(wall=wall)
    assert clock.now() == MONDAY
    wall.advance(10)
    assert clock.now() == MONDAY + timedelta(minutes=10)


def test_it_jumps_over_breaks_nights_and_weekends() -> None:
    wall = Wall()
    clock = emulated(wall=wall)
    wall.advance(240)  # four hours of work: at 10:00 the break begins, and is over at once
    assert clock.now() == MONDAY + timedelta(hours=4, minutes=30)
    wall.advance(210)  # the day's last three and a half hours
    assert clock.now() == MONDAY + timedelta(days=1), "Tuesday 06:00"
    wall.advance(4 * 450)
    assert clock.now() == MONDAY + timedelta(days=7), "the next Monday 06:00"


@given(st.lists(st.floats(0, 3600), min_size=1, max_size=30), st.sampled_from([0.0, 1.0, 60.0, 777.7]))
def test_it_shows_open_time_only_and_never_goes_back(steps: list[float], rate: float) -> None:
    wall = Wall()
    clock = emulated(rate=rate, wall=wall)
    calendar = SHOP.calendars[0]
    told = [clock.now()]
    for step in steps:
        wall.advance(step)
        told.append(clock.now())
        # A float of seconds may fall a microsecond short of a window's start.
        assert calendar.is_open(told[-1] + timedelta(microseconds=2)) or calendar.is_open(told[-1])
    assert all(before <= after for before, after in pairwise(told))
    worked = sum((end - start).total_seconds() for start, end in calendar.windows(MONDAY, told[-1]))
    assert worked == pytest.approx((wall() - WALL).total_seconds() * rate, abs=1e-3)


def test_rate_0_pauses_and_a_new_anchor_goes_on_from_there() -> None:
    wall = Wall()
    clock = emulated(wall=wall)
    wall.advance(60)
    reached = clock.now()
    clock.set_anchor(Anchor(reached, wall(), 0))
    wall.advance(86400)
    assert clock.now() == reached
    clock.set_anchor(Anchor(reached, wall(), 120))
    wall.advance(30)
    assert clock.now() == reached + timedelta(hours=1)
    assert clock.anchor.rate == 120


def test_a_wall_clock_set_back_does_not_turn_it_back_before_its_anchor() -> None:
    wall = Wall()
    clock = emulated(wall=wall)
    wall.advance(-3600)
    assert clock.now() == MONDAY


def test_two_clocks_of_one_anchor_tell_the_same_time() -> None:
    wall = Wall()
    first, second = emulated(wall=wall), emulated(wall=wall)
    wall.advance(12345.678)
    assert first.now() == second.now()


@pytest.mark.parametrize(
    ("plant", "wall", "rate", "reason"),
    [
        (MONDAY.replace(tzinfo=None), WALL, 1.0, "plant must be a UTC datetime"),
        (MONDAY, WALL.replace(tzinfo=None), 1.0, "wall must be a UTC datetime"),
        (MONDAY, WALL, -1.0, "rate must be a number of at least 0, not -1.0"),
        (MONDAY, WALL, float("nan"), "rate must be a number of at least 0, not nan"),
    ],
)
def test_a_wrong_anchor_is_refused(plant: datetime, wall: datetime, rate: float, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        Anchor(plant, wall, rate)
