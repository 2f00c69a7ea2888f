"""Shifts over days, nights and changes of the clocks; and the map between clock time and working time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plant.calendar import Break, Calendar, Shift, WorkingTime, clip_windows, merge_windows, without_windows
from plant.errors import InvalidInput

BERLIN = "Europe/Berlin"
EARLY = Shift(
    "early",
    (0, 1, 2, 3, 4),
    time(6),
    time(14),
    (Break(time(9), time(9, 15)), Break(time(11, 30), time(12))),
)
LATE = Shift("late", (0, 1, 2, 3, 4), time(14), time(22))
NIGHT = Shift("night", (0, 1, 2, 3, 4, 5, 6), time(22), time(6))


def utc(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def hours(windows: list[tuple[datetime, datetime]]) -> float:
    return sum((end - start).total_seconds() for start, end in windows) / 3600


# --- shifts and calendars ---------------------------------------------------------------------------------------------


def test_a_shift_is_cut_by_its_breaks_and_given_in_utc() -> None:
    calendar = Calendar("early", "Asia/Shanghai", (EARLY,))
    windows = calendar.windows(utc("2026-01-05T00:00", "Asia/Shanghai"), utc("2026-01-06T00:00", "Asia/Shanghai"))
    assert windows == [
        (utc("2026-01-04T22:00"), utc("2026-01-05T01:00")),
        (utc("2026-01-05T01:15"), utc("2026-01-05T03:30")),
        (utc("2026-01-05T04:00"), utc("2026-01-05T06:00")),
    ]
    assert calendar.is_open(utc("2026-01-05T00:59:59"))
    assert not calendar.is_open(utc("2026-01-05T01:00")), "a window is half open"
    assert calendar.is_open(utc("2026-01-05T01:15"))


def test_touching_shifts_are_one_window() -> None:
    calendar = Calendar("two", BERLIN, (LATE, Shift("plain", (0, 1, 2, 3, 4), time(6), time(14))))
    assert calendar.windows(utc("2026-01-05T00:00"), utc("2026-01-06T00:00")) == [
        (utc("2026-01-05T05:00"), utc("2026-01-05T21:00"))
    ]


def test_overtime_adds_to_the_shifts_and_a_closure_takes_from_both() -> None:
    saturday = (utc("2026-01-10T07:00"), utc("2026-01-10T11:00"))
    closed = (utc("2026-01-09T12:00"), utc("2026-01-10T08:00"))
    plain = Shift("plain", (0, 1, 2, 3, 4), time(6), time(14))
    calendar = Calendar("c", "UTC", (plain,), overtime=(saturday,), closures=(closed,))
    assert calendar.windows(utc("2026-01-09T00:00"), utc("2026-01-11T00:00")) == [
        (utc("2026-01-09T06:00"), utc("2026-01-09T12:00")),
        (utc("2026-01-10T08:00"), utc("2026-01-10T11:00")),
    ]
    always = Calendar("always", "UTC", closures=(closed,))
    assert not always.is_open(utc("2026-01-09T12:00"))
    assert always.is_open(utc("2026-01-10T08:00"))
    with pytest.raises(InvalidInput, match="must end after it starts"):
        Calendar("c", "UTC", overtime=(saturday[::-1],))


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(1, 9))),
    st.lists(st.tuples(st.integers(0, 50), st.integers(1, 9))),
)
def test_what_is_left_outside_spans_is_what_a_clock_would_count(
    opened: list[tuple[int, int]], closed: list[tuple[int, int]]
) -> None:
    start = utc("2026-01-05T00:00")

    def spans(pairs: list[tuple[int, int]]) -> list[tuple[datetime, datetime]]:
        return [(start + timedelta(hours=a), start + timedelta(hours=a + n)) for a, n in pairs]

    left = without_windows(merge_windows(spans(opened)), spans(closed))
    told = {hour for begin, end in left for hour in range(60) if begin <= start + timedelta(hours=hour) < end}
    counted = {hour for a, n in opened for hour in range(a, a + n)} - {h for a, n in closed for h in range(a, a + n)}
    assert told == counted
    assert all(one[1] <= other[0] for one, other in pairwise(left))


def test_weekends_and_closed_days_are_free() -> None:
    calendar = Calendar("early", BERLIN, (EARLY,), (date(2026, 1, 7),))
    windows = calendar.windows(utc("2026-01-05T00:00"), utc("2026-01-12T00:00"))
    assert {start.date() for start, _ in windows} == {date(2026, 1, day) for day in (5, 6, 8, 9)}
    assert hours(windows) == 4 * 7.25


def test_a_night_shift_belongs_to_the_day_it_begins_on() -> None:
    friday = Shift("night", (4,), time(22), time(6))
    calendar = Calendar("nights", BERLIN, (friday,))
    saturday = calendar.windows(utc("2026-01-10T00:00", BERLIN), utc("2026-01-11T00:00", BERLIN))
    assert saturday == [(utc("2026-01-10T00:00", BERLIN), utc("2026-01-10T06:00", BERLIN))], "Friday's shift ends then"
    closed = Calendar("nights", BERLIN, (friday,), (date(2026, 1, 9),))
    assert closed.windows(utc("2026-01-10T00:00", BERLIN), utc("2026-01-11T00:00", BERLIN)) == []
    closed_after = Calendar("nights", BERLIN, (friday,), (date(2026, 1, 10),))
    assert hours(closed_after.windows(utc("2026-01-09T00:00"), utc("2026-01-12T00:00"))) == 8


@pytest.mark.parametrize(
    ("day", "worked_h", "ends"),
    [
        ("2026-03-27", 8, "2026-03-28T05:00"),
        ("2026-03-28", 7, "2026-03-29T04:00"),  # the clocks are put forward at 02:00
        ("2026-03-29", 8, "2026-03-30T04:00"),
        ("2026-10-24", 9, "2026-10-25T05:00"),  # and back at 03:00
        ("2026-10-25", 8, "2026-10-26T05:00"),
    ],
)
def test_a_night_over_the_change_of_the_clocks_is_shorter_or_longer(day: str, worked_h: float, ends: str) -> None:
    calendar = Calendar("nights", BERLIN, (NIGHT,))
    noon = utc(f"{day}T12:00", BERLIN)
    (window,) = calendar.windows(noon, noon + timedelta(days=1))
    assert window[0] == utc(f"{day}T22:00", BERLIN)
    assert window[1] == utc(ends)
    assert hours([window]) == worked_h


def test_a_break_that_the_clocks_skip_takes_no_time() -> None:
    night = Shift("night", (5,), time(22), time(6), (Break(time(2), time(3)),))
    windows = Calendar("nights", BERLIN, (night,)).windows(utc("2026-03-28T12:00"), utc("2026-03-29T12:00"))
    assert hours(windows) == 7, "from 22:00 to 06:00 are seven hours that night, and 02:00 to 03:00 is none of them"


@given(
    start=st.integers(0, 365 * 86400).map(lambda second: utc("2026-01-01T00:00") + timedelta(seconds=second)),
    length=st.timedeltas(timedelta(0), timedelta(days=30)),
    split=st.floats(0, 1),
    zone=st.sampled_from([BERLIN, "Asia/Shanghai", "America/New_York", "Australia/Lord_Howe"]),
)
def test_windows_are_disjoint_in_order_inside_and_add_up(
    start: datetime, length: timedelta, split: float, zone: str
) -> None:
    calendar = Calendar("all", zone, (EARLY, NIGHT), (date(2026, 5, 1),))
    end = start + length
    windows = calendar.windows(start, end)
    assert all(begin < finish for begin, finish in windows)
    assert all(before[1] < after[0] for before, after in pairwise(windows)), "touching windows are joined"
    assert all(start <= begin and finish <= end for begin, finish in windows)
    middle = start + length * split
    parts = calendar.windows(start, middle) + calendar.windows(middle, end)
    assert merge_windows(parts) == windows, "asked in two parts, the answer is the same"


def test_a_calendar_without_shifts_is_always_open() -> None:
    calendar = Calendar("always", "UTC")
    start, end = utc("2026-01-03T00:00"), utc("2026-01-04T00:00")
    assert calendar.windows(start, end) == [(start, end)]
    assert calendar.windows(end, start) == []


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 10)), max_size=12), st.integers(0, 60), st.integers(0, 60))
def test_merging_and_clipping_keep_exactly_the_minutes_covered(
    spans: list[tuple[int, int]], low: int, high: int
) -> None:
    day = utc("2026-01-05T00:00")
    windows = [(day + timedelta(minutes=a), day + timedelta(minutes=a + n)) for a, n in spans]
    covered = {a + k for a, n in spans for k in range(n)}

    def minutes(found: list[tuple[datetime, datetime]]) -> list[int]:
        return [
            int((s - day).total_seconds()) // 60 + k for s, e in found for k in range((e - s) // timedelta(minutes=1))
        ]

    assert minutes(merge_windows(windows)) == sorted(covered)
    clipped = clip_windows(merge_windows(windows), day + timedelta(minutes=low), day + timedelta(minutes=high))
    assert minutes(clipped) == sorted(minute for minute in covered if low <= minute < high)


@pytest.mark.parametrize(
    ("build", "reason"),
    [
        (lambda: Shift("s", (), time(6), time(14)), "needs at least one day"),
        (lambda: Shift("s", (7,), time(6), time(14)), r"days must be 0 \(Monday\) to 6, not \(7,\)"),
        (
            lambda: Shift("s", (0,), time(6), time(14), (Break(time(13), time(15)),)),
            "break 13:00-15:00 must lie inside",
        ),
        (lambda: Shift("s", (0,), time(6), time(14), (Break(time(9), time(9)),)), "break 09:00-09:00 must lie inside"),
        (lambda: Calendar("c", "Europe/Atlantis"), "unknown time zone 'Europe/Atlantis'"),
        (lambda: Calendar(" ", "UTC"), "calendar id must be a non-empty text"),
        (lambda: Calendar("c", "UTC").windows(datetime(2026, 1, 1), utc("2026-01-02T00:00")), "start must be a UTC"),  # noqa: DTZ001
        (lambda: WorkingTime.of([]), "no working time within the horizon"),
        (lambda: WorkingTime.of([(5.0, 5.0)]), "must end after it starts"),
    ],
)
def test_what_cannot_be_is_refused(build: Callable[[], object], reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        build()


# --- working time -----------------------------------------------------------------------------------------------------


@st.composite
def working_times(draw: st.DrawFn) -> WorkingTime:
    """Windows with whole-second edges: arithmetic on them is exact, so equality may be asked for."""
    edges = sorted(draw(st.sets(st.integers(0, 500), min_size=2, max_size=20)))
    edges = edges[: len(edges) // 2 * 2]
    return WorkingTime.of([(float(a), float(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)])


def is_working(wt: WorkingTime, second: int) -> bool:
    """Tell by looking whether the second that begins at `second` is worked: after the last start always."""
    inside = any(start <= second < end for start, end in zip(wt.starts, wt.ends, strict=True))
    return inside or second >= wt.starts[-1]


@given(working_times(), st.integers(-50, 700), st.integers(1, 300))
def test_finish_counts_working_seconds_one_by_one(wt: WorkingTime, start: int, work: int) -> None:
    second, left = start, work
    while left:
        left -= is_working(wt, second)
        second += 1
    assert wt.finish(float(start), float(work)) == second


@given(working_times(), st.integers(-50, 700))
def test_begin_is_the_first_working_moment(wt: WorkingTime, start: int) -> None:
    second = start
    while not is_working(wt, second):
        second += 1
    assert wt.begin(float(start)) == second
    assert wt.begin(wt.begin(float(start))) == second
    assert wt.finish(float(start), 0.0) == second, "no work ends where it may begin"


@given(working_times(), st.integers(-50, 700))
def test_worked_at_counts_the_working_seconds_before(wt: WorkingTime, clock: int) -> None:
    assert wt.worked_at(float(clock)) == sum(is_working(wt, second) for second in range(-50, clock))


@given(working_times(), st.floats(0, 1000), st.floats(0, 1000))
def test_the_map_there_and_back(wt: WorkingTime, worked: float, clock: float) -> None:
    assert wt.worked_at(wt.clock_at(worked)) == pytest.approx(worked, abs=1e-9)
    assert wt.clock_at(wt.worked_at(clock)) <= max(clock, wt.starts[0]) + 1e-9, "the earliest such moment"
    assert wt.clock_at(worked) <= wt.clock_at(worked + 1.0), "monotone"
    assert wt.worked_at(clock) <= wt.worked_at(clock + 1.0)


@given(working_times(), st.floats(-50, 700), st.floats(0, 300), st.floats(0, 300))
def test_work_done_in_two_parts_ends_as_in_one(wt: WorkingTime, start: float, first: float, second: float) -> None:
    whole = wt.finish(start, first + second)
    parts = wt.finish(wt.finish(start, first), second)
    if second > 1e-6:
        assert parts == pytest.approx(whole, abs=1e-6)


def test_work_ends_with_its_window_and_not_at_the_next_ones_start() -> None:
    wt = WorkingTime.of([(0.0, 10.0), (100.0, 110.0)])
    assert wt.finish(0.0, 10.0) == 10.0
    assert wt.begin(10.0) == 100.0
    assert wt.finish(5.0, 7.0) == 102.0
    assert wt.finish(105.0, 50.0) == 155.0, "the last window goes on for ever"


def test_always_is_the_clock_itself() -> None:
    wt = WorkingTime.always()
    assert (wt.begin(7.5), wt.worked_at(7.5), wt.clock_at(7.5), wt.finish(7.5, 2.0)) == (7.5, 7.5, 7.5, 9.5)


@given(working_times(), working_times(), st.integers(-50, 700))
def test_the_time_two_have_in_common_is_worked_by_both(one: WorkingTime, two: WorkingTime, second: int) -> None:
    assert is_working(one.common(two), second) == (is_working(one, second) and is_working(two, second))


@given(working_times(), st.integers(-50, 700), st.integers(0, 300))
def test_a_window_holds_what_is_done_before_it_closes(wt: WorkingTime, start: int, work: int) -> None:
    begun = int(wt.begin(float(start)))
    unbroken = all(is_working(wt, second) for second in range(begun, begun + work))
    assert wt.holds(float(begun), float(work)) == unbroken
    assert wt.window_at(float(begun)) == max(k for k, opens in enumerate(wt.starts) if opens <= begun)


def test_windows_that_touch_are_one_and_those_that_overlap_are_refused() -> None:
    assert WorkingTime.of([(0.0, 8.0), (8.0, 16.0), (20.0, 24.0)]) == WorkingTime.of([(0.0, 16.0), (20.0, 24.0)])
    with pytest.raises(InvalidInput, match="working windows must follow each other"):
        WorkingTime.of([(0.0, 8.0), (7.0, 16.0)])
