"""twin/bindings.py: what an order at risk waits for, by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from plant.calendar import WorkingTime
from plant.distribution import constant
from plant.item import Attendance
from plant.plan import Plan, PlannedOperation
from plant.plant import SetupMatrix
from plant.verdict import Binding, BindingKind
from plant.work import Delivery, MachineOutlook, OrderDemand, PersonOutlook, Task, Work
from twin.draws import Draws
from twin.replay import replay
from twin.verdict import judge

EPOCH = datetime(2026, 1, 5, 5, tzinfo=UTC)


def task(name: str, takes_s: float, *after: str, on: str = "M1", **more: object) -> Task:
    return Task(name, name.split("-")[0], "item", "10", 1, after, {on: takes_s}, "red", **more)  # type: ignore[arg-type]


def late_shift() -> WorkingTime:
    return WorkingTime.of([(1000.0, 9000.0)])


def bindings(
    tasks: list[Task],
    due_s: dict[str, float],
    down_s: float = 0.0,
    hours: WorkingTime | None = None,
    setup_s: float = 0.0,
    **by: str,
) -> dict[str, Binding]:
    """Take the tasks in their order; `by` says who attends them, in `hours`. M1 is down for `down_s`."""
    machines = {
        name: MachineOutlook(name, WorkingTime.always(), SetupMatrix("m", setup_s), down_s if name == "M1" else 0.0)
        for name in ("M1", "M2")
    }
    people = {name: PersonOutlook(name, hours or WorkingTime.always()) for name in set(by.values())}
    orders = {name: OrderDemand(name, due) for name, due in due_s.items()}
    work = Work(EPOCH, tuple(tasks), machines, orders, people)
    plan = Plan(
        EPOCH,
        tuple(
            PlannedOperation(one.id, next(iter(one.durations_s)), place, float(place), 0.0, person=by.get(one.order))
            for place, one in enumerate(tasks)
        ),
    )
    verdict = judge(work, plan, replay(work, plan, Draws(1, 100)))
    return {one.order: replace(one, waited_s=round(one.waited_s, 6)) for one in verdict.bindings}


def test_an_order_behind_others_waits_for_their_machine() -> None:
    found = bindings([task("A-1", 300), task("B-1", 500), task("C-1", 50)], {"A": 1e9, "B": 1e9, "C": 600})
    assert found == {"C": Binding("C", BindingKind.MACHINE, "M1", 800.0)}  # A and B are at no risk and not told of


def test_what_its_own_work_takes_is_no_wait() -> None:
    tasks = [task("A-1", 100), task("A-2", 700, "A-1", on="M2"), task("B-1", 50)]
    found = bindings(tasks, {"A": 600, "B": 1e9})
    assert found == {"A": Binding("A", BindingKind.DUE_DATE, "A", 200.0)}


def test_a_due_date_before_its_own_work_can_end_binds_although_it_waits_too() -> None:
    found = bindings([task("A-1", 300), task("B-1", 500)], {"A": 1e9, "B": 400})
    assert found == {"B": Binding("B", BindingKind.DUE_DATE, "B", 100.0)}


def test_material_that_comes_late_is_what_it_waits_for() -> None:
    awaited = Delivery("castings", 900.0, constant(100.0))
    found = bindings([task("A-1", 50, material=awaited), task("B-1", 50, on="M2", release_s=70.0)], {"A": 500, "B": 80})
    assert found["A"] == Binding("A", BindingKind.MATERIAL, "castings", 1000.0)
    assert found["B"] == Binding("B", BindingKind.MATERIAL, "B-1", 70.0)


def test_a_machine_that_is_down_is_no_material() -> None:
    found = bindings([task("A-1", 50)], {"A": 100}, down_s=500.0)
    assert found == {"A": Binding("A", BindingKind.DUE_DATE, "A", 0.0)}


def test_whoever_attends_others_meanwhile_is_who_it_waits_for() -> None:
    tasks = [task("A-1", 400, attendance=Attendance.ALL), task("B-1", 60, on="M2", attendance=Attendance.ALL)]
    found = bindings(tasks, {"A": 1e9, "B": 100}, A="P", B="P")
    assert found["B"] == Binding("B", BindingKind.PERSON, "P", 400.0)


def test_only_late_futures_count() -> None:
    """B waits for A on M1 always, but it is late only where its delivery is."""
    late = replace(Delivery("late", 0.0, constant(0.0)), delay=constant(5000.0))
    found = bindings([task("A-1", 30), task("B-1", 10, material=late)], {"A": 1e9, "B": 100})
    assert (found["B"].kind, found["B"].subject) == (BindingKind.MATERIAL, "late")


def test_hours_in_which_nobody_is_there_are_a_wait_for_who_attends() -> None:
    """It takes 100 s, but whoever attends it comes 1,000 s later; on the machine alone it would be in time."""
    (one,) = [task("A-1", 100, attendance=Attendance.ALL)]
    hours = WorkingTime.of([(1000.0, 1040.0), (2000.0, 9000.0)])
    found = bindings([one], {"A": 500}, hours=hours, A="P")
    assert found["A"] == Binding("A", BindingKind.PERSON, "P", 1960.0)


def test_a_changeover_waits_for_who_makes_it() -> None:
    one = task("A-1", 100, attendance=Attendance.SETUP)
    found = bindings([one], {"A": 500}, hours=late_shift(), setup_s=30.0, A="P")
    assert found["A"] == Binding("A", BindingKind.PERSON, "P", 1000.0)


def test_hours_off_excuse_no_due_date_that_its_work_alone_misses() -> None:
    found = bindings([task("A-1", 600, attendance=Attendance.ALL)], {"A": 500}, hours=late_shift(), A="P")
    assert found["A"] == Binding("A", BindingKind.DUE_DATE, "A", 100.0)
