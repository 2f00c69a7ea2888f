"""twin/verdict.py and twin/critical.py: what is said of a replayed plan."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from scipy.stats import binomtest

from plant.calendar import WorkingTime
from plant.distribution import constant
from plant.errors import InvalidInput
from plant.plan import Plan, PlannedOperation
from plant.plant import Reliability, SetupMatrix
from plant.work import MachineOutlook, OrderDemand, Task, Work
from tests.twin.random_works import cases
from twin.critical import critical_shares
from twin.draws import Draws
from twin.replay import replay
from twin.verdict import judge, wilson

EPOCH = datetime(2026, 1, 5, 5, tzinfo=UTC)


def shop(tasks: list[Task], due_s: dict[str, float], *machines: MachineOutlook) -> tuple[Work, Plan]:
    """A work and the plan that takes its tasks in their order."""
    orders = {name: OrderDemand(name, due) for name, due in due_s.items()}
    work = Work(EPOCH, tuple(tasks), {machine.id: machine for machine in machines}, orders)
    return work, Plan(
        EPOCH, tuple(PlannedOperation(t.id, next(iter(t.durations_s)), k, 0, 0) for k, t in enumerate(tasks))
    )


def task(name: str, machine: str, duration_s: float, after: tuple[str, ...] = (), **more: float) -> Task:
    return Task(name, name.split("-")[0], "item", "10", 1, after, {machine: duration_s}, "red", **more)  # type: ignore[arg-type]


def outlook(name: str, setup_s: float = 0.0, windows: list[tuple[float, float]] | None = None) -> MachineOutlook:
    working_time = WorkingTime.of(windows) if windows else WorkingTime.always()
    return MachineOutlook(name, working_time, SetupMatrix("m", setup_s))


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (3, 10), (10, 10), (997, 1000), (1, 1)])
def test_the_wilson_interval_is_the_known_one(successes: int, trials: int) -> None:
    known = binomtest(successes, trials).proportion_ci(0.95, method="wilson")
    middle, low = wilson(successes, trials)
    assert middle == pytest.approx((known.low + known.high) / 2, abs=1e-12)
    assert low == pytest.approx(known.low, abs=1e-12)


def test_an_order_is_told_by_its_completions() -> None:
    work, plan = shop([task("A-1", "M1", 1000.0, variation=0.5)], {"A": 900.0, "Z": 5.0}, outlook("M1"))
    result = replay(work, plan, Draws(3, 400))
    (order,) = judge(work, plan, result).orders  # Z has no task left
    done = np.sort(result.completion_s("A"))
    share = (done <= 900).mean()
    assert 0.2 < share < 0.8
    assert order.on_time_low < order.on_time == pytest.approx(share, abs=0.01)
    assert order.due_at == EPOCH + timedelta(seconds=900)
    assert [work.seconds(m) for m in (order.p50, order.p80, order.p95)] == pytest.approx(
        [done[199], done[319], done[379]], abs=1e-5
    )
    assert order.tardiness_mean_s == pytest.approx(np.maximum(done - 900, 0).mean())


def test_load_and_expected_oee_are_shares_of_the_machines_working_time() -> None:
    tasks = [task("A-1", "M1", 80.0, scrap_ratio=0.25), task("B-1", "M1", 40.0, release_s=300.0)]
    machine = outlook("M1", 20.0, [(0.0, 100.0), (200.0, 600.0)])  # second window: waits from 200 to 300
    work, plan = shop(tasks, {"A": 1.0, "B": 1.0}, machine, outlook("M2"))
    verdict = judge(work, plan, replay(work, plan, Draws(1, 2)))
    (found,) = verdict.machines  # M2 has nothing to do
    assert found.load == pytest.approx(140 / 240)
    assert found.oee == verdict.oee == pytest.approx((80 * 0.75 + 40) / 240)
    assert (verdict.engine, verdict.replications, verdict.seed, verdict.bottleneck) == ("replay", 2, 1, "M1")


def test_repairs_load_the_machine_but_do_not_count_as_production() -> None:
    machine = MachineOutlook(
        "M1", WorkingTime.always(), SetupMatrix("m", 0.0), reliability=Reliability(constant(60.0), constant(50.0))
    )
    work, plan = shop([task("A-1", "M1", 100.0), task("A-2", "M2", 350.0)], {"A": 1.0}, machine, outlook("M2"))
    verdict = judge(work, plan, replay(work, plan, Draws(1, 2)))
    loads = {found.machine: (found.load, found.oee) for found in verdict.machines}
    assert loads == {"M1": (1.0, pytest.approx(100 / 150)), "M2": (1.0, 1.0)}
    assert verdict.oee == pytest.approx(450 / 500)  # sums, not the mean of 2/3 and 1


def test_the_critical_machine_holds_most_of_the_chain_that_set_the_completion() -> None:
    # C's last step is on M2, but C waited for M1 all along, where A and B stood before it.
    tasks = [task("A-1", "M1", 500.0), task("B-1", "M1", 500.0), task("C-1", "M1", 200.0)]
    tasks.append(task("C-2", "M2", 300.0, ("C-1",)))
    tasks.append(task("D-1", "M2", 100.0, release_s=5000.0))
    work, plan = shop(tasks, dict.fromkeys("ABCD", 1.0), outlook("M1"), outlook("M2"))
    verdict = judge(work, plan, replay(work, plan, Draws(1, 3)))
    assert {found.machine: found.critical for found in verdict.machines} == {"M1": 0.75, "M2": 0.25}
    assert verdict.bottleneck == "M1"


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@given(case=cases())
def test_every_verdict_makes_sense(case: tuple[Work, Plan, int]) -> None:
    work, plan, seed = case
    result = replay(work, plan, Draws(seed, 20))
    verdict = judge(work, plan, result)
    assert sum(critical_shares(result).values()) == pytest.approx(1.0)
    for order in verdict.orders:
        assert 0 <= order.on_time_low <= order.on_time <= 1
        assert all(one <= two for one, two in pairwise((order.p50, order.p80, order.p95)))
    for machine in verdict.machines:
        assert 0 <= machine.load <= 1 + 1e-9
        assert machine.oee >= 0


def test_a_replay_of_other_work_is_refused() -> None:
    work, plan = shop([task("A-1", "M1", 10.0)], {"A": 1.0}, outlook("M1"))
    other, other_plan = shop([task("A-1", "M1", 11.0)], {"A": 1.0}, outlook("M1"))
    with pytest.raises(InvalidInput, match="another work or plan"):
        judge(work, plan, replay(other, other_plan, Draws(1, 1)))
    empty, nothing = shop([], {}, outlook("M1"))
    verdict = judge(empty, nothing, replay(empty, nothing, Draws(1, 1)))
    assert (verdict.orders, verdict.machines, verdict.oee, verdict.bottleneck) == ((), (), 0.0, None)
