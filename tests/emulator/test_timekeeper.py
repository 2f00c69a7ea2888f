from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from emulator.timekeeper import LEASE, Timekeeper
from plant.folder import load
from plant.plant import Plant
from tests.emulator.parts import SHOP, at

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Wall:
    """A wall clock set by hand."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(scope="module")
def plant() -> Plant:
    return load(SHOP)


def test_it_stands_still_until_it_runs_and_skips_closed_hours(plant: Plant) -> None:
    wall = Wall()
    keeper = Timekeeper(plant, at(60), 60, wall)
    wall.now += timedelta(seconds=30)
    assert keeper.now() == at(60)
    keeper.run()
    wall.now += timedelta(seconds=10)
    assert keeper.now() == at(660)
    assert (keeper.anchor.plant, keeper.anchor.wall, keeper.anchor.rate) == (at(60), NOON + timedelta(seconds=30), 60)
    wall.now += timedelta(seconds=(3 * 3600 - 660) // 60)
    assert keeper.now() == at(3 * 3600 + 15 * 60), "the break from 9:00 to 9:15 is skipped"


def test_it_never_goes_back_when_the_wall_clock_does(plant: Plant) -> None:
    wall = Wall()
    keeper = Timekeeper(plant, at(0), 60, wall)
    keeper.run()
    wall.now += timedelta(seconds=10)
    assert keeper.now() == at(600)
    wall.now -= timedelta(hours=1)
    assert keeper.now() == at(600)


def test_the_lease_lies_ahead_of_all_that_is_shown_until_it_is_renewed(plant: Plant) -> None:
    wall = Wall()
    keeper = Timekeeper(plant, at(0), 600, wall)
    keeper.run()
    leased = keeper.lease()
    assert leased == at(600 * LEASE.total_seconds())
    while not keeper.must_renew():
        wall.now += timedelta(milliseconds=20)
    assert LEASE / 2 <= wall.now - NOON < LEASE * 0.6
    assert keeper.now() < leased
    assert keeper.lease() > leased
    assert not keeper.must_renew()
