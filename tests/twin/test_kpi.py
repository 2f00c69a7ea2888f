"""twin/kpi.py: known figures to 1e-9, sums that add up, and the simulated floor against a computation by hand."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plant.errors import InvalidInput
from plant.item import Attendance
from plant.machine_state import MachineState, StateInterval, packml_of
from plant.plan import Plan
from plant.reading import Reading, Signal
from plant.work import Work
from tests.twin.random_works import EPOCH, cases
from twin.draws import Draws
from twin.floor import StateTuple, derive
from twin.kpi import Kpis, kpis, losses
from twin.oee import Times, times_of
from twin.pieces import PieceCount, PieceLog
from twin.simulate import MachineEvent, Run, simulate
from twin.state_log import STATES, StateLog, windows_of_work
from twin.tally import Stops, Tally, Thresholds, tallies

START = datetime(2026, 1, 5, 5, tzinfo=UTC)
EXECUTING, SETUP, HELD = MachineState.EXECUTING, MachineState.SETUP, MachineState.HELD
STARVED, BLOCKED, IDLE = MachineState.STARVED, MachineState.BLOCKED, MachineState.IDLE
BREAKDOWN, PLANNED_STOP = MachineState.BREAKDOWN, MachineState.PLANNED_STOP


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def interval(start: float, end: float | None, state: MachineState, job: str | None = "J1") -> StateInterval:
    return StateInterval("M1", at(start), None if end is None else at(end), state, "", job)


def tally_of(
    intervals: list[StateInterval], counts: list[PieceCount], windows: list[tuple[float, float]], minutes: float, **more
) -> Tally:
    own = [(at(a), at(b)) for a, b in windows]
    states, pieces = StateLog.of_intervals(intervals), PieceLog.of_counts({"M1": counts})
    return tallies(states, pieces, {"M1": own}, (at(0), at(minutes)), **more)["M1"]


def test_a_shift_with_setup_delay_and_down_time() -> None:
    # PBT 420, ADOT 20, AUST 30, ADET 27, APT 343 min; 19,271 pieces of 1 s, 18,848 good. By hand:
    intervals = [
        interval(0, 20, IDLE, None),
        interval(20, 50, SETUP),
        interval(50, 77, STARVED),
        interval(77, 420, EXECUTING),
    ]
    found = kpis(tally_of(intervals, [PieceCount(at(420), 18848, 423, 1.0)], [(0, 420)], 480))
    assert found.availability == pytest.approx(343 / 420, abs=1e-9)
    assert found.effectiveness == pytest.approx(19271 / (343 * 60), abs=1e-9)
    assert found.quality_ratio == pytest.approx(18848 / 19271, abs=1e-9)
    assert found.oee == pytest.approx(18848 / 25200, abs=1e-9)
    assert found.nee == pytest.approx(373 / 343 * 18848 / 25200, abs=1e-9)
    assert found.allocation_efficiency == pytest.approx(400 / 420, abs=1e-9)
    assert found.utilization_efficiency == pytest.approx(343 / 400, abs=1e-9)
    assert found.setup_ratio == pytest.approx(30 / 373, abs=1e-9)
    assert found.technical_efficiency == pytest.approx(343 / 370, abs=1e-9)
    assert found.teep == pytest.approx(18848 / 28800, abs=1e-9)
    assert found.throughput_per_h == pytest.approx(19271 / 7, abs=1e-9)
    assert found.scrap_ratio == pytest.approx(423 / 19271, abs=1e-9)
    published = (found.oee, found.nee, found.allocation_efficiency, found.setup_ratio, found.technical_efficiency)
    assert published == pytest.approx((0.74794, 0.81335, 0.95238, 0.08043, 0.92703), abs=5e-6)


def test_eight_hours_with_one_stop() -> None:
    stop, again = 4 * 60 + 3 + 53 / 60, 4 * 60 + 24 + 53 / 60
    intervals = [
        interval(0, stop, EXECUTING),
        interval(stop, again, BREAKDOWN),
        interval(again, None, EXECUTING),
    ]
    tally = tally_of(intervals, [PieceCount(at(480), 1285, 13, 21.0)], [(0, 480)], 480, energy_kwh={"M1": 96.375})
    found = kpis(tally)
    factors = (found.availability, found.effectiveness, found.quality_ratio)
    assert factors == pytest.approx((0.95625, 27258 / 27540, 1285 / 1298), abs=1e-9)
    assert found.oee == pytest.approx(1285 * 21 / 28800, abs=1e-9)
    assert found.oee == pytest.approx(0.93698, abs=5e-6)
    assert (found.mtbf_s, found.mttr_s, found.corrective_maintenance_ratio) == (27540, 1260, 1)
    assert found.energy_per_good_kwh == pytest.approx(0.075, abs=1e-9)
    assert found.losses.breakdowns_s == 1260
    assert found.losses.reduced_speed_s == pytest.approx(282, abs=1e-9)
    assert found.losses.rejects_s == pytest.approx(273, abs=1e-9)
    assert found.losses.total_s == pytest.approx(28800 - 1285 * 21, abs=1e-9)


STORY = [
    interval(0, 10, SETUP),
    interval(10, 40, EXECUTING),
    interval(40, 43, HELD),  # a micro-stop
    interval(43, 60, EXECUTING),
    interval(60, 67, HELD),
    interval(67, 90, EXECUTING),
    interval(90, 100, BREAKDOWN),
    interval(100, 120, EXECUTING),
    interval(120, 130, BLOCKED),
    interval(130, 132, STARVED),
    interval(132, 150, PLANNED_STOP, None),
    interval(150, 160, MachineState.OFFLINE, None),
    interval(160, 180, STARVED, None),
    interval(200, 220, SETUP),  # after closing time, with nothing known of 180 to 200
    interval(220, 240, EXECUTING),
]
MADE = [
    PieceCount(at(20), 1, 2, 120.0),
    PieceCount(at(60), 8, 1, 240.0, rework=1),
    PieceCount(at(110), 1, 0, 300.0, attempt=1),
    PieceCount(at(240), 3, 1, 60.0),
]


def test_what_the_times_and_losses_of_a_shift_consist_of() -> None:
    tally = tally_of(STORY, MADE, [(0, 190)], 300, thresholds=Thresholds(micro_stop_s=300.0, startup_s=900.0))
    assert tally.delays == Stops(60 * 0, 120, 600, 420, 0, 600, 180)
    assert tally.downs == Stops(starved_s=20 * 60, planned_stop_s=18 * 60)
    times = tally.times
    assert (times.apt_s, times.aust_s, times.adet_s, times.adot_s) == (90 * 60, 600, 32 * 60, 38 * 60)
    assert (times.unknown_s, times.overtime_s, tally.overtime_setup_s) == (20 * 60, 20 * 60, 20 * 60)
    assert tally.closed_s == 70 * 60
    assert tally.calendar_s == 300 * 60 == times.pbt_s + times.overtime_s + tally.overtime_setup_s + tally.closed_s
    found = kpis(tally)
    # Three products: 3 x 120, 10 x 240 and 1 x 300 s planned of 5,400 s; 10 of 14 pieces are good.
    assert found.effectiveness == pytest.approx(3060 / 5400, abs=1e-9)
    assert found.quality_ratio == pytest.approx(10 / 14, abs=1e-9)
    assert found.oee == pytest.approx(3060 / (190 * 60) * 10 / 14, abs=1e-9)
    assert found.first_pass_yield == pytest.approx(9 / 13, abs=1e-9)
    assert (found.scrap_ratio, found.rework_ratio) == pytest.approx((3 / 14, 1 / 14), abs=1e-9)
    assert found.mtbf_s == (90 + 20) * 60
    assert found.mttr_s == 600
    assert found.corrective_maintenance_ratio == pytest.approx(10 / 28, abs=1e-9)
    assert found.energy_per_good_kwh is None
    by_name = {one.name: getattr(found.losses, one.name) for one in fields(found.losses)}
    assert by_name == pytest.approx(
        {
            "breakdowns_s": 600 + 420,
            "setup_s": 600 + 18 * 60,
            "minor_stops_s": 180 + 120 + 600 + 20 * 60,
            "reduced_speed_s": 5400 - 3060,
            "rejects_s": 2 * 240,
            "startup_s": 2 * 120,
            "unknown_s": 20 * 60,
        },
        abs=1e-9,
    )
    assert found.losses.total_s == pytest.approx(190 * 60 - (120 + 8 * 240 + 300), abs=1e-9)


@pytest.mark.parametrize(("threshold_s", "micro_s"), [(0.0, 0.0), (180.0, 0.0), (181.0, 180.0), (421.0, 600.0)])
def test_the_threshold_tells_micro_stops_from_held(threshold_s: float, micro_s: float) -> None:
    tally = tally_of(STORY, [], [(0, 190)], 300, thresholds=Thresholds(micro_stop_s=threshold_s))
    assert tally.delays.micro_stop_s == micro_s
    assert tally.delays.held_s == 600 - micro_s
    assert losses(tally).total_s == tally.times.pbt_s


@pytest.mark.parametrize(("startup_s", "lost_s"), [(0.0, 0.0), (599.0, 0.0), (600.0, 240.0), (3000.0, 480.0)])
def test_scrap_soon_after_a_changeover_is_a_startup_reject(startup_s: float, lost_s: float) -> None:
    tally = tally_of(STORY, MADE, [(0, 190)], 300, thresholds=Thresholds(startup_s=startup_s))
    assert losses(tally).startup_s == lost_s
    assert losses(tally).rejects_s == 3 * 240 - lost_s


def test_nothing_to_divide_by_is_none_and_never_nan() -> None:
    empty = kpis(Tally())
    assert all(getattr(empty, one.name) is None for one in fields(Kpis) if one.name != "losses")
    stood = kpis(tally_of([interval(0, 60, IDLE, None)], [], [(0, 60)], 60, energy_kwh={"M1": 3.0}))
    defined = {one.name for one in fields(Kpis) if getattr(stood, one.name) is not None}
    assert defined == {
        "availability",
        "oee",
        "nee",
        "allocation_efficiency",
        "teep",
        "throughput_per_h",
        "losses",
    }
    assert (stood.oee, stood.teep, stood.availability) == (0.0, 0.0, 0.0)


def test_a_site_is_the_sum_and_not_the_mean() -> None:
    small = tally_of([interval(0, 10, EXECUTING)], [PieceCount(at(10), 10, 0, 60.0)], [(0, 10)], 480)
    large = tally_of([interval(0, 480, IDLE, None)], [], [(0, 480)], 480)
    assert kpis(small).oee == 1.0
    assert kpis(large).oee == 0.0
    assert kpis(small + large).oee == pytest.approx(10 / 490, abs=1e-9)
    assert kpis(small + large).teep == pytest.approx(10 / 960, abs=1e-9)


def test_energy_of_a_sum_is_known_only_if_all_are_metered() -> None:
    metered, unmetered = Tally(energy_kwh=2.0), Tally(energy_kwh=None)
    assert (metered + metered).energy_kwh == 4.0
    assert sum([metered, metered], Tally()).energy_kwh == 4.0
    assert (metered + unmetered).energy_kwh is None


def test_wrong_columns_and_thresholds_are_refused() -> None:
    with pytest.raises(InvalidInput, match="micro_stop_s"):
        Thresholds(micro_stop_s=-1.0)
    for wrong, why in [
        ({"machine": [1]}, "place"),
        ({"at_s": [float("nan")]}, "finite"),
        ({"good": [-1]}, "at least 0"),
        ({"planned_s": float("inf")}, "planned_s"),
    ]:
        columns = {"machine": [0], "at_s": [1.0], "good": [1], "scrap": [0], "planned_s": 1.0} | wrong
        with pytest.raises(InvalidInput, match=why):
            PieceLog.of_seconds(("M1",), **columns, epoch=START)


edges = st.lists(st.integers(0, 600), min_size=2, max_size=14, unique=True).map(sorted)
whats = st.lists(st.tuples(st.sampled_from(STATES), st.sampled_from(["J1", None])), min_size=14, max_size=14)
pieces = st.lists(
    st.builds(
        PieceCount,
        at=st.integers(0, 600).map(at),
        good=st.integers(0, 5),
        scrap=st.integers(0, 5),
        planned_s=st.sampled_from([15.0, 60.0, 120.5]),
        rework=st.integers(0, 2),
        attempt=st.integers(0, 1),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None, print_blob=True)
@given(edges, whats, edges, pieces, st.integers(1, 599))
def test_periods_add_up_and_the_losses_are_what_is_not_valuable(
    changes: list[int],
    states: list[tuple[MachineState, str | None]],
    shifts: list[int],
    counts: list[PieceCount],
    cut: int,
) -> None:
    windows = [(at(a), at(b)) for a, b in zip(shifts[::2], shifts[1::2], strict=False)]
    found = [interval(a, b, *what) for a, b, what in zip(changes, changes[1:], states, strict=False)]
    log, made = StateLog.of_intervals(found), PieceLog.of_counts({"M1": counts})

    def over(start: int, end: int) -> Tally:
        return tallies(log, made, {"M1": windows}, (at(start), at(end)), Thresholds(startup_s=600.0))["M1"]

    whole = over(0, 600)
    for between in (cut, *changes, *shifts):  # in the middle of things, and where they begin and end
        assert over(0, between) + over(between, 600) == whole
    times = whole.times
    assert times.pbt_s + times.overtime_s + whole.overtime_setup_s + whole.closed_s == whole.calendar_s == 36000
    assert (whole.delays.total_s, whole.downs.total_s) == (times.adet_s, times.adot_s)
    assert losses(whole).total_s == pytest.approx(times.pbt_s - times.valuable_s, abs=1e-6)
    assert times == times_of(found, counts, windows, (at(0), at(600)))


def run_of(work: Work, plan: Plan, seed: int) -> tuple[list[MachineEvent], Run]:
    events: list[MachineEvent] = []
    return events, simulate(work, plan, Draws(seed, 1), 0, events.append)


@settings(max_examples=100, deadline=None, print_blob=True)
@given(cases())
def test_the_simulated_floor_has_the_kpis_that_a_computation_by_hand_gives(case: tuple[Work, Plan, int]) -> None:
    work, plan, seed = case
    events, run = run_of(work, plan, seed)
    end_s = max(run.finish_s.values()) + 100.0
    placed = [(operation.machine, work.by_id[operation.job_order]) for operation in plan.operations]
    names = tuple(work.machines)
    made = PieceLog.of_seconds(
        names,
        [names.index(machine) for machine, _ in placed],
        [run.finish_s[task.id] for _, task in placed],
        [task.quantity for _, task in placed],
        0,
        [task.durations_s[machine] / task.quantity for machine, task in placed],
        EPOCH,
    )
    period = (EPOCH, work.moment(end_s))
    found = tallies(StateLog.of_events(events, EPOCH), made, windows_of_work(work, end_s), period)
    for name, machine in work.machines.items():
        worked_at, tally = machine.working_time.worked_at, found[name]
        own = [task for at_machine, task in placed if at_machine == name]
        last_s = max((run.finish_s[task.id] for task in own), default=0.0)
        busy, times = run.busy[name], tally.times
        pbt_s = worked_at(end_s) - worked_at(0.0)
        with_job_s = worked_at(last_s) - worked_at(0.0)
        down_s = worked_at(min(machine.available_from_s, end_s)) - worked_at(0.0)
        near = {"abs": 1e-6 * (len(events) + 1)}  # each moment is rounded to a microsecond
        assert times.pbt_s == pytest.approx(pbt_s, **near)
        assert (times.apt_s, times.aust_s) == pytest.approx((busy.processing_s, busy.setup_s), **near)
        if all(task.attendance is Attendance.NONE for task in own):
            assert tally.stops.breakdown_s == pytest.approx(busy.repair_s + down_s, **near)
        else:  # who attends its work attends its repair, too: it is down while they are away
            assert tally.stops.breakdown_s >= busy.repair_s + down_s - near["abs"]
        assert times.adet_s == pytest.approx(with_job_s - busy.processing_s - busy.setup_s, **near)
        assert times.adot_s == pytest.approx(pbt_s - with_job_s, **near)
        assert (times.unknown_s, times.overtime_s, tally.overtime_setup_s) == (0.0, 0.0, 0.0)
        # What is done at the very start of the period belongs to the one before.
        counted = [task for task in own if run.finish_s[task.id] > 0]
        assert times.good + tally.overtime_good == sum(task.quantity for task in counted)
        planned_s = sum(task.durations_s[name] for task in counted)
        if tally.overtime_produced == 0 and pbt_s > 0:
            assert kpis(tally).oee == pytest.approx(planned_s / pbt_s, rel=1e-6, abs=1e-6)


@settings(max_examples=30, deadline=None, print_blob=True)
@given(cases())
def test_what_machines_signal_of_a_run_gives_the_same_kpis_as_the_run(case: tuple[Work, Plan, int]) -> None:
    # The way of a real log: each change as PackML readings, those derived to intervals as ingest does.
    work, plan, seed = case
    events, run = run_of(work, plan, seed)
    end_s = max(run.finish_s.values()) + 100.0
    windows, period = windows_of_work(work, end_s), (EPOCH, work.moment(end_s))
    intervals: list[StateInterval] = []
    for name in work.machines:
        readings: list[Reading] = []
        for event in events:
            if event.machine == name:
                readings += _signals(name, work.moment(event.at_s), event)
        intervals += derive(name, StateTuple(), readings)
    nothing = PieceLog.of_counts({})
    simulated = tallies(StateLog.of_events(events, EPOCH), nothing, windows, period)
    assert tallies(StateLog.of_intervals(intervals), nothing, windows, period) == simulated
    assert sum((one.times for one in simulated.values()), Times()).apt_s > 0 or not any(
        busy.processing_s for busy in run.busy.values()
    )


def _signals(machine: str, moment: datetime, event: MachineEvent) -> list[Reading]:
    values = (*packml_of(event.state), event.tasks[0] if event.tasks else "")
    signals = (Signal.PACKML_STATE, Signal.PACKML_MODE, Signal.INTERLOCKS, Signal.JOB_ORDER)
    return [
        Reading(f"site/area/center/{machine}/{signal}", moment, value)
        for signal, value in zip(signals, values, strict=True)
    ]


def test_a_machine_that_the_log_does_not_name_is_unknown() -> None:
    nothing = StateLog.of_intervals([])
    found = tallies(nothing, PieceLog.of_counts({}), {"M7": [(at(0), at(60))]}, (at(0), at(60)))["M7"]
    assert found.times.unknown_s == found.times.pbt_s == 3600
    assert np.isfinite(found.times.pbt_s)
