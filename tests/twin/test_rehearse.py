"""twin/rehearse.py: replayed where that is exact, simulated where it is not, and one verdict from both."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import HealthCheck, given, note, settings

from plant.calendar import WorkingTime
from plant.distribution import constant, exponential
from plant.plan import Plan, PlannedOperation
from plant.plant import FailureTime, Reliability, SetupMatrix
from plant.work import MachineOutlook, OrderDemand, Task, Work
from tests.twin.random_works import cases
from twin.draws import Draws
from twin.rehearse import rehearse, simulated
from twin.replay import replay
from twin.verdict import judge

EPOCH = datetime(2026, 1, 5, 5, tzinfo=UTC)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@given(case=cases())
def test_the_verdict_is_the_same_whoever_judged(case: tuple[Work, Plan, int]) -> None:
    work, plan, seed = case
    note(f"seed of the draws: {seed}")
    draws = Draws(seed, 4)
    fast, slow = replay(work, plan, draws), simulated(work, plan, draws)
    assert np.allclose(fast.finish_s, slow.finish_s, rtol=0, atol=1e-9)
    one, two = judge(work, plan, fast), judge(work, plan, slow)
    assert (one.engine, two.engine) == ("replay", "simulate")
    assert [order.on_time for order in one.orders] == [order.on_time for order in two.orders]
    for mine, other in zip(one.machines, two.machines, strict=True):
        assert (mine.load, mine.oee) == pytest.approx((other.load, other.oee), rel=1e-9)
    assert one.people == two.people
    assert one.operations == two.operations


def shop(*, up_s: float, failure_time: FailureTime, release_s: float = 0.0) -> tuple[Work, Plan]:
    reliability = Reliability(constant(up_s), constant(10.0), failure_time)
    machine = MachineOutlook("M1", WorkingTime.always(), SetupMatrix("m", 0.0), reliability=reliability)
    tasks = tuple(
        Task(f"A-{step}", "A", "item", "10", 1, (), {"M1": 60.0}, "red", release_s=release_s * step) for step in (0, 1)
    )
    work = Work(EPOCH, tasks, {"M1": machine}, {"A": OrderDemand("A", 500.0)})
    return work, Plan(EPOCH, tuple(PlannedOperation(one.id, "M1", place, 0, 0) for place, one in enumerate(tasks)))


def test_failures_in_calendar_time_are_simulated_also_while_the_machine_waits() -> None:
    work, plan = shop(up_s=100.0, failure_time=FailureTime.CALENDAR, release_s=105.0)
    found = rehearse(work, plan, Draws(1, 2))
    # Fails at 100 while it waits, is up at 110, fails at 210.
    assert found.start_s[:, 0].tolist() == [0.0, 110.0]
    assert found.finish_s[1].tolist() == [170.0, 170.0]
    assert judge(work, plan, found).engine == "simulate"
    operating = shop(up_s=100.0, failure_time=FailureTime.OPERATING, release_s=105.0)
    found = rehearse(*operating, Draws(1, 2))
    assert found.start_s[:, 0].tolist() == [0.0, 105.0]
    assert found.finish_s[1, 0] == 175.0  # fails when it has processed 40 s of the second
    assert judge(*operating, found).engine == "replay"


def test_a_failure_in_calendar_time_stops_what_runs() -> None:
    work, plan = shop(up_s=40.0, failure_time=FailureTime.CALENDAR)
    # 40 s, repair to 50, done at 70; the next fails at 90, goes on at 100 and fails again at the moment of its end.
    assert rehearse(work, plan, Draws(1, 1)).finish_s[:, 0].tolist() == [70.0, 150.0]


def test_somebody_at_risk_is_told_where_slack_helps() -> None:
    """A-2 waits for A-1, which is now and then very late: slack before A-2 makes up for it."""
    machines = {name: MachineOutlook(name, WorkingTime.always(), SetupMatrix("m", 0.0)) for name in ("M1", "M2")}
    tasks = (
        Task("A-1", "A", "item", "10", 1, (), {"M1": 1000.0}, "red", variation=0.5),
        Task("A-2", "A", "item", "20", 1, ("A-1",), {"M2": 500.0}, "red"),
        Task("B-1", "B", "item", "10", 1, (), {"M2": 1.0}, "red"),
    )
    work = Work(EPOCH, tasks, machines, {"A": OrderDemand("A", 1600.0), "B": OrderDemand("B", 9000.0)})
    plan = Plan(
        EPOCH,
        (
            PlannedOperation("A-1", "M1", 0, 0, 0),
            PlannedOperation("B-1", "M2", 0, 0, 0),
            PlannedOperation("A-2", "M2", 1, 0, 0),
        ),
    )
    found = rehearse(work, plan, Draws(3, 1000))
    verdict = judge(work, plan, found)
    (buffer,) = verdict.buffers  # B is in no danger
    assert (buffer.order, buffer.machine, buffer.job_order) == ("A", "M2", "A-2")
    assert buffer.on_time == pytest.approx(verdict.orders[0].on_time, abs=0.01)
    late_s = found.completion_s("A") - 1600.0
    assert buffer.slack_s == np.quantile(late_s, 0.95, method="inverted_cdf")
    assert buffer.on_time < 0.8 < buffer.on_time_before <= buffer.on_time_by_due
    assert buffer.on_time_by_due == pytest.approx(0.95, abs=0.001)


def test_the_operations_most_chains_run_through_come_first() -> None:
    work, plan = shop(up_s=1e9, failure_time=FailureTime.OPERATING)
    work = replace(
        work, machines={"M1": replace(work.machines["M1"], reliability=Reliability(exponential(1e12), constant(1.0)))}
    )
    verdict = judge(work, plan, rehearse(work, plan, Draws(1, 10)))
    assert [(one.job_order, one.critical) for one in verdict.operations] == [("A-0", 1.0), ("A-1", 1.0)]
