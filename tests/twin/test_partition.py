"""twin/partition.py: every moment of a period is in exactly one class, held against a loop over its minutes."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plant.calendar import Break, Calendar, Shift, Window
from plant.errors import InvalidInput
from plant.machine_state import MachineState, StateInterval
from twin.partition import Shifts, TimeClass, class_of, failure_starts_us, micro_stops, partition
from twin.state_log import OPEN, STATES, StateLog, micros

MINUTE_US = 60_000_000
BERLIN = ZoneInfo("Europe/Berlin")
STARTS = [  # around both nights on which clocks change, and an ordinary day
    datetime(2026, 3, 28, 12, tzinfo=UTC),
    datetime(2026, 10, 24, 12, tzinfo=UTC),
    datetime(2026, 1, 5, 5, tzinfo=UTC),
]
LENGTH = 36 * 60
"""Minutes looked at: 36 hours."""
STOPPED = {
    MachineState.IDLE,
    MachineState.STARVED,
    MachineState.BLOCKED,
    MachineState.HELD,
    MachineState.PLANNED_STOP,
    MachineState.BREAKDOWN,
}

Row = tuple[int, int | None, MachineState, bool]
"""From minute, to minute, state, with a job."""

rows = st.lists(
    st.tuples(
        st.integers(-300, LENGTH + 100),
        st.one_of(st.none(), st.integers(1, 300)),
        st.sampled_from(STATES),
        st.booleans(),
    ).map(lambda row: (row[0], None if row[1] is None else row[0] + row[1], row[2], row[3])),
    max_size=25,
)
clocks = st.integers(0, 23 * 4).map(lambda quarter: time(quarter // 4, quarter % 4 * 15))


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """Draw shifts at any local time, night shifts and overlapping ones among them, with a break in some."""
    shifts = []
    for number in range(draw(st.integers(1, 3))):
        start, length = draw(clocks), draw(st.integers(2, 12))
        begins = datetime.combine(STARTS[2], start)
        pause = (Break((begins + timedelta(hours=1)).time(), (begins + timedelta(hours=1, minutes=30)).time()),)
        pauses = pause if draw(st.booleans()) else ()
        shifts.append(Shift(f"S{number}", tuple(range(7)), start, (begins + timedelta(hours=length)).time(), pauses))
    return Calendar("c", "Europe/Berlin", tuple(shifts))


def log_of(found: list[Row], start: datetime) -> StateLog:
    def us(minute: int) -> int:
        return micros(start) + minute * MINUTE_US

    return StateLog.of(
        ("M1",),
        np.zeros(len(found), dtype=int),
        [STATES.index(state) for _, _, state, _ in found],
        [job for _, _, _, job in found],
        [us(a) for a, _, _, _ in found],
        [OPEN if b is None else us(b) for _, b, _, _ in found],
    )


def by_the_minute(found: list[Row], calendar: Calendar, start: datetime, threshold: int) -> list[TimeClass]:
    """Return the class of each minute, worked out one at a time."""
    settled: list[list] = []
    for row in sorted(found, key=lambda row: row[0]):  # a stable sort: of two at once the last given comes last
        if settled and settled[-1][0] == row[0]:
            settled.pop()
        if settled:
            settled[-1][1] = min(settled[-1][1], row[0])
        settled.append([row[0], 10**9 if row[1] is None else row[1], row[2], row[3]])
    classes, shifts = [], _shifts(calendar, start)
    for minute in range(LENGTH):
        moment = start + timedelta(minutes=minute)
        shift = any(a <= moment < b for a, b in shifts)
        places = [place for place, (a, b, _, _) in enumerate(settled) if a <= minute < b]
        assert len(places) <= 1
        if not places:
            classes.append(TimeClass.UNKNOWN if shift else TimeClass.CLOSED)
            continue
        _, _, state, job = settled[places[0]]
        found_class = class_of(state, job, shift)
        if shift and job and state in (MachineState.IDLE, MachineState.HELD) and _short(settled, places[0], threshold):
            found_class = TimeClass.DELAY_MICRO_STOP
        classes.append(found_class)
    return classes


def _short(settled: list[list], place: int, threshold: int) -> bool:
    """Follow a stop to both its ends."""
    first = last = place
    while first > 0 and _goes_on(settled[first - 1], settled[first]):
        first -= 1
    while last + 1 < len(settled) and _goes_on(settled[last], settled[last + 1]):
        last += 1
    states = {state for _, _, state, _ in settled[first : last + 1]}
    return settled[last][1] - settled[first][0] < threshold and not states & {
        MachineState.BREAKDOWN,
        MachineState.PLANNED_STOP,
    }


def _goes_on(one: list, other: list) -> bool:
    return one[1] == other[0] and one[2] in STOPPED and other[2] in STOPPED and one[3] == other[3]


def _shifts(calendar: Calendar, start: datetime) -> list[Window]:
    """Return each shift of each day around, one after the other, neither merged nor cut."""
    days = [(start.astimezone(BERLIN) + timedelta(days=day)).date() for day in range(-2, 4)]
    return [window for day in days for shift in calendar.shifts for window in shift.windows_on(day, BERLIN)]


@settings(max_examples=60, deadline=None, print_blob=True)
@given(rows, calendars(), st.sampled_from(STARTS), st.sampled_from([0, 5, 30, 200]))
def test_every_minute_is_in_the_class_that_a_loop_over_the_minutes_finds(
    found: list[Row], calendar: Calendar, start: datetime, threshold: int
) -> None:
    log = log_of(found, start).settled()
    log.require_disjoint()
    period = (start, start + timedelta(minutes=LENGTH))
    micro = micro_stops(log, threshold * 60.0)
    cut = partition(log, "M1", Shifts.of(calendar.windows(*period), period), period, micro)
    assert (cut.edges_us[0], cut.edges_us[-1]) == tuple(micros(one) for one in period)  # no hole at the ends
    assert (np.diff(cut.edges_us) > 0).all()  # no overlap, no hole between
    assert cut.sums_us().sum() == LENGTH * MINUTE_US
    lengths = np.diff(cut.edges_us) // MINUTE_US
    assert np.repeat(cut.classes, lengths).tolist() == by_the_minute(found, calendar, start, threshold)


moments = st.integers(0, 10**10)


@settings(max_examples=200, deadline=None, print_blob=True)
@given(
    st.lists(st.tuples(moments, st.one_of(st.none(), moments), st.sampled_from(STATES), st.booleans()), max_size=20),
    st.lists(moments, min_size=2, max_size=10),
    moments,
)
def test_periods_add_up_to_the_microsecond(
    found: list[tuple[int, int | None, MachineState, bool]], edges: list[int], cut: int
) -> None:
    start = STARTS[0]

    def at(us: int) -> datetime:
        return start + timedelta(microseconds=us)

    log = StateLog.of(
        ("M1",),
        np.zeros(len(found), dtype=int),
        [STATES.index(state) for _, _, state, _ in found],
        [job for _, _, _, job in found],
        [micros(at(a)) for a, _, _, _ in found],
        [OPEN if length is None else micros(at(a + length)) for a, length, _, _ in found],
    ).settled()
    windows = [(at(min(pair)), at(max(pair))) for pair in zip(edges[::2], edges[1::2], strict=False)]
    micro = micro_stops(log, 300.0)

    def sums(period: Window) -> np.ndarray:
        return partition(log, "M1", Shifts.of(windows, period), period, micro).sums_us()

    whole = sums((at(0), at(10**10)))
    assert whole.sum() == 10**10
    assert (sums((at(0), at(cut))) + sums((at(cut), at(10**10))) == whole).all()


def test_a_shift_is_as_long_as_the_night_it_lies_in() -> None:
    calendar = Calendar("c", "Europe/Berlin", (Shift("N", tuple(range(7)), time(22), time(6)),))
    for start, hours in [(STARTS[0], 7), (STARTS[1], 9), (STARTS[2] + timedelta(hours=7), 8)]:
        period = (start, start + timedelta(hours=24))
        shifts = Shifts.of(calendar.windows(*period), period)
        log = StateLog.of_intervals([StateInterval("M1", start, None, MachineState.EXECUTING)])
        sums = partition(log, "M1", shifts, period, micro_stops(log, 0.0)).sums_us()
        assert sums[TimeClass.PRODUCTION] == hours * 3600 * 1_000_000
        assert sums[TimeClass.OVERTIME] == (24 - hours) * 3600 * 1_000_000


@pytest.mark.parametrize("has_job", [True, False])
def test_the_table_knows_every_state(has_job: bool) -> None:
    found = {state: class_of(state, has_job, True) for state in MachineState}
    assert all(one.in_shift for one in found.values())
    assert found[MachineState.EXECUTING] is TimeClass.PRODUCTION
    assert found[MachineState.SETUP] is TimeClass.SETUP
    assert found[MachineState.OFFLINE] is found[MachineState.UNKNOWN] is TimeClass.UNKNOWN
    stops = {found[state].name for state in STOPPED}
    kind = "DELAY" if has_job else "DOWN"
    assert stops == {f"{kind}_{state.name}" for state in STOPPED}
    outside = {state: class_of(state, has_job, False) for state in MachineState}
    assert outside.pop(MachineState.EXECUTING) is TimeClass.OVERTIME
    assert outside.pop(MachineState.SETUP) is TimeClass.OVERTIME_SETUP
    assert set(outside.values()) == {TimeClass.CLOSED}


E, H, S, B = MachineState.EXECUTING, MachineState.HELD, MachineState.STARVED, MachineState.BREAKDOWN


@pytest.mark.parametrize(
    ("found", "micro"),
    [
        ([(0, 9, E, True), (9, 13, H, True), (13, 20, E, True)], [False, True, False]),
        ([(0, 9, E, True), (9, 14, H, True), (14, 20, E, True)], [False, False, False]),  # not shorter than 5
        ([(0, 9, E, True), (9, 13, H, False), (13, 20, E, True)], [False, False, False]),  # no job, no delay
        ([(0, 3, H, True), (3, 6, H, True)], [False, False]),  # one stop of six minutes
        ([(0, 3, H, True), (3, 6, H, False)], [True, False]),  # the job went away: the delay is over
        ([(0, 2, H, True), (2, 4, S, True)], [True, False]),  # starved stays starved
        ([(0, 1, H, True), (1, 2, B, True), (2, 3, H, True)], [False, False, False]),  # a breakdown's edges
        ([(0, 2, H, True), (3, 6, H, True)], [True, True]),  # what is between is unknown
        ([(0, None, H, True)], [False]),  # not over: nobody knows how long it will be
    ],
)
def test_which_stops_are_micro_stops(found: list[Row], micro: list[bool]) -> None:
    assert micro_stops(log_of(found, STARTS[2]), 300.0).tolist() == micro


def test_a_failure_is_counted_once_whatever_is_lost_within_it() -> None:
    found = [
        (0, 5, E, True),
        (5, 6, B, True),
        (6, 8, B, False),
        (8, 9, MachineState.OFFLINE, False),
        (9, 12, B, False),
        (12, 13, E, True),
        (20, 30, B, True),
    ]
    log = log_of(found, STARTS[2])
    starts = (failure_starts_us(log, "M1") - micros(STARTS[2])) // MINUTE_US
    assert starts.tolist() == [5, 20]
    assert failure_starts_us(log, "M2").tolist() == []


def test_columns_that_make_no_sense_are_refused() -> None:
    with pytest.raises(InvalidInput, match="one length"):
        StateLog.of(("M1",), [0], [0, 1], [True], [0], [1])
    with pytest.raises(InvalidInput, match="place must be 0 to 0"):
        StateLog.of(("M1",), [1], [0], [True], [0], [1])
    with pytest.raises(InvalidInput, match="state must be 0 to 9"):
        StateLog.of(("M1",), [0], [10], [True], [0], [1])
    with pytest.raises(InvalidInput, match=r"M1: the interval from 1970.* ends before it begins"):
        StateLog.of(("M1",), [0], [0], [True], [5], [1])
    with pytest.raises(InvalidInput, match=r"M1: the interval from .* overlaps"):
        log_of([(0, None, E, True), (5, 6, H, True)], STARTS[2]).require_disjoint()
    empty = log_of([], STARTS[2])
    with pytest.raises(InvalidInput, match="must not end before"):
        partition(empty, "M1", Shifts.of([], (STARTS[0], STARTS[0])), (STARTS[1], STARTS[0]), micro_stops(empty, 1.0))


def test_an_exact_repeat_changes_nothing_and_order_does_not_matter() -> None:
    found: list[Row] = [(0, 5, E, True), (5, 9, H, True), (9, 12, S, False)]
    once, shuffled = log_of(found, STARTS[2]), log_of([found[2], found[0], found[1], found[0]], STARTS[2])
    shuffled.require_disjoint()
    for column in ("machine", "state", "has_job", "start_us", "finish_us"):
        assert (getattr(once, column) == getattr(shuffled, column)).all()
