"""One case in many futures: measures against a computation by hand, a live floor as a base, and luck that stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from methods.explosion import explode, job_orders
from plant.errors import InvalidInput, NotFound
from plant.order import JobProgress, JobState
from plant.work import MachineSnapshot, Snapshot
from scenarios.case import Case, When
from scenarios.changes.machine_down import MachineDown
from scenarios.changes.machine_speed import MachineSpeed
from scenarios.evaluate import CHUNK, evaluate, prepare, rule_named
from scenarios.measures import COLUMN
from tests.scenarios.shop import machine_shop


def calm() -> Case:
    """The machine shop without any luck: nothing varies, nothing fails."""
    base = machine_shop()
    items = tuple(
        replace(item, routing=tuple(replace(one, variation=0.0) for one in item.routing)) for item in base.plant.items
    )
    machines = tuple(replace(machine, reliability=None) for machine in base.plant.machines)
    return replace(base, plant=replace(base.plant, items=items, machines=machines))


def test_without_luck_the_measures_are_those_of_the_plan() -> None:
    case = calm()
    prepared = prepare(case)
    sample = evaluate(prepared, 1, 0)
    assert sample.shape == (CHUNK, len(COLUMN))
    assert (sample == sample[0]).all()
    end: dict[str, float] = {}
    start: dict[str, float] = {}
    for one in prepared.plan.operations:
        order = prepared.work.by_id[one.job_order].order
        end[order] = max(end.get(order, 0.0), one.end_s)
        start[order] = min(start.get(order, one.start_s), one.start_s)
    lead_h, late_h, weighted = [], [], 0.0
    for order in case.orders:
        complete = case.now + timedelta(seconds=end[order.id])
        lead_h.append((complete - order.ordered_at).total_seconds() / 3600)
        late_h.append(max((complete - order.due_at).total_seconds() / 3600, 0.0))
        weighted += late_h[-1] * order.priority.weight
    last_s = max(end.values())
    expected = {
        "lead_time": np.mean(lead_h),
        "on_time": np.mean([late == 0 for late in late_h]),
        "tardiness": weighted,
        "throughput": len(case.orders) / (last_s / 86400),
        "wip": sum(end[name] - start[name] for name in end) / last_s,
    }
    for name, value in expected.items():
        assert sample[0, COLUMN[name]] == pytest.approx(value), name
    assert 0 < sample[0, COLUMN["oee"]] < 1


def test_tardiness_counts_priority() -> None:
    case = calm()
    tight = case.with_orders(lambda one: replace(one, due_at=max(one.ordered_at, case.now) + timedelta(hours=1)))
    normal = evaluate(prepare(tight), 1, 0)
    assert normal[0, COLUMN["on_time"]] == 0
    assert normal[0, COLUMN["tardiness"]] > len(case.orders)


def test_a_live_floor_is_a_base_too() -> None:
    base = machine_shop()
    (first, *rest) = job_orders(base.plant, explode(base.plant, base.order("CO-1002")))
    at = base.now + timedelta(hours=5)
    progress = (
        JobProgress(first, JobState.COMPLETED, "M01", base.now, at - timedelta(hours=2), good=first.quantity),
        JobProgress(rest[0], JobState.RUNNING, "M03", at - timedelta(hours=1)),
    )
    snapshot = Snapshot(
        at, {"M08": MachineSnapshot("M08", "grind shaft", at + timedelta(hours=3))}, {rest[0].id: 1800.0}
    )
    live = Case(base.plant, base.orders, snapshot, progress)
    prepared = prepare(live)
    assert prepared.work.epoch == at
    assert first.id not in prepared.work.by_id
    running = prepared.work.by_id[rest[0].id].running
    assert running is not None
    assert running.machine == "M03"
    assert prepared.work.machines["M08"].available_from_s == 3 * 3600
    down = MachineDown("M08", When("+24 h"), 4).apply(live)
    mean = [evaluate(prepare(case), 1, 0)[:, COLUMN["lead_time"]].mean() for case in (live, down)]
    assert mean[1] > mean[0]


def test_a_change_elsewhere_leaves_the_luck_of_everything_else() -> None:
    """A faster machine: where nothing waits for it, every future finishes as before, to the last bit."""
    case = machine_shop()
    alone = replace(case, orders=tuple(order for order in case.orders if order.id == "CO-1002"))
    prepared = prepare(alone)
    used = {one.machine for one in prepared.plan.operations}
    assert "M12" not in used
    faster = prepare(MachineSpeed("M12", 3.0).apply(alone))
    assert np.array_equal(evaluate(prepared, 1, 0), evaluate(faster, 1, 0))


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(NotFound, match="known are ATC"):
        rule_named("whatever")
    base = machine_shop()
    people = tuple(one for one in base.plant.people if "sawing" not in one.skills)
    nobody_saws = replace(base, plant=replace(base.plant, people=people))
    with pytest.raises(InvalidInput, match="nobody with a skill that M01 needs"):
        prepare(nobody_saws)
    with pytest.raises(InvalidInput, match="each customer order once"):
        replace(machine_shop(), orders=machine_shop().orders[:1] * 2)


def test_a_plant_without_people_runs_unattended() -> None:
    base = machine_shop()
    nobody = prepare(replace(base, plant=replace(base.plant, people=())))
    assert nobody.work.machines == prepare(base).work.machines
