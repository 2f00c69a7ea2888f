"""What a plan fixes beside machines, by hand: people, work that no break interrupts, deliveries, rework passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from plant.calendar import WorkingTime
from plant.distribution import constant
from plant.errors import InvalidInput
from plant.item import Attendance
from plant.plan import Plan, PlannedOperation
from plant.plant import Reliability, SetupMatrix, SetupTime
from plant.work import (
    Delivery,
    MachineOutlook,
    OrderDemand,
    PersonOutlook,
    ReworkPass,
    Task,
    Work,
)
from twin.critical import critical_of
from twin.draws import Draws
from twin.replay import Replay
from twin.replay import replay as replayed
from twin.simulate import Simulation, simulate

EPOCH = datetime(2026, 1, 5, 5, tzinfo=UTC)
MATRIX = SetupMatrix("m", 10.0, (SetupTime("red", "red", 0.0),))


def task(name: str, duration_s: float = 60.0, after: Sequence[str] = (), on: str = "M1", **more: object) -> Task:
    return Task(name, name.split("-")[0], "item", "10", 10, tuple(after), {on: duration_s}, "red", **more)  # type: ignore[arg-type]


def machine(name: str = "M1", *windows: tuple[float, float], **more: object) -> MachineOutlook:
    working_time = WorkingTime.of(windows) if windows else WorkingTime.always()
    parts: dict[str, object] = {"setup_matrix": MATRIX, "setup_family": "blue"}
    return MachineOutlook(name, working_time, **(parts | more))  # type: ignore[arg-type]


def person(name: str, *windows: tuple[float, float], **more: object) -> PersonOutlook:
    return PersonOutlook(name, WorkingTime.of(windows) if windows else WorkingTime.always(), **more)  # type: ignore[arg-type]


def run(
    tasks: Sequence[Task], machines: Sequence[MachineOutlook], people: Sequence[PersonOutlook] = (), **by: str
) -> Replay:
    """Replay the tasks in their order, each on its only machine; hold it against the simulation.

    `by` names who attends a task, dashes written as underscores.
    """
    work, plan = planned(tasks, machines, people, **by)
    draws = Draws(4, 5)
    found, simulation = replayed(work, plan, draws), Simulation(work, plan, draws)
    for future in range(draws.replications):
        expected = simulation.run(future)
        assert found.start_s[:, future].tolist() == [expected.start_s[one.id] for one in tasks]
        assert found.finish_s[:, future].tolist() == [expected.finish_s[one.id] for one in tasks]
    return found


def planned(
    tasks: Sequence[Task], machines: Sequence[MachineOutlook], people: Sequence[PersonOutlook] = (), **by: str
) -> tuple[Work, Plan]:
    orders = {one.order: OrderDemand(one.order, 1000.0) for one in tasks}
    work = Work(EPOCH, tuple(tasks), {one.id: one for one in machines}, orders, {one.id: one for one in people})
    operations = [
        PlannedOperation(
            one.id, next(iter(one.durations_s)), place, float(place), 0.0, person=by.get(one.id.replace("-", "_"))
        )
        for place, one in enumerate(tasks)
    ]
    return work, Plan(EPOCH, tuple(operations))


def test_who_attends_a_step_to_its_end_is_free_for_the_next_one_then() -> None:
    tasks = [task("A-1", attendance=Attendance.ALL), task("B-1", on="M2", attendance=Attendance.ALL)]
    found = run(tasks, [machine("M1"), machine("M2")], [person("P")], A_1="P", B_1="P")
    assert found.start_s[:, 0].tolist() == [10.0, 80.0]  # each after a changeover of 10 s
    assert critical_of(found).people == {"P": 0.5}  # B waited for nothing else


def test_who_attends_the_changeover_only_is_free_when_it_ends() -> None:
    tasks = [task("A-1", attendance=Attendance.SETUP), task("B-1", on="M2", attendance=Attendance.SETUP)]
    found = run(tasks, [machine("M1"), machine("M2")], [person("P", available_from_s=5.0)], A_1="P", B_1="P")
    assert found.start_s[:, 0].tolist() == [15.0, 25.0]
    assert found.freed_s[0].tolist() == [15.0] * 5


def test_attended_work_runs_while_machine_and_person_are_both_there() -> None:
    shifts = [machine("M1", (0.0, 100.0), (200.0, 1000.0))]
    worker = [person("P", (0.0, 30.0), (50.0, 1000.0))]
    whole = run([task("A-1", attendance=Attendance.ALL)], shifts, worker, A_1="P")
    assert (whole.start_s[0, 0], whole.finish_s[0, 0]) == (10.0, 90.0)
    # Only the changeover needs the person: the work goes on through their break.
    part = run([task("A-1", attendance=Attendance.SETUP)], shifts, worker, A_1="P")
    assert part.finish_s[0, 0] == 70.0


def test_nobody_attends_where_no_changeover_is_due() -> None:
    tasks = [task("A-1", attendance=Attendance.ALL), task("B-1", on="M2", attendance=Attendance.SETUP)]
    machines = [machine("M1"), machine("M2", setup_family="red")]
    assert run(tasks, machines, [person("P")], A_1="P", B_1="P").start_s[1, 0] == 0.0


def test_what_no_break_may_interrupt_begins_where_it_fits_repairs_included() -> None:
    windows = ((0.0, 65.0), (100.0, 170.0), (200.0, 280.0), (300.0, 310.0))
    shop = machine("M1", *windows)
    begun = [
        run([task("A-1", length_s, interruptible=False)], [shop]).start_s[0, 0] - 10.0
        for length_s in (55.0, 56.0, 61.0, 71.0)
    ]
    assert begun == [0.0, 100.0, 200.0, 300.0]  # the last window goes on for ever
    failing = replace(shop, reliability=Reliability(constant(50.0), constant(8.0)))
    assert run([task("A-1", 55.0, interruptible=False)], [failing]).start_s[0, 0] == 210.0
    assert run([task("A-1", 56.0)], [shop]).finish_s[0, 0] == 101.0


def test_a_late_delivery_holds_up_every_task_that_waits_for_it() -> None:
    delivery = Delivery("PO-1", 100.0, constant(20.0))
    tasks = [task("A-1", material=delivery), task("B-1", on="M2", material=delivery)]
    found = run(tasks, [machine("M1"), machine("M2")])
    assert found.start_s[:, 0].tolist() == [130.0, 130.0]


def test_a_rework_pass_is_done_only_where_the_lot_fails_and_its_changeover_with_it() -> None:
    families = {"A-1": "blue", "A-2": "red", "B-1": "blue"}
    for chance, expected in ((0.0, [0.0, 60.0, 60.0, 60.0]), (1.0, [0.0, 70.0, 130.0, 200.0])):
        tasks = [
            task("A-1", rework_chance=chance),
            task("A-2", after=["A-1"], rework=ReworkPass("A-1")),
            task("A-3", after=["A-2"], on="M2"),
            task("B-1"),
        ]
        tasks = [replace(one, setup_family=families.get(one.id, "red")) for one in tasks]
        found = run(tasks, [machine("M1"), machine("M2", setup_family="red")])
        # With the pass M1 changes over to red and back; without it stays blue.
        assert [found.start_s[row, 0] for row in (0, 1, 2)] == expected[:3]
        assert found.start_s[3, 0] == {0.0: 60.0, 1.0: 140.0}[chance]


def test_passes_go_on_as_often_as_the_lot_fails() -> None:
    passes = [task(f"A-{k}", after=[f"A-{k - 1}"], rework=ReworkPass("A-1", k - 1)) for k in (2, 3)]
    tasks = [task("A-1", rework_chance=0.5), *passes]
    work, plan = planned(tasks, [machine("M1", setup_family="red")])
    found = replayed(work, plan, Draws(9, 4000))
    took_s = found.completion_s("A")
    shares = [float((took_s == 60.0 * count).mean()) for count in (1, 2, 3)]
    # A binomial share of 4,000 lies within 0.027 of its mean in all but 1 of 1,000 cases (3.3 standard deviations).
    assert shares == pytest.approx([0.5, 0.25, 0.25], abs=0.027)
    assert (found.done[2] <= found.done[1]).all()


@pytest.mark.parametrize(
    ("change", "by", "reason"),
    [
        ({}, "Q", "attended by the unknown Q; known are P"),
        ({"skill": "weld"}, "P", "needs weld, which P cannot do"),
    ],
)
def test_a_person_who_is_unknown_or_cannot_do_it_is_refused(change: dict[str, str], by: str, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        run([task("A-1", attendance=Attendance.ALL, **change)], [machine()], [person("P")], A_1=by)


def test_people_and_machines_that_wait_for_each_other_are_named() -> None:
    tasks = [
        task("A-1", attendance=Attendance.ALL),
        task("B-1", on="M2", attendance=Attendance.ALL),
    ]
    work, plan = planned(tasks, [machine("M1"), machine("M2")], [person("P")], A_1="P", B_1="P")
    work = replace(work, tasks=(tasks[1], replace(tasks[0], predecessors=("B-1",))))
    with pytest.raises(InvalidInput, match=r"circular.*B-1 -> A-1 -> B-1"):
        replayed(work, plan, Draws(1, 1))
    with pytest.raises(InvalidInput, match="B-1 on M2 waits for P, who attends A-1 before it on M1"):
        simulate(work, plan, Draws(1, 1), 0)
