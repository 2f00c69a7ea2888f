"""twin/oee.py: ISO 22400-2 on known figures, and as a partition of the calendar's working time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plant.errors import InvalidInput
from plant.machine_state import MachineState, StateInterval
from twin.oee import PieceCount, Times, times_of

START = datetime(2026, 1, 5, 5, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def interval(start: float, end: float | None, state: MachineState, job: str | None = None) -> StateInterval:
    return StateInterval("M1", at(start), None if end is None else at(end), state, "", job)


def test_a_shift_with_setup_delay_and_down_time() -> None:
    intervals = [
        interval(0, 20, MachineState.IDLE),
        interval(20, 50, MachineState.SETUP, "J1"),
        interval(50, 77, MachineState.STARVED, "J1"),
        interval(77, 420, MachineState.EXECUTING, "J1"),
    ]
    counts = [PieceCount(at(200), 10000, 400, 1.0), PieceCount(at(420), 8848, 23, 1.0)]
    times = times_of(intervals, counts, [(at(0), at(420))], (at(0), at(420)))
    minutes = (times.pbt_s, times.adot_s, times.aust_s, times.adet_s, times.apt_s)
    assert [seconds / 60 for seconds in minutes] == [420, 20, 30, 27, 343]
    assert (times.produced, times.good) == (19271, 18848)
    assert times.oee == pytest.approx(1 * 18848 / (420 * 60), abs=1e-9)
    assert times.oee == pytest.approx(0.74794, abs=5e-6)
    assert times.nee == pytest.approx(0.81335, abs=5e-6)
    assert times.allocation == pytest.approx(0.95238, abs=5e-6)
    assert times.utilisation == pytest.approx(0.8575, abs=1e-9)
    assert times.setup_ratio == pytest.approx(0.08043, abs=5e-6)
    assert times.technical_efficiency == pytest.approx(0.92703, abs=5e-6)


def test_eight_hours_with_one_stop() -> None:
    stop, again = 4 * 60 + 3 + 53 / 60, 4 * 60 + 24 + 53 / 60
    intervals = [
        interval(0, stop, MachineState.EXECUTING, "J1"),
        interval(stop, again, MachineState.BREAKDOWN, "J1"),
        interval(again, None, MachineState.EXECUTING, "J1"),
    ]
    times = times_of(intervals, [PieceCount(at(480), 1285, 13, 21.0)], [(at(0), at(480))], (at(0), at(480)))
    assert times.availability == pytest.approx(0.95625, abs=1e-9)
    assert times.effectiveness == pytest.approx(1298 * 21 / 27540, abs=1e-9)
    assert times.quality_ratio == pytest.approx(1285 / 1298, abs=1e-9)
    assert times.oee == pytest.approx(0.95625 * (1298 * 21 / 27540) * (1285 / 1298), abs=1e-9)
    assert times.oee == pytest.approx(0.93698, abs=5e-6)


def test_breaks_and_nights_are_no_planned_busy_time_and_what_is_made_there_is_kept_apart() -> None:
    windows = [(at(0), at(60)), (at(90), at(150))]
    counts = [PieceCount(at(60), 1, 0, 60.0), PieceCount(at(75), 5, 5, 60.0), PieceCount(at(90), 7, 0, 60.0)]
    times = times_of([interval(0, 100, MachineState.EXECUTING, "J1")], counts, windows, (at(0), at(120)))
    assert (times.pbt_s, times.apt_s, times.overtime_s) == (90 * 60, 70 * 60, 30 * 60)
    assert times.unknown_s == 20 * 60  # nothing is recorded after minute 100
    assert (times.good, times.scrap) == (1, 0)


@pytest.mark.parametrize(
    ("state", "job", "name"),
    [
        (MachineState.EXECUTING, "J1", "apt_s"),
        (MachineState.SETUP, "J1", "aust_s"),
        (MachineState.SETUP, None, "aust_s"),
        (MachineState.IDLE, "J1", "adet_s"),
        (MachineState.BLOCKED, "J1", "adet_s"),
        (MachineState.HELD, "J1", "adet_s"),
        (MachineState.BREAKDOWN, "J1", "adet_s"),
        (MachineState.BREAKDOWN, None, "adot_s"),
        (MachineState.IDLE, None, "adot_s"),
        (MachineState.STARVED, None, "adot_s"),
        (MachineState.PLANNED_STOP, None, "adot_s"),
        (MachineState.OFFLINE, "J1", "unknown_s"),
        (MachineState.UNKNOWN, None, "unknown_s"),
    ],
)
def test_which_time_a_state_belongs_to(state: MachineState, job: str | None, name: str) -> None:
    times = times_of([interval(0, None, state, job)], [], [(at(0), at(10))], (at(0), at(10)))
    assert getattr(times, name) == times.pbt_s == 600


def test_without_planned_time_or_pieces_there_is_no_division() -> None:
    nothing = times_of([], [], [], (at(0), at(10)))
    assert nothing == Times()
    assert (nothing.oee, nothing.nee, nothing.availability, nothing.effectiveness) == (None, None, None, None)
    idle = times_of([interval(0, 10, MachineState.IDLE)], [], [(at(0), at(10))], (at(0), at(10)))
    assert (idle.oee, idle.availability, idle.effectiveness, idle.quality_ratio) == (0.0, 0.0, None, None)


def test_overlapping_intervals_and_two_machines_are_refused() -> None:
    window = (at(0), at(10))
    two = [interval(0, None, MachineState.IDLE), interval(5, None, MachineState.EXECUTING)]
    with pytest.raises(InvalidInput, match="overlaps the one from"):
        times_of(two, [], [window], window)
    other = StateInterval("M2", at(5), at(6), MachineState.IDLE)
    with pytest.raises(InvalidInput, match="intervals of M1 and M2"):
        times_of([interval(0, 5, MachineState.IDLE), other], [], [window], window)
    with pytest.raises(InvalidInput, match="never go back"):
        PieceCount(at(0), -1, 0, 1.0)


edges = st.lists(st.integers(0, 600), min_size=2, max_size=12, unique=True).map(sorted)


@settings(max_examples=200, deadline=None, print_blob=True)
@given(
    changes=edges,
    shifts=edges,
    cut=st.integers(1, 599),
    states=st.lists(st.tuples(st.sampled_from(list(MachineState)), st.sampled_from(["J1", None])), min_size=12),
    pieces=st.lists(st.integers(0, 600), max_size=12),
)
def test_the_times_partition_working_time_and_periods_add_up(
    changes: list[int],
    shifts: list[int],
    cut: int,
    states: list[tuple[MachineState, str | None]],
    pieces: list[int],
) -> None:
    windows = [(at(a), at(b)) for a, b in zip(shifts[::2], shifts[1::2], strict=False)]
    intervals = [interval(a, b, *state) for a, b, state in zip(changes, changes[1:], states, strict=False)]
    counts = [PieceCount(at(minute), 2, 1, 30.0) for minute in pieces]
    whole = times_of(intervals[::-1], counts, windows, (at(0), at(600)))
    assert whole.pbt_s == sum((b - a).total_seconds() for a, b in windows)
    assert whole.apt_s + whole.aust_s + whole.adet_s + whole.adot_s + whole.unknown_s == whole.pbt_s
    first = times_of(intervals, counts, windows, (at(0), at(cut)))
    second = times_of(intervals, counts, windows, (at(cut), at(600)))
    assert first + second == whole
