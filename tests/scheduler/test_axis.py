"""`scheduler.axis`: two calendars on one axis."""

from __future__ import annotations

import random

from hypothesis import given, note
from hypothesis import strategies as st

from plant.calendar import WorkingTime
from scheduler.axis import Gap, curve, gaps_after, to_axis, to_own
from tests.scheduler.shops import HOUR, days

HORIZON = 20 * 24 * HOUR


def some_calendar(dice: random.Random) -> WorkingTime:
    edges = sorted(dice.sample(range(24), 2 * dice.randint(1, 3)))
    return days(list(zip(edges[::2], edges[1::2], strict=True)))


@given(st.integers(0, 10**6))
def test_the_curve_agrees_with_the_calendars(seed: int) -> None:
    note(f"seed {seed}")
    dice = random.Random(seed)
    axis, own = some_calendar(dice), some_calendar(dice)
    pieces = curve(axis, own, HORIZON)
    for _ in range(20):
        worked = dice.randint(1, int(own.worked_at(HORIZON)))
        assert to_axis(pieces, worked) == axis.worked_at(own.clock_at(worked))
        done = dice.randint(0, int(axis.worked_at(HORIZON)) - 1)
        begin = own.begin(axis.clock_at(done))
        assert to_own(pieces, done) == own.worked_at(begin)


def test_gaps_are_the_nights_behind_the_due_date() -> None:
    axis = days([(6, 14)])
    assert gaps_after(axis, 8 * HOUR, 3 * 24 * HOUR) == [Gap(8 * 3600, 16 * 3600), Gap(16 * 3600, 16 * 3600)]
    assert gaps_after(axis, 20 * HOUR, 2 * 24 * HOUR) == [Gap(8 * 3600, 10 * 3600)]


def test_lateness_by_the_clock_is_work_beyond_the_due_date_plus_the_gaps_passed() -> None:
    axis, due = days([(6, 14)]), 13 * HOUR
    for done in (7 * HOUR + 1, 8 * HOUR, 8 * HOUR + 1, 20 * HOUR):
        gaps = sum(gap.length for gap in gaps_after(axis, due, HORIZON) if done > gap.after)
        assert done - axis.worked_at(due) + gaps == axis.clock_at(done) - due
