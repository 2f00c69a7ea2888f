"""twin/replay.py: R futures of a fixed plan, equal to walking one future step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, note, settings

from plant.calendar import WorkingTime
from plant.distribution import constant
from plant.errors import InvalidInput, NotFound
from plant.plan import Plan, PlannedOperation
from plant.plant import Reliability, SetupMatrix, SetupTime
from plant.work import MachineOutlook, OrderDemand, Running, Task, Wait, Work
from tests.twin.random_works import cases
from twin.draws import Draws
from twin.replay import replay
from twin.simulate import Simulation

EPOCH = datetime(2026, 1, 5, 5, tzinfo=UTC)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@given(case=cases())
def test_every_future_equals_the_simulated_one(case: tuple[Work, Plan, int]) -> None:
    check_equal(case)


@pytest.mark.long
@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@given(case=cases())
def test_every_future_equals_the_simulated_one_many_times(case: tuple[Work, Plan, int]) -> None:
    check_equal(case)


def check_equal(case: tuple[Work, Plan, int]) -> None:
    """Replay three futures and simulate each of them: starts and finishes are equal to 1e-9 s."""
    work, plan, seed = case
    note(f"seed of the draws: {seed}")
    draws = Draws(seed, 3)
    result = replay(work, plan, draws)
    simulation = Simulation(work, plan, draws)
    for future in range(3):
        expected = simulation.run(future)
        for row, task in enumerate(work.tasks):
            close(result.finish_s[row, future], expected.finish_s[task.id])
            close(result.start_s[row, future], expected.start_s[task.id])
        for row, begun_s in result.begun_s.items():
            close(begun_s[future], expected.begun_s[work.tasks[row].id])
        for order, completion_s in expected.completion_s.items():
            close(result.completion_s(order)[future], completion_s)
        for machine, spent in expected.busy.items():
            busy = result.busy(machine)
            assert busy.setup_s[future] == pytest.approx(spent.setup_s, rel=1e-12)
            assert busy.processing_s[future] == pytest.approx(spent.processing_s, rel=1e-12)
            assert busy.repair_s[future] == pytest.approx(spent.repair_s, rel=1e-12)


def close(found: float, expected: float) -> None:
    assert abs(found - expected) <= 1e-9


def task(name: str, machine: str = "M1", after: Sequence[str] = (), duration_s: float = 60.0, **more: object) -> Task:
    order = name.split("-")[0]
    return Task(name, order, "item", "10", 1, tuple(after), {machine: duration_s}, "red", **more)  # type: ignore[arg-type]


def outlook(name: str = "M1", **more: object) -> MachineOutlook:
    parts = {"working_time": WorkingTime.always(), "setup_matrix": SetupMatrix("m", 0.0)} | more
    return MachineOutlook(name, **parts)  # type: ignore[arg-type]


def work_of(tasks: Sequence[Task], *machines: MachineOutlook) -> Work:
    orders = {task.order: OrderDemand(task.order, 1000.0) for task in tasks}
    return Work(EPOCH, tuple(tasks), {machine.id: machine for machine in machines}, orders)


def plan_of(*sequences: tuple[str, Sequence[str | tuple[str, ...]]]) -> Plan:
    operations = []
    for machine, steps in sequences:
        for place, step in enumerate(steps):
            names = (step,) if isinstance(step, str) else step
            operations += [PlannedOperation(name, machine, place, 0.0, 0.0) for name in names]
    return Plan(EPOCH, tuple(operations))


def test_work_waits_for_its_machine_its_predecessors_its_release_and_open_time() -> None:
    tasks = [task("A-1"), task("A-2", "M2", ["A-1"]), task("B-1", release_s=100.0), task("B-2", "M2", ["B-1"])]
    shifts = WorkingTime.of([(0.0, 80.0), (200.0, 250.0), (300.0, 900.0)])
    work = work_of(tasks, outlook("M1"), outlook("M2", working_time=shifts, available_from_s=30.0))
    result = replay(work, plan_of(("M1", ["A-1", "B-1"]), ("M2", ["A-2", "B-2"])), Draws(1, 2))
    assert result.start_s[:, 0].tolist() == [0.0, 60.0, 100.0, 240.0]
    assert result.finish_s[:, 1].tolist() == [60.0, 240.0, 160.0, 350.0]
    assert result.completion_s("B").tolist() == [350.0, 350.0]


def test_a_changeover_begins_when_machine_and_job_are_there_and_counts_as_busy() -> None:
    matrix = SetupMatrix("m", 50.0, (SetupTime("red", "red", 5.0),))
    work = work_of([task("A-1"), task("B-1", release_s=200.0)], outlook(setup_matrix=matrix))
    result = replay(work, plan_of(("M1", ["A-1", "B-1"])), Draws(1, 2))
    assert result.start_s[:, 0].tolist() == [50.0, 205.0]
    busy = result.busy("M1")
    assert busy.setup_s.tolist() == [55.0, 55.0]
    assert busy.processing_s.tolist() == [120.0, 120.0]
    assert busy.total_s.tolist() == [175.0, 175.0]


def test_a_batch_takes_as_long_as_its_longest_member() -> None:
    tasks = [task("A-1", duration_s=30.0), task("B-1", duration_s=70.0, release_s=10.0)]
    result = replay(work_of(tasks, outlook(batch_capacity=2)), plan_of(("M1", [("A-1", "B-1")])), Draws(1, 1))
    assert result.start_s[:, 0].tolist() == [10.0, 10.0]
    assert result.finish_s[:, 0].tolist() == [80.0, 80.0]
    assert result.busy("M1").processing_s.tolist() == [70.0]


def test_failures_come_in_operating_time_and_a_running_task_goes_on_without_setup() -> None:
    reliability = Reliability(constant(50.0), constant(7.0))
    running = Running("M1", -30.0, 40.0)
    work = work_of(
        [task("A-1", running=running, release_s=500.0), task("B-1")],
        outlook(setup_matrix=SetupMatrix("m", 9.0), setup_family="blue", reliability=reliability),
    )
    result = replay(work, plan_of(("M1", ["A-1", "B-1"])), Draws(1, 1))
    assert result.start_s[:, 0].tolist() == [0.0, 40.0]  # red after red: no changeover
    assert result.finish_s[:, 0].tolist() == [40.0, 40.0 + 60.0 + 2 * 7.0]  # fails at 50 and at 100
    assert result.busy("M1").repair_s.tolist() == [14.0]


def test_a_circular_plan_is_refused_with_the_circle() -> None:
    tasks = [task("A-1"), task("A-2", "M2", ["A-1"]), task("B-1", "M2"), task("B-2", "M1", ["B-1"])]
    work = work_of(tasks, outlook("M1"), outlook("M2"))
    with pytest.raises(InvalidInput, match=r"circular.*(A-1 -> B-2 -> B-1 -> A-2 -> A-1)"):
        replay(work, plan_of(("M1", ["B-2", "A-1"]), ("M2", ["A-2", "B-1"])), Draws(1, 1))


@pytest.mark.parametrize(
    ("sequence", "reason"),
    [
        (["A-1"], "leaves out B-1"),
        (["A-1", "B-1", "C-9"], "holds C-9"),
        ([("A-1", "B-1")], "at most 1 go together"),
    ],
)
def test_a_plan_that_does_not_fit_the_work_is_refused(sequence: list[str | tuple[str, ...]], reason: str) -> None:
    work = work_of([task("A-1"), task("B-1")], outlook())
    with pytest.raises(InvalidInput, match=reason):
        replay(work, plan_of(("M1", sequence)), Draws(1, 1))


def test_a_machine_that_cannot_take_the_task_and_a_running_task_in_second_place_are_refused() -> None:
    work = work_of([task("A-1"), task("B-1", running=Running("M1", 0.0, 5.0))], outlook(), outlook("M2"))
    with pytest.raises(InvalidInput, match="puts A-1 on M2, which cannot take it"):
        replay(work, plan_of(("M1", ["B-1"]), ("M2", ["A-1"])), Draws(1, 1))
    with pytest.raises(InvalidInput, match="B-1 runs on M1, but the plan puts A-1 before it"):
        replay(work, plan_of(("M1", ["A-1", "B-1"])), Draws(1, 1))


def test_the_same_seed_is_the_same_future_and_an_unknown_order_is_named() -> None:
    work = work_of([task("A-1", variation=0.4)], outlook())
    one, two = (replay(work, plan_of(("M1", ["A-1"])), Draws(5, 50)) for _ in range(2))
    assert (one.finish_s == two.finish_s).all()
    assert one.finish_s.std() > 1
    with pytest.raises(NotFound, match="'Z'"):
        one.completion_s("Z")


def test_a_wait_and_the_way_between_machines_pass_at_the_same_time_closed_or_not() -> None:
    dried = task("A-2", "M2", ["A-1"], waits={"A-1": Wait(100.0)})
    carried = task("B-2", "M2", ["B-1"], waits={"B-1": Wait(10.0)})
    closed = WorkingTime.of([(0.0, 200.0), (500.0, 9000.0)])
    parts = work_of([task("A-1"), task("B-1"), dried, carried], outlook("M1", working_time=closed), outlook("M2"))
    work = replace(parts, transport_s={("M1", "M2"): 40.0})
    result = replay(work, plan_of(("M1", ["A-1", "B-1"]), ("M2", ["A-2", "B-2"])), Draws(1, 1))
    assert result.start_s[:, 0].tolist() == [0.0, 60.0, 160.0, 220.0]
    alone = replay(work, plan_of(("M1", ["B-1", "A-1"]), ("M2", ["B-2", "A-2"])), Draws(1, 1))
    assert alone.start_s[:, 0].tolist() == [60.0, 0.0, 220.0, 100.0]


def test_a_batch_waits_for_the_member_that_comes_last() -> None:
    tasks = [task("A-1"), task("B-1", "M2"), task("A-2", "M3", ["A-1"]), task("B-2", "M3", ["B-1"])]
    tasks[2] = replace(tasks[2], waits={"A-1": Wait(30.0)})
    parts = work_of(tasks, outlook("M1"), outlook("M2"), outlook("M3", batch_capacity=2))
    plan = plan_of(("M1", ["A-1"]), ("M2", ["B-1"]), ("M3", [("A-2", "B-2")]))
    assert replay(parts, plan, Draws(1, 1)).start_s[2, 0] == 90.0
    assert replay(replace(parts, transport_s={("M2", "M3"): 70.0}), plan, Draws(1, 1)).start_s[3, 0] == 130.0


def test_when_a_changeover_begins_is_told_where_there_is_a_longest_wait() -> None:
    tasks = [task("A-1"), task("A-2", "M2", ["A-1"], waits={"A-1": Wait(most_s=600.0)})]
    shifts = WorkingTime.of([(0.0, 30.0), (100.0, 120.0), (300.0, 900.0)])
    work = work_of(tasks, outlook("M1"), outlook("M2", setup_matrix=SetupMatrix("m", 25.0), working_time=shifts))
    result = replay(work, plan_of(("M1", ["A-1"]), ("M2", ["A-2"])), Draws(1, 1))
    assert {row: begun.tolist() for row, begun in result.begun_s.items()} == {1: [100.0]}
    assert result.start_s[1, 0] == 305.0
