"""twin/floor.py: readings to state intervals, whatever the order of arrival."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plant.errors import InvalidInput
from plant.machine_state import MachineState, PackMLMode, PackMLState, StateInterval, packml_of
from plant.reading import BAD_NO_COMMUNICATION, GOOD, Reading, Signal
from twin.floor import LiveFloor, LiveMachine, StateTuple, derive

START = datetime(2026, 1, 5, 5, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def reading(seconds: float, signal: str, value: float | str | None, quality: int = GOOD) -> Reading:
    return Reading(f"site/area/center/M1/{signal}", at(seconds), value, quality)


def tuple_at(seconds: float, state: MachineState, job: str) -> list[Reading]:
    packml_state, mode, interlocks = packml_of(state)
    return [
        reading(seconds, Signal.PACKML_STATE, packml_state),
        reading(seconds, Signal.PACKML_MODE, mode),
        reading(seconds, Signal.INTERLOCKS, interlocks),
        reading(seconds, Signal.JOB_ORDER, job),
    ]


def short(intervals: list[StateInterval]) -> list[tuple[float, MachineState, str | None]]:
    return [((i.started_at - START).total_seconds(), i.state, i.job_order) for i in intervals]


def test_a_tuple_changes_at_one_moment_and_equal_neighbours_are_one_interval() -> None:
    readings = [
        *tuple_at(0, MachineState.IDLE, ""),
        *tuple_at(10, MachineState.SETUP, "J1"),
        *tuple_at(20, MachineState.EXECUTING, "J1"),
        reading(25, Signal.PACKML_STATE, PackMLState.COMPLETING),  # still executing
        *tuple_at(30, MachineState.STARVED, "J1"),
        reading(40, Signal.PACKML_STATE, 99),
    ]
    found = derive("M1", StateTuple(), readings)
    assert short(found) == [
        (0, MachineState.IDLE, None),
        (10, MachineState.SETUP, "J1"),
        (20, MachineState.EXECUTING, "J1"),
        (30, MachineState.STARVED, "J1"),
        (40, MachineState.UNKNOWN, "J1"),
    ]
    assert found[-1].ended_at is None
    assert "99" in found[-1].reason


def test_bad_quality_is_offline_with_its_status_until_the_next_good_reading() -> None:
    readings = [
        *tuple_at(0, MachineState.EXECUTING, "J1"),
        reading(10, Signal.PACKML_STATE, None, BAD_NO_COMMUNICATION),
        reading(10, Signal.JOB_ORDER, None, BAD_NO_COMMUNICATION),
        reading(20, Signal.JOB_ORDER, "J1"),
        reading(30, Signal.PACKML_MODE, None, BAD_NO_COMMUNICATION | 0x0480),
    ]
    found = derive("M1", StateTuple(), readings)
    assert short(found) == [
        (0, MachineState.EXECUTING, "J1"),
        (10, MachineState.OFFLINE, "J1"),
        (20, MachineState.EXECUTING, "J1"),
        (30, MachineState.OFFLINE, "J1"),
    ]
    assert [interval.reason for interval in found] == ["", "no communication", "", "no communication, buffer overflow"]


def test_of_two_values_at_one_moment_the_last_ordinal_holds_and_a_repeat_is_no_new_one() -> None:
    first, second = reading(0, Signal.PACKML_STATE, 4), reading(0, Signal.PACKML_STATE, 6)
    assert short(derive("M1", StateTuple(), [first, second, first])) == [(0, MachineState.EXECUTING, None)]


def test_before_the_first_state_the_machine_is_unknown_and_nonsense_is_not_a_state() -> None:
    found = derive("M1", StateTuple(), [reading(0, Signal.JOB_ORDER, "J1"), reading(5, Signal.PACKML_STATE, "six")])
    assert [(i.state, i.reason) for i in found] == [
        (MachineState.UNKNOWN, "no PackML state received yet"),
        (MachineState.UNKNOWN, "PackML state not a whole number is outside the standard"),
    ]
    assert derive("M1", StateTuple(), []) == []
    assert derive("M1", StateTuple(), [reading(0, Signal.PACKML_STATE, float("nan"))])[0].state is MachineState.UNKNOWN


def test_readings_of_others_and_readings_before_the_prior_are_refused() -> None:
    with pytest.raises(InvalidInput, match="temperature_c is no state signal of M1"):
        derive("M1", StateTuple(), [reading(0, Signal.TEMPERATURE, 20.0)])
    with pytest.raises(InvalidInput, match="no state signal of M2"):
        derive("M2", StateTuple(), [reading(0, Signal.PACKML_STATE, 4)])
    with pytest.raises(InvalidInput, match="is not after"):
        derive("M1", StateTuple(4, since=at(5)), [reading(5, Signal.PACKML_STATE, 6)])


qualities = st.sampled_from([GOOD, GOOD, GOOD, 0x4000_0000, BAD_NO_COMMUNICATION, 0x8000_0000])
values = {
    Signal.PACKML_STATE: st.sampled_from([4, 6, 6, 5, 9, 77]),
    Signal.PACKML_MODE: st.sampled_from([int(mode) for mode in PackMLMode]),
    Signal.INTERLOCKS: st.sampled_from([0, 1, 2]),
    Signal.JOB_ORDER: st.sampled_from(["", "J1", "J2"]),
}


@st.composite
def histories(draw: st.DrawFn) -> list[Reading]:
    """Readings in order of time and, at one time, of their ordinals."""
    found = []
    for seconds in sorted(draw(st.lists(st.integers(0, 12), max_size=25))):
        signal = draw(st.sampled_from(list(values)))
        found.append(reading(seconds, signal, draw(values[signal]), draw(qualities)))
    return list(dict.fromkeys(found))


def replaced(stored: list[StateInterval], derived: list[StateInterval]) -> list[StateInterval]:
    """What a store does with newly derived intervals: all from the first one's start on are replaced."""
    return [i for i in stored if not derived or i.started_at < derived[0].started_at] + derived


def prior_to(moment: datetime, seen: list[Reading], stored: list[StateInterval]) -> StateTuple:
    """What a store knows: last and last good reading per signal, and the interval in force just before `moment`."""
    before = [r for r in seen if r.time < moment]
    kept = set()
    for signal in values:
        mine = [r for r in before if r.signal == signal]
        kept |= {*mine[-1:], *[r for r in mine if not r.quality & 0x8000_0000][-1:]}
    starts = [interval.started_at for interval in stored if interval.started_at < moment]
    return StateTuple.of([r for r in before if r in kept], starts[-1] if starts else None)


@settings(max_examples=300, deadline=None, print_blob=True)
@given(data=st.data(), history=histories())
def test_deriving_in_parts_in_any_order_equals_deriving_all_at_once(
    data: st.DataObject, history: list[Reading]
) -> None:
    expected = derive("M1", StateTuple(), history)
    arrivals = data.draw(st.lists(st.integers(0, 3), min_size=len(history), max_size=len(history)))
    seen: list[Reading] = []
    stored: list[StateInterval] = []
    for part in range(4):
        # Readings at one time keep their order: it is that of their ordinals.
        new = [r for r in history if arrivals[history.index(next(h for h in history if h.time == r.time))] == part]
        if not new:
            continue
        seen = [r for r in history if r in seen or r in new]
        changed = min(r.time for r in new)
        prior = prior_to(changed, seen, stored)
        later = data.draw(st.permutations([r for r in seen if r.time >= changed]))
        rank = {r: history.index(r) for r in history}
        by_time = {moment: iter(sorted((r for r in later if r.time == moment), key=rank.__getitem__)) for moment in
                   {r.time for r in later}}  # fmt: skip
        stored = replaced(stored, derive("M1", prior, [next(by_time[r.time]) for r in later]))
    assert stored == expected


@settings(max_examples=100, deadline=None, print_blob=True)
@given(history=histories())
def test_intervals_have_neither_gap_nor_overlap_and_change_at_every_edge(history: list[Reading]) -> None:
    found = derive("M1", StateTuple(), history)
    for one, two in pairwise(found):
        assert one.ended_at == two.started_at
        assert (one.state, one.job_order, one.reason) != (two.state, two.job_order, two.reason)
    assert [i.ended_at for i in found if i.ended_at is None] == ([None] if history else [])
    assert derive("M1", StateTuple(), [*history, *history]) == found


def test_the_live_floor_is_restore_and_fold() -> None:
    readings = [
        *tuple_at(0, MachineState.EXECUTING, "J1"),
        reading(3, Signal.GOOD_COUNT, 7),
        reading(9, Signal.TEMPERATURE, 41.5),
        reading(8, Signal.TEMPERATURE, 40.0),
        reading(10, Signal.TEMPERATURE, None, BAD_NO_COMMUNICATION),
    ]
    state = [r for r in readings if r.signal in values]
    floor = LiveFloor().fold({"M1": derive("M1", StateTuple(), state)}, readings)
    machine = floor.machines["M1"]
    assert (machine.state, machine.since, machine.job_order) == (MachineState.EXECUTING, at(0), "J1")
    assert (machine.value(Signal.GOOD_COUNT), machine.value(Signal.TEMPERATURE)) == (7.0, 41.5)
    assert machine.value(Signal.POWER) is None
    idle = derive("M1", StateTuple.of(state, at(0)), tuple_at(20, MachineState.IDLE, ""))
    live = floor.fold({"M1": idle}).machines["M1"]
    assert (live.state, live.since, live.job_order, live.last_job_order) == (MachineState.IDLE, at(20), None, "J1")
    assert live == LiveMachine("M1").fold(idle, readings)
