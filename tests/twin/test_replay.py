"""twin/replay.py: R futures of a fixed plan, equal to walking one future step by step."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import HealthCheck, given, note, settings

from plant.calendar import WorkingTime
from plant.distribution import Distribution, Family, constant
from plant.errors import InvalidInput, NotFound
from plant.plan import Plan, PlannedOperation
from plant.plant import Reliability, SetupMatrix, SetupTime
from plant.work import MachineOutlook, OrderDemand, Running, Task, Work
from tests.twin.random_works import cases
from twin.draws import Draws
from twin.replay import replay

EPOCH = datetime(2026, 1, 5, 5, tzinfo=UTC)


def walked(work: Work, plan: Plan, draws: Draws, replication: int) -> dict[str, float]:
    """Finish of every task in one future, one step at a time in plain Python: the semantics, written again."""
    finish: dict[str, float] = {}
    place = dict.fromkeys(plan.sequences, 0)
    free = {name: max(0.0, outlook.available_from_s) for name, outlook in work.machines.items()}
    family = {name: outlook.setup_family for name, outlook in work.machines.items()}
    operating = dict.fromkeys(work.machines, 0.0)
    while any(place[machine] < len(sequence) for machine, sequence in plan.sequences.items()):
        for machine, sequence in plan.sequences.items():
            if place[machine] == len(sequence):
                continue
            tasks = [work.by_id[member.job_order] for member in sequence[place[machine]]]
            if any(name not in finish for task in tasks for name in task.predecessors):
                continue
            place[machine] += 1
            outlook, wt = work.machines[machine], work.machines[machine].working_time
            running = tasks[0].running is not None
            ready = max(0.0, *(t.release_s for t in tasks), *(finish[p] for t in tasks for p in t.predecessors))
            begin = free[machine] if running else max(ready, free[machine])
            setup_s = 0.0 if running else outlook.setup_matrix.duration_s(family[machine], tasks[0].setup_family)
            processing = max(processing_of(task, machine, draws, replication) for task in tasks)
            repairs = repairs_of(outlook, operating[machine], operating[machine] + processing, draws, replication)
            operating[machine] += processing
            free[machine] = wt.finish(wt.finish(begin, setup_s), processing + repairs)
            family[machine] = tasks[0].setup_family
            finish |= dict.fromkeys((task.id for task in tasks), free[machine])
    return finish


def processing_of(task: Task, machine: str, draws: Draws, replication: int) -> float:
    planned = task.running.remaining_s if task.running else task.durations_s[machine]
    if task.variation == 0:
        return planned
    row = draws.row(Distribution(Family.LOGNORMAL, 1.0, task.variation), "processing", task.id)
    return planned * float(row[replication])


def repairs_of(outlook: MachineOutlook, before: float, after: float, draws: Draws, replication: int) -> float:
    if outlook.reliability is None:
        return 0.0
    repairs, point, k = 0.0, 0.0, 0
    while True:
        row = draws.row(outlook.reliability.time_between_failures, "time between failures", outlook.id, k)
        point += float(row[replication])
        if point > after:
            return repairs
        if point > before:
            row = draws.row(outlook.reliability.time_to_repair, "time to repair", outlook.id, k)
            repairs += float(row[replication])
        k += 1


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@given(case=cases())
def test_every_replication_equals_walking_it_alone(case: tuple[Work, Plan, int]) -> None:
    work, plan, seed = case
    draws = Draws(seed, 3)
    result = replay(work, plan, draws)
    note(f"seed of the draws: {seed}")
    for replication in range(3):
        finish = walked(work, plan, draws, replication)
        expected = [finish[task.id] for task in work.tasks]
        np.testing.assert_allclose(result.finish_s[:, replication], expected, rtol=0, atol=1e-9)


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
        ([("A-1", "B-1")], "takes 1 at a time"),
    ],
)
def test_a_plan_that_does_not_fit_the_work_is_refused(sequence: list[str | tuple[str, ...]], reason: str) -> None:
    work = work_of([task("A-1"), task("B-1")], outlook())
    with pytest.raises(InvalidInput, match=reason):
        replay(work, plan_of(("M1", sequence)), Draws(1, 1))


def test_a_machine_that_cannot_take_the_task_and_a_running_task_in_second_place_are_refused() -> None:
    work = work_of([task("A-1"), task("B-1", running=Running("M1", 0.0, 5.0))], outlook(), outlook("M2"))
    with pytest.raises(InvalidInput, match="sends A-1 to M2; it can go to M1"):
        replay(work, plan_of(("M1", ["B-1"]), ("M2", ["A-1"])), Draws(1, 1))
    with pytest.raises(InvalidInput, match="B-1 is running; it must come first"):
        replay(work, plan_of(("M1", ["A-1", "B-1"])), Draws(1, 1))


def test_the_same_seed_is_the_same_future_and_an_unknown_order_is_named() -> None:
    work = work_of([task("A-1", variation=0.4)], outlook())
    one, two = (replay(work, plan_of(("M1", ["A-1"])), Draws(5, 50)) for _ in range(2))
    assert (one.finish_s == two.finish_s).all()
    assert one.finish_s.std() > 1
    with pytest.raises(NotFound, match="'Z'"):
        one.completion_s("Z")
