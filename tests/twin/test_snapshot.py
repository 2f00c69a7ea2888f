"""twin/snapshot.py: what plans are made from."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from plant.calendar import Calendar, Shift
from plant.distribution import constant
from plant.item import BomLine, Item, ItemKind, Operation
from plant.machine_state import MachineState, StateInterval
from plant.order import CustomerOrder, JobOrder, JobProgress, JobState
from plant.plan import Plan, PlannedOperation
from plant.plant import Machine, Person, Plant, Reliability, SetupMatrix
from plant.snapshot import Snapshot
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


def test_a_machine_is_as_old_as_what_it_executed_since_it_broke_down() -> None:
    states = [
        (0, 100, MachineState.EXECUTING),
        (100, 130, MachineState.BREAKDOWN),
        (130, 150, MachineState.EXECUTING),
        (150, 160, MachineState.IDLE),
        (160, None, MachineState.EXECUTING),
    ]
    intervals = [
        StateInterval("M1", at(start), None if end is None else at(end), state, "", None)
        for start, end, state in states
    ]
    floor = LiveFloor({name: LiveMachine(name).fold(intervals if name == "M1" else []) for name in ("M1", "M2")})
    found = snapshot(plant(), at(170), floor, [], intervals, {}).machines
    assert (found["M1"].operated_s, found["M1"].state, found["M1"].since) == (30.0, MachineState.EXECUTING, at(160))
    assert (found["M2"].operated_s, found["M2"].state, found["M2"].since) == (0.0, MachineState.UNKNOWN, None)


def test_an_open_repair_is_counted_in_working_time() -> None:
    night = snapshot(plant(), at(24 * 3600 + 60), broken_since(8 * 3600 - 600), [], [], {}).machines["M1"]
    assert night.repaired_s == 660.0
    assert snapshot(plant(), at(60), broken_since(0), [], [], {}).machines["M1"].repaired_s == 60.0


BATCH = CustomerOrder("C1", "Ada", "axle", 4, START, at(9e5))


def stocked() -> Plant:
    item = Item("axle", "Axle", ItemKind.MADE, bom=(BomLine("bar", Decimal(2)),), routing=ROUTING)
    bar = Item("bar", "Bar", ItemKind.PURCHASED, stock=Decimal(10))
    person = Person("P1", "Ada", ("turning",), "week")
    return replace(plant(), items=(item, bar), people=(person,))


ROUTING = tuple(Operation(name, name, "turning", "turning", "red", 60.0, 1.0) for name in ("10", "20"))


def axles(state: JobState, machine: str | None = None, began: float | None = None) -> list[JobProgress]:
    first = JobOrder("C1/1-10", "C1/1", "C1", "axle", "10", 4, START)
    second = JobOrder("C1/1-20", "C1/1", "C1", "axle", "20", 4, START, ("C1/1-10",))
    done = at(50) if state is JobState.COMPLETED else None
    return [
        JobProgress(first, state, machine, None if began is None else at(began), done),
        JobProgress(second, JobState.WAITING),
    ]


def look(jobs: list[JobProgress], seconds: float = 60, plan: Plan | None = None) -> Snapshot:
    floor = LiveFloor({name: LiveMachine(name) for name in ("M1", "M2")})
    families = {job.job.id: "red" for job in jobs}
    return snapshot(stocked(), at(seconds), floor, jobs, [], families, [BATCH], plan, "pv-1")


def test_what_is_ready_waits_where_the_plan_says_or_wherever_it_could() -> None:
    waiting = look(axles(JobState.WAITING))
    assert {name: one.queue for name, one in waiting.machines.items()} == {"M1": ("C1/1-10",), "M2": ("C1/1-10",)}
    plan = Plan(START, (PlannedOperation("C1/1-20", "M2", 0, 0.0, 1.0),))
    done = look(axles(JobState.COMPLETED, "M1", 0), plan=plan)
    assert {name: one.queue for name, one in done.machines.items()} == {"M1": (), "M2": ("C1/1-20",)}
    running = look(axles(JobState.RUNNING, "M1", 0))
    assert {name: (one.running, one.queue) for name, one in running.machines.items()} == {
        "M1": (("C1/1-10",), ()),
        "M2": ((), ()),
    }


def test_stock_people_and_open_orders_are_in_it() -> None:
    waiting, running = look(axles(JobState.WAITING)), look(axles(JobState.RUNNING, "M1", 0))
    assert (waiting.stock, running.stock) == ({"bar": Decimal(10)}, {"bar": Decimal(2)})
    assert (waiting.people, look(axles(JobState.WAITING), 10 * 3600).people) == (("P1",), ())
    assert (waiting.orders, len(waiting.jobs), waiting.plant_version) == ((BATCH,), 2, "pv-1")
    all_done = [replace(job, state=JobState.COMPLETED) for job in axles(JobState.COMPLETED, "M1", 0)]
    assert (look(all_done).orders, look(all_done).jobs) == ((), ())
