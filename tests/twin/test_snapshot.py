"""twin/snapshot.py: what plans are made from."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from plant.calendar import Calendar, Shift
from plant.distribution import constant
from plant.machine_state import MachineState, StateInterval
from plant.order import JobOrder, JobProgress, JobState
from plant.plant import Machine, Plant, Reliability, SetupMatrix
from twin.floor import LiveFloor, LiveMachine
from twin.snapshot import snapshot

START = datetime(2026, 1, 5, 6, tzinfo=UTC)  # a Monday
MTTR_S = 3600.0


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def plant() -> Plant:
    shift = Shift("day", (0, 1, 2, 3, 4), time(6), time(14))
    machines = [
        Machine(name, name, "area", "center", ("turning",), "week", "m", reliability=Reliability(constant(9e5), repair))
        for name, repair in (("M1", constant(MTTR_S)), ("M2", constant(MTTR_S)))
    ]
    return Plant(
        "enterprise", "site", "plant", "UTC", START, (Calendar("week", "UTC", (shift,)),),
        (SetupMatrix("m", 0.0),), tuple(machines), (), (),
    )  # fmt: skip


def broken_since(seconds: float) -> LiveFloor:
    return LiveFloor({"M1": LiveMachine("M1", MachineState.BREAKDOWN, "", at(seconds), "J1", "J1")})


def down_until(seconds: float, since: float) -> datetime | None:
    return snapshot(plant(), at(seconds), broken_since(since), [], [], {}).machines["M1"].down_until


def test_a_repair_is_expected_to_take_its_mean_and_longer_when_it_has_taken_long() -> None:
    assert down_until(60, since=0) == at(MTTR_S)
    assert down_until(3000, since=0) == at(4500)
    assert down_until(8 * 3600 - 600, since=8 * 3600 - 1200) == at(24 * 3600 + 2400)  # the rest is for tomorrow


def test_only_a_breakdown_is_down_and_the_last_job_tells_the_setup() -> None:
    floor = LiveFloor(
        {
            "M1": LiveMachine("M1", MachineState.IDLE, "", at(0), None, "J1"),
            "M2": LiveMachine("M2", MachineState.OFFLINE, "no communication", at(0), None, None),
        }
    )
    found = snapshot(plant(), at(10), floor, [], [], {"J1": "red"})
    assert (found.machines["M1"].setup_family, found.machines["M1"].down_until) == ("red", None)
    assert (found.machines["M2"].setup_family, found.machines["M2"].down_until) == (None, None)


def job(name: str, state: JobState, started: float) -> JobProgress:
    order = JobOrder(name, "P1", "C1", "item", "10", 5, START)
    return JobProgress(order, state, "M1", at(started))


def test_what_a_running_job_has_worked_is_what_its_machine_executed_since_it_began() -> None:
    states = [
        (0, 50, MachineState.EXECUTING, "J0"),
        (50, 80, MachineState.SETUP, "J1"),
        (80, 100, MachineState.EXECUTING, "J1"),
        (100, 130, MachineState.BREAKDOWN, "J1"),
        (130, None, MachineState.EXECUTING, "J1"),
    ]
    intervals = [
        StateInterval("M1", at(start), None if end is None else at(end), state, "", name)
        for start, end, state, name in states
    ] + [StateInterval("M2", at(0), None, MachineState.EXECUTING, "", "J9")]
    jobs = [job("J0", JobState.COMPLETED, 0), job("J1", JobState.RUNNING, 50), job("J2", JobState.RUNNING, 50)]
    found = snapshot(plant(), at(170), LiveFloor(), jobs, intervals, {})
    assert found.worked_s == {"J1": 60.0, "J2": 60.0}  # J2 is in one batch with J1
