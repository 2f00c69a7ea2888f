"""One case in many futures: measures against a computation by hand, a live floor as a base, and luck that stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from benchmarks.floors import floor, item, operation
from benchmarks.floors import machine as machine_of
from methods.explosion import explode, job_orders
from plant.errors import InvalidInput
from plant.floor_model import FloorModel
from plant.item import Attendance
from plant.order import JobProgress, JobState
from plant.snapshot import MachineSnapshot, Snapshot
from scenarios.case import Case, When
from scenarios.changes.machine_down import MachineDown
from scenarios.changes.machine_speed import MachineSpeed
from scenarios.evaluate import CHUNK, evaluate
from scenarios.measures import COLUMN
from scenarios.prepare import prepare
from scenarios.seen import times_of
from tests.scenarios.shop import machine_shop
from twin.draws import Draws
from twin.happened import Happened
from twin.kpi import kpis
from twin.open_floor import simulate_floor
from twin.pieces import PieceLog
from twin.state_log import StateLog
from twin.tally import Tally, tallies


def calm() -> Case:
    """The machine shop without any luck: nothing varies, nothing fails, all pieces are good."""
    base = machine_shop()
    items = tuple(
        replace(item, routing=tuple(replace(one, variation=0.0, scrap_ratio=0.0) for one in item.routing))
        for item in base.plant.items
    )
    machines = tuple(replace(machine, reliability=None) for machine in base.plant.machines)
    return replace(base, plant=replace(base.plant, items=items, machines=machines))


def test_without_luck_the_measures_are_those_of_the_one_future() -> None:
    case = calm()
    prepared = prepare(case)
    sample = evaluate(prepared, 1, 0)
    assert sample.shape == (CHUNK, len(COLUMN))
    assert (sample == sample[0]).all()
    happened = simulate_floor(prepared.model, Draws(99, 1), 0)
    end: dict[str, float] = {}
    for order, completed_s in zip(prepared.model.orders, happened.orders["completed_s"].tolist(), strict=True):
        end[order.customer_order] = max(end.get(order.customer_order, 0.0), completed_s)
    start: dict[str, float] = {}
    for row, begin_s in zip(
        happened.operations["order"].tolist(), happened.operations["begin_s"].tolist(), strict=True
    ):
        name = prepared.model.orders[row].customer_order
        start[name] = min(start.get(name, begin_s), begin_s)
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


def test_oee_is_that_of_the_logs_of_states_and_pieces() -> None:
    """One order that shares no batch: `twin.tally` makes the same of the logs, machines until their last operation."""
    base = machine_shop()
    alone = replace(base, orders=tuple(order for order in base.orders if order.id == "CO-1002"))
    prepared = prepare(alone)
    draws, scrap = Draws(3, 8), 0
    for replication in range(draws.replications):
        happened = simulate_floor(prepared.model, draws, replication)
        total = tallied(prepared.model, happened)
        scrap += total.times.scrap
        assert times_of(prepared, happened).oee == pytest.approx(kpis(total).oee, rel=1e-6), replication
    assert scrap > 0


def tallied(model: FloorModel, happened: Happened) -> Tally:
    """Return the sum of all machines, each until its last operation."""
    log, pieces = logs(model, happened)
    total = Tally()
    for place, (machine, time) in enumerate(zip(happened.names["machine"], happened.working, strict=True)):
        finished_s = happened.operations["finish_s"][happened.operations["machine"] == place]
        if len(finished_s):
            edges_s = zip(time.starts, np.minimum(time.ends, finished_s.max()).tolist(), strict=True)
            windows = [(model.moment(a), model.moment(b)) for a, b in edges_s if a < b]
            total += tallies(log, pieces, {machine: windows}, (model.epoch, windows[-1][1]))[machine]
    return total


def logs(model: FloorModel, happened: Happened) -> tuple[StateLog, PieceLog]:
    """Return the logs of a future, as the historian would have kept them."""
    names, states, done = happened.names["machine"], happened.machine_states, happened.operations
    log = StateLog.of_seconds(
        names,
        states["machine"],
        states["state"],
        np.ones_like(states["state"]),
        states["since_s"],
        states["until_s"],
        model.epoch,
    )
    planned_s = []
    for stage, machine, quantity in zip(
        *(done[name].tolist() for name in ("stage", "machine", "quantity")), strict=True
    ):
        item, _, operation = happened.names["stage"][stage].rpartition("-")
        speed = model.plant.machine(names[machine]).speed
        planned_s.append(model.plant.operation(item, operation).duration_s(quantity, speed) / quantity)
    columns = [done[name] for name in ("machine", "finish_s", "good", "scrap")]
    return log, PieceLog.of_seconds(names, *columns, planned_s, model.epoch)


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
    assert prepared.model.epoch == at
    (order,) = (one for one in prepared.model.orders if one.id == first.production_order)
    assert order.first == 1
    assert order.running is not None
    assert order.running.machine == "M03"
    happened = simulate_floor(prepared.model, Draws(1, 1), 0)
    ground = happened.operations["machine"] == happened.names["machine"].index("M08")
    assert happened.operations["begin_s"][ground].min() >= 3 * 3600
    down = MachineDown("M08", When("+24 h"), 4).apply(live)
    mean = [evaluate(prepare(case), 1, 0)[:, COLUMN["lead_time"]].mean() for case in (live, down)]
    assert mean[1] > mean[0]


def test_a_change_elsewhere_leaves_the_luck_of_everything_else() -> None:
    """A faster machine: where nothing waits for it, every future finishes as before, to the last bit."""
    case = machine_shop()
    alone = replace(case, orders=tuple(order for order in case.orders if order.id == "CO-1002"))
    prepared = prepare(alone)
    happened = simulate_floor(prepared.model, Draws(1, 1), 0)
    assert happened.names["machine"].index("M12") not in happened.operations["machine"]
    faster = prepare(MachineSpeed("M12", 3.0).apply(alone))
    assert np.array_equal(evaluate(prepared, 1, 0), evaluate(faster, 1, 0))


def test_what_cannot_be_is_refused() -> None:
    base = machine_shop()
    with pytest.raises(InvalidInput, match="unknown dispatching rule 'LIFO'; known are ATC, EDD, FIFO"):
        prepare(replace(base, rule="LIFO"))
    with pytest.raises(InvalidInput, match="needs a plan"):
        prepare(replace(base, rule="follow the plan"))
    with pytest.raises(InvalidInput, match="each customer order once"):
        replace(machine_shop(), orders=machine_shop().orders[:1] * 2)


def test_a_plant_without_people_runs_unattended() -> None:
    base = machine_shop()
    nobody = prepare(replace(base, plant=replace(base.plant, people=())))
    assert nobody.model.plant.machines == base.plant.machines


def test_a_machine_whose_skills_nobody_has_runs_unattended() -> None:
    base = machine_shop()
    people = tuple(one for one in base.plant.people if "sawing" not in one.skills)
    nobody_saws = prepare(replace(base, plant=replace(base.plant, people=people))).model.plant
    assert nobody_saws.machine("M01") == base.plant.machine("M01")
    assert nobody_saws.machine("M13") != base.plant.machine("M13"), "somebody assembles, and is not always there"


def test_where_attendance_is_stated_the_floor_keeps_to_it() -> None:
    """Of two who can assemble at different times, each attends what they begin; the machine keeps its calendar."""
    base = machine_shop()
    items = tuple(
        replace(
            item,
            routing=tuple(
                replace(one, attendance=Attendance.ALL) if one.capability == "assembly" else one for one in item.routing
            ),
        )
        for item in base.plant.items
    )
    attended = prepare(replace(base, plant=replace(base.plant, items=items)))
    assert attended.model.plant.machine("M12") == base.plant.machine("M12")
    assert attended.model.plant.machine("M08") == prepare(base).model.plant.machine("M08") != base.plant.machine("M08")
    happened = simulate_floor(attended.model, Draws(1, 1), 0)
    assembled = happened.operations["machine"] == happened.names["machine"].index("M12")
    people = {happened.names["person"][number] for number in happened.operations["person"][assembled]}
    assert people == {"P05"}


def test_what_arrives_without_end_is_measured_up_to_the_end() -> None:
    """A job an hour, each takes an hour and a half and is due two hours after it came: by hand."""
    stream = {"id": "JOBS", "item": "A", "quantity": 1, "interarrival": {"family": "constant", "mean_s": 3600}}
    model = floor([machine_of("M")], [item("A", operation("M", 5400.0, None))], [stream | {"due_after_s": 7200}])
    case = Case(model.plant, (), Snapshot(model.epoch), until=model.epoch + timedelta(hours=24))
    found = dict(zip(COLUMN, evaluate(prepare(case), 1, 0)[0].tolist(), strict=True))
    came_h = np.arange(1.0, 25.0)
    complete_h = 1 + 1.5 * np.arange(1.0, 25.0)
    done = complete_h <= 24
    late_h = np.maximum(np.minimum(complete_h, 24) - came_h - 2, 0)
    assert found["lead_time"] == pytest.approx((complete_h - came_h)[done].mean())
    assert found["tardiness"] == pytest.approx(late_h.sum())
    assert found["on_time"] == pytest.approx((late_h[done] == 0).sum() / (done | (late_h > 0)).sum())
    assert found["throughput"] == done.sum() == 15
    # One at a time from the first hour on; the one whose only operation is under way at the end has no row yet.
    assert found["wip"] == pytest.approx((complete_h[done][-1] - 1) / 24)
    assert found["oee"] == pytest.approx(15 * 1.5 / complete_h[done][-1])
    assert evaluate(prepare(case), 1, 0, frozenset({"JOBS/0"}))[0, COLUMN["lead_time"]] == 1.5
    with pytest.raises(InvalidInput, match="none of the orders that count is complete"):
        evaluate(prepare(case), 1, 0, frozenset({"JOBS/20"}))
    with pytest.raises(InvalidInput, match="is over"):
        replace(case, until=model.epoch)
