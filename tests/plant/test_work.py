"""Work refuses tasks that do not fit together."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from plant.calendar import WorkingTime
from plant.distribution import constant
from plant.errors import InvalidInput
from plant.plant import SetupMatrix
from plant.work import Delivery, Lock, MachineOutlook, OrderDemand, PersonOutlook, ReworkPass, Running, Task, Work
from tests.plant.shops import MONDAY


def task(id_: str, *predecessors: str, machine: str = "L1", running: Running | None = None, order: str = "A") -> Task:
    return Task(id_, order, "AXLE", "10", 5, predecessors, {machine: 60.0}, "turning", running=running)


def work(*tasks: Task) -> Work:
    machines = {"L1": MachineOutlook("L1", WorkingTime.always(), SetupMatrix("any", 0.0))}
    return Work(MONDAY, tasks, machines, {"A": OrderDemand("A", 3600.0)})


def test_seconds_and_moments_are_counted_from_the_epoch() -> None:
    found = work(task("1"), task("2", "1"))
    assert found.by_id["2"].predecessors == ("1",)
    assert found.moment(90.0) == MONDAY + timedelta(seconds=90)
    assert found.seconds(found.moment(-12.5)) == -12.5


def test_a_moment_after_the_last_date_is_told() -> None:
    with pytest.raises(InvalidInput, match="there are no dates any more; check the times of operations and repairs"):
        work(task("1")).moment(1e13)


@pytest.mark.parametrize(
    ("tasks", "reason"),
    [
        ((task("1"), task("1")), "task 1 appears twice"),
        ((task("1", "2"), task("2")), r"task 1: predecessors \['2'\] are unknown or stand after it"),
        ((task("1", order="B"),), "task 1: unknown order B"),
        ((task("1", machine="L9"),), r"task 1: unknown machines \['L9'\]"),
    ],
)
def test_what_does_not_fit_is_refused(tasks: tuple[Task, ...], reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        work(*tasks)


def test_a_running_task_has_the_machine_it_runs_on_and_no_other() -> None:
    task("1", running=Running("L1", -5.0, 10.0))
    with pytest.raises(InvalidInput, match="task 1 runs on L2; that must be its only machine"):
        task("1", running=Running("L2", -5.0, 10.0))
    with pytest.raises(InvalidInput, match="task 1 has no machine that can take it"):
        Task("1", "A", "AXLE", "10", 5, (), {}, "turning")
    with pytest.raises(InvalidInput, match="task 1: duration_s on L1 must be a number of at least 0, not nan"):
        Task("1", "A", "AXLE", "10", 5, (), {"L1": float("nan")}, "turning")


def test_rework_scrap_and_age_that_cannot_be_are_refused() -> None:
    reworked = replace(task("2", "1"), rework=ReworkPass("1"))
    assert work(task("1"), reworked).by_id["2"].rework == ReworkPass("1", 1)
    with pytest.raises(InvalidInput, match="task 2 reworks 9, which is unknown or stands after it"):
        work(task("1"), replace(reworked, rework=ReworkPass("9")))
    with pytest.raises(InvalidInput, match="rework of 1: passes count from 1, not 0"):
        ReworkPass("1", 0)
    with pytest.raises(InvalidInput, match=r"task 1: rework_chance must be 0 to 1, not 1\.5"):
        replace(task("1"), rework_chance=1.5)
    with pytest.raises(InvalidInput, match="task 1: to replenish scrap it needs"):
        replace(task("1"), replenish=True, scrap_ratio=1.0)
    with pytest.raises(InvalidInput, match="task 1: fixed_share must be 0 to 1"):
        replace(task("1"), fixed_share=-0.1)
    with pytest.raises(InvalidInput, match="machine L1: operated_s must be a number of at least 0"):
        MachineOutlook("L1", WorkingTime.always(), SetupMatrix("m", 0.0), operated_s=-1.0)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_finite_number_is_refused_where_it_stands(number: float) -> None:
    for build, reason in (
        (lambda: replace(task("1"), release_s=number), "task 1: release_s"),
        (lambda: Running("L1", number, 1.0), "what runs on L1: started_s"),
        (lambda: Running("L1", 0.0, number), "what runs on L1: remaining_s"),
        (lambda: Delivery("steel", number, constant(0.0)), "delivery steel: due_s"),
        (lambda: Lock("L1", number), "a lock to L1: start_s"),
        (lambda: OrderDemand("A", number), "order A: due_s"),
        (lambda: PersonOutlook("P", WorkingTime.always(), (), number), "P: available_from_s"),
        (
            lambda: MachineOutlook("L1", WorkingTime.always(), SetupMatrix("m", 0.0), number),
            "machine L1: available_from_s",
        ),
    ):
        with pytest.raises(InvalidInput, match=f"{reason} must be a"):
            build()


def test_a_machine_that_takes_nothing_is_refused() -> None:
    with pytest.raises(InvalidInput, match="batch_capacity must be at least 1, or it makes nothing"):
        MachineOutlook("L1", WorkingTime.always(), SetupMatrix("m", 0.0), batch_capacity=0)


def test_a_machine_kept_by_another_name_is_refused() -> None:
    other = MachineOutlook("L2", WorkingTime.always(), SetupMatrix("any", 0.0))
    with pytest.raises(InvalidInput, match=r"machines are kept by their ids; these are others: \['L1'\]"):
        replace(work(), machines={"L1": other})


def test_a_locked_task_goes_nowhere_else() -> None:
    both = replace(task("1"), durations_s={"L1": 60.0, "L2": 60.0})
    assert both.machines == ("L1", "L2")
    assert replace(both, lock=Lock("L2", 0.0)).machines == ("L2",)
