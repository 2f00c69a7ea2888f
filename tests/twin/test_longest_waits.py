"""twin/longest_waits.py: how often orders wait longer than they may, by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from math import inf

import pytest

from plant.calendar import WorkingTime
from plant.distribution import exponential
from plant.plan import Plan, PlannedOperation
from plant.plant import SetupMatrix
from plant.verdict import WaitVerdict
from plant.work import Delivery, MachineOutlook, OrderDemand, ReworkPass, Task, Wait, Work
from twin.critical import critical_of
from twin.draws import Draws
from twin.longest_waits import broken_waits
from twin.rehearse import rehearse, simulated
from twin.replay import Replay
from twin.verdict import judge

EPOCH = datetime(2026, 1, 5, 5, tzinfo=UTC)


def task(name: str, takes_s: float, *after: str, on: str = "M1", **more: object) -> Task:
    return Task(name, name.split("-")[0], "item", "10", 1, after, {on: takes_s}, "red", **more)  # type: ignore[arg-type]


def planned(*tasks: Task, setup_s: float = 0.0) -> tuple[Work, Plan]:
    """Return two machines that take the tasks in their order."""
    machines = {
        name: MachineOutlook(name, WorkingTime.always(), SetupMatrix("m", setup_s if name == "M2" else 0.0))
        for name in ("M1", "M2")
    }
    orders = {one.order: OrderDemand(one.order, 1e9) for one in tasks}
    work = Work(EPOCH, tasks, machines, orders)
    operations = (
        PlannedOperation(one.id, next(iter(one.durations_s)), place, 0.0, 0.0) for place, one in enumerate(tasks)
    )
    return work, Plan(EPOCH, tuple(operations))


def ran(*tasks: Task, setup_s: float = 0.0, replications: int = 2) -> Replay:
    """Rehearse; both engines say the same of longest waits."""
    work, plan = planned(*tasks, setup_s=setup_s)
    draws = Draws(1, replications)
    found = rehearse(work, plan, draws)
    assert broken_waits(found) == broken_waits(simulated(work, plan, draws))
    return found


def test_a_wait_ends_where_the_changeover_begins() -> None:
    first, busy = task("A-1", 100.0), task("B-1", 150.0, on="M2")
    last = task("A-2", 10.0, "A-1", on="M2", waits={"A-1": Wait(most_s=30.0)})
    assert broken_waits(ran(first, busy, last)) == (WaitVerdict("A", 1.0, "A-2", "A-1", 30.0, 20.0),)
    just = replace(last, waits={"A-1": Wait(most_s=50.0)})
    assert broken_waits(ran(first, busy, just, setup_s=900.0)) != ()  # B-1 takes so much longer to set up for
    assert broken_waits(ran(first, just, setup_s=900.0)) == ()
    assert broken_waits(ran(first, busy, just)) == ()


def test_an_order_is_told_once_with_the_wait_it_breaks_most_often() -> None:
    late = Delivery("steel", 0.0, exponential(100.0))
    tasks = [
        task("A-1", 1.0),
        task("A-2", 1.0, "A-1", on="M2", material=late, waits={"A-1": Wait(most_s=50.0)}),
        task("A-3", 1.0, "A-1", "A-2", waits={"A-1": Wait(most_s=100.0), "A-2": Wait(most_s=inf)}),
        task("B-1", 1.0),
    ]
    found = ran(*tasks, replications=2000)
    (one,) = judge(found.work, planned(*tasks)[1], found).waits
    assert (one.order, one.job_order, one.before, one.most_s) == ("A", "A-2", "A-1", 50.0)
    share = 2.718281828 ** (-51 / 100)  # an exponential delay is longer than that
    assert one.broken == pytest.approx(share, abs=0.04)
    assert one.over_s == pytest.approx(100.0, rel=0.1)  # and goes on as long on average: it has no memory


def test_what_is_complete_already_counts_from_its_end() -> None:
    cooling = task("A-2", 10.0, release_s=40.0, waits={"A-1": Wait(most_s=100.0)}, ended_s={"A-1": -80.0})
    assert broken_waits(ran(cooling)) == (WaitVerdict("A", 1.0, "A-2", "A-1", 100.0, 20.0),)
    assert broken_waits(ran(replace(cooling, release_s=20.0))) == ()


def test_a_rework_pass_that_is_left_out_spoils_nothing() -> None:
    checked = task("A-1", 10.0, rework_chance=0.3)
    busy = task("B-1", 500.0, on="M2")
    again = task("A-1r", 5.0, "A-1", on="M2", rework=ReworkPass("A-1"), waits={"A-1": Wait(most_s=50.0)})
    found = ran(checked, busy, again, replications=500)
    (one,) = broken_waits(found)
    assert one.broken == found.done[2].mean()
    assert 0.2 < one.broken < 0.4


def test_drying_counts_for_the_order_and_for_no_machine() -> None:
    dried = ran(task("A-1", 100.0), task("A-2", 150.0, "A-1", on="M2", waits={"A-1": Wait(1000.0)}))
    found = critical_of(dried)
    assert found.machines == {"M1": 0.0, "M2": 1.0}
    assert found.waits.own_s.tolist() == [1250.0]
