"""Both engines on schedules whose makespan is known: optimal ones of classic job shops, without any luck."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from plant.calendar import WorkingTime
from plant.plan import Plan, PlannedOperation
from plant.plant import SetupMatrix
from plant.work import MachineOutlook, OrderDemand, Task, Work
from tests.twin.job_shops import KNOWN, JobShop
from twin.draws import Draws
from twin.replay import replay
from twin.simulate import simulate

EPOCH = datetime(2026, 1, 5, 5, tzinfo=UTC)


@pytest.mark.parametrize("shop", KNOWN, ids=lambda shop: shop.name)
def test_an_optimal_schedule_has_the_makespan_that_is_known(shop: JobShop) -> None:
    work, plan = planned(shop)
    draws = Draws(1, 2)
    assert replay(work, plan, draws).finish_s.max(axis=0).tolist() == [shop.makespan_s] * 2
    assert max(simulate(work, plan, draws, 0).finish_s.values()) == shop.makespan_s


def planned(shop: JobShop) -> tuple[Work, Plan]:
    """The shop as work, and its optimal sequences as a plan."""
    tasks, names = [], {}
    for job, route in enumerate(shop.routes()):
        before: tuple[str, ...] = ()
        for step, (machine, duration_s) in enumerate(route):
            name = names[job, machine] = f"J{job}-{step}"
            tasks.append(Task(name, f"J{job}", "item", str(step), 1, before, {f"M{machine}": float(duration_s)}, "any"))
            before = (name,)
    machines = {
        f"M{number}": MachineOutlook(f"M{number}", WorkingTime.always(), SetupMatrix("none", 0.0))
        for number in range(len(shop.sequences))
    }
    orders = {f"J{job}": OrderDemand(f"J{job}", 0.0) for job in range(len(shop.routes()))}
    operations = [
        PlannedOperation(names[job, machine], f"M{machine}", place, 0.0, 0.0)
        for machine, sequence in enumerate(shop.sequences)
        for place, job in enumerate(sequence)
    ]
    return Work(EPOCH, tuple(tasks), machines, orders), Plan(EPOCH, tuple(operations))
