"""The open floor, one feature at a time on floors small enough to be worked out by hand; all through plant folders."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from benchmarks.floors import Values, floor, item, machine, operation, write_floor
from methods.explosion import explode, job_orders
from methods.floor import floor_model
from methods.work import build_work
from plant.arrival import ArrivalStream
from plant.calendar import Calendar, Shift
from plant.errors import Infeasible, InvalidInput, PlantInvalid
from plant.floor_model import FloorModel
from plant.folder import load, load_orders
from plant.item import Attendance, BomLine
from plant.order import JobProgress, JobState
from plant.plant import Absence, Plant
from plant.snapshot import MachineSnapshot, Snapshot
from scheduler.rules import RULES, dispatched
from twin.draws import Draws
from twin.happened import STATES, Happened
from twin.open_floor import simulate_floor
from twin.simulate import Simulation

SHOP = Path(__file__).parents[2] / "plants" / "machine_shop"
DRAWS = Draws(seed=5, replications=4)
HOUR = 3600.0

DAY_SHIFT: Values = {"id": "day", "days": ["Mon", "Tue", "Wed", "Thu", "Fri"], "start": "06:00", "end": "14:00"}
DAY: Values = {"id": "day", "shifts": ["day"]}


def orders(*quantities: int, of: str = "A", priorities: Sequence[str] = ()) -> list[str]:
    """Return orders O0, O1, ... that are there from the beginning and due a day after each other."""
    found = []
    for number, quantity in enumerate(quantities):
        priority = priorities[number] if priorities else "normal"
        found.append(f"O{number},C,{of},{quantity},2026-01-05T00:00,2026-01-{20 + number}T00:00,{priority}")
    return found


def fixed(capability: str, hours: float, **more: object) -> Values:
    """Return an operation that takes so many hours a piece, always."""
    return operation(capability, hours * HOUR, None, **more)


def run(model: FloorModel, until_s: float = math.inf, **more: object) -> Happened:
    return simulate_floor(model, DRAWS, 0, until_s, **more)  # type: ignore[arg-type]


def done_h(happened: Happened) -> dict[str, float]:
    """Return the hour at which each production order was complete."""
    return dict(zip(happened.orders["id"].tolist(), (happened.orders["completed_s"] / HOUR).tolist(), strict=True))


def states_h(happened: Happened, name: str) -> list[tuple[str, float, float]]:
    """Return (state, from, until) of a machine in hours."""
    states = happened.machine_states
    mine = states["machine"] == happened.names["machine"].index(name)
    columns = (states[column][mine] for column in ("state", "since_s", "until_s"))
    return [(str(STATES[s]), a / HOUR, b / HOUR) for s, a, b in zip(*columns, strict=True)]


# --- the reference shop ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shop() -> Plant:
    return load(SHOP)


def without_scrap(plant: Plant) -> Plant:
    items = (replace(one, routing=tuple(replace(step, scrap_ratio=0.0) for step in one.routing)) for one in plant.items)
    return replace(plant, items=tuple(items))


def test_following_a_plan_is_what_the_plan_simulation_says_to_the_last_bit(shop: Plant) -> None:
    """Changeovers, calendars, batches and failures of the machine shop; the plan simulation leaves scrap out."""
    plant = without_scrap(shop)
    demand = load_orders(SHOP, plant)
    snapshot = Snapshot(plant.starts_at)
    jobs = [JobProgress(job, JobState.WAITING) for order in demand for job in job_orders(plant, explode(plant, order))]
    work = build_work(plant, demand, jobs, snapshot)
    plan = dispatched(work, RULES[0])
    model, simulation = floor_model(plant, demand, snapshot), Simulation(work, plan, DRAWS)
    for replication in range(DRAWS.replications):
        expected = simulation.run(replication)
        happened = simulate_floor(model, DRAWS, replication, plan=plan)
        assert finishes(happened) == expected.finish_s
        for place, name in enumerate(happened.names["machine"]):
            mine = happened.operations["machine"] == place
            spent = happened.operations["start_s"][mine]
            assert len(np.unique(spent)) == len(plan.sequences.get(name, ()))


def finishes(happened: Happened) -> dict[str, float]:
    names = [happened.names["stage"][stage].rsplit("-", 1)[1] for stage in happened.operations["stage"]]
    ids = happened.orders["id"][happened.operations["order"]]
    return {
        f"{id_}-{name}": finish
        for id_, name, finish in zip(ids, names, happened.operations["finish_s"].tolist(), strict=True)
    }


@pytest.mark.parametrize("rule", ["FIFO", "EDD", "SPT", "critical ratio", "ATC", "least setup"])
def test_the_machine_shop_runs_to_the_end_and_nothing_is_lost(shop: Plant, rule: str) -> None:
    model = floor_model(shop, load_orders(SHOP, shop))
    happened = run(model, rule=rule)
    made, rows = happened.orders, happened.operations
    assert not np.isnan(made["completed_s"]).any()
    assert (made["good"] + made["scrap"] == made["quantity"]).all()
    assert (rows["good"] + rows["scrap"] + rows["rework"] == rows["quantity"]).all()
    scrapped = np.bincount(rows["order"], rows["scrap"], minlength=len(made["id"]))
    assert (scrapped == made["scrap"]).all()
    last = np.zeros(len(made["id"]))
    np.maximum.at(last, rows["order"], rows["finish_s"])
    gone = made["quantity"] == 0
    assert (last[~gone] == made["completed_s"][~gone]).all()
    assert (rows["queued_s"] <= rows["begin_s"]).all()
    assert (rows["begin_s"] <= rows["start_s"]).all()
    assert (rows["start_s"] < rows["finish_s"]).all()
    assert_partition(happened)


def assert_partition(happened: Happened) -> None:
    """Each machine is in one state at a time, from the epoch to the end; energy is power times that."""
    states = happened.machine_states
    for place in range(len(happened.names["machine"])):
        mine = states["machine"] == place
        since_s, until_s = states["since_s"][mine], states["until_s"][mine]
        assert since_s[0] == 0
        assert until_s[-1] == happened.until_s
        assert (since_s[1:] == until_s[:-1]).all()
        assert (since_s < until_s).all()
    machines = len(happened.names["machine"])
    assert happened.energy["duration_s"].sum() == pytest.approx(machines * happened.until_s, rel=1e-12)


def test_the_same_seed_is_the_same_future_and_another_replication_is_not(shop: Plant) -> None:
    demand = load_orders(SHOP, shop)
    tables = [simulate_floor(floor_model(shop, demand), Draws(5, 4), 1).columns() for _ in range(2)]
    for name, columns in tables[0].items():
        for column, values in columns.items():
            assert values.tobytes() == tables[1][name][column].tobytes(), f"{name}: {column}"
    other = simulate_floor(floor_model(shop, demand), Draws(5, 4), 2)
    assert not np.array_equal(other.orders["completed_s"], tables[0]["orders"]["completed_s"])


# --- machines and time -----------------------------------------------------------------------------------------------


def test_a_machine_twice_as_fast_takes_half_the_time_and_a_changeover_comes_on_top() -> None:
    matrix = {"id": "slow", "default_s": 1800}
    machines = [machine("M", speed=2.0, setup_matrix="slow")]
    happened = run(floor(machines, [item("A", fixed("M", 1.0))], more={"setup_matrix": [matrix]}, orders=orders(2, 2)))
    assert done_h(happened) == {"O0/1": 1.5, "O1/1": 2.5}  # staying in the family costs nothing
    assert states_h(happened, "M") == [("setup", 0, 0.5), ("executing", 0.5, 2.5)]


def test_a_machine_that_names_no_matrix_changes_over_at_once() -> None:
    plain = {name: value for name, value in machine("M").items() if name != "setup_matrix"}
    items = [item("A", fixed("M", 1.0)), item("B", fixed("M", 1.0, setup_family="other"))]
    happened = run(floor([plain], items, orders=orders(2) + [order.replace("O0", "O1") for order in orders(1, of="B")]))
    assert done_h(happened) == {"O0/1": 2.0, "O1/1": 3.0}
    assert states_h(happened, "M") == [("executing", 0, 3.0)]


def test_work_stops_outside_the_shift_unless_it_must_not_be_interrupted() -> None:
    more = {"shift": [DAY_SHIFT], "calendar": [DAY]}
    for interruptible, expected in ((True, {"O0/1": 11, "O1/1": 32}), (False, {"O0/1": 11, "O1/1": 35})):
        step = fixed("M", 5.0, interruptible=interruptible)
        happened = run(floor([machine("M", calendar="day")], [item("A", step)], more=more, orders=orders(1, 1)))
        assert done_h(happened) == expected
        assert_partition(happened)


def test_failures_in_calendar_time_strike_idle_machines_too() -> None:
    reliability = {
        "time_between_failures": {"family": "constant", "mean_h": 3},
        "time_to_repair": {"family": "constant", "mean_h": 1},
    }
    steps = [item("A", fixed("M", 5.0))]
    late = ["O0,C,A,1,2026-01-05T02:00,2026-01-20T00:00,normal"]
    aging = floor([machine("M", reliability=reliability | {"failure_time": "calendar"})], steps, orders=late)
    assert states_h(run(aging), "M") == [
        ("idle", 0, 2),
        ("executing", 2, 3),
        ("breakdown", 3, 4),
        ("executing", 4, 7),
        ("breakdown", 7, 8),
        ("executing", 8, 9),
    ]
    working = floor([machine("M", reliability=reliability)], steps, orders=late)
    assert states_h(run(working), "M") == [
        ("idle", 0, 2),
        ("executing", 2, 5),
        ("breakdown", 5, 6),
        ("executing", 6, 8),
    ]


def test_one_crew_repairs_one_machine_after_the_other() -> None:
    reliability = {
        "time_between_failures": {"family": "constant", "mean_h": 3},
        "time_to_repair": {"family": "constant", "mean_h": 1},
        "crew": "fitters",
    }
    machines = [machine(name, "work", reliability=reliability) for name in ("M1", "M2")]
    made = [item("A", fixed("work", 4.0))]
    one = run(floor(machines, made, more={"crew": [{"id": "fitters"}]}, orders=orders(1, 1)))
    assert done_h(one) == {"O0/1": 5, "O1/1": 6}
    two = run(floor(machines, made, more={"crew": [{"id": "fitters", "count": 2}]}, orders=orders(1, 1)))
    assert done_h(two) == {"O0/1": 5, "O1/1": 5}


def test_maintenance_is_due_after_operating_time_and_waits_for_the_end_of_a_step() -> None:
    machines = [
        machine("M", maintenance={"every_h": 2, "duration_h": 0.5}, power_kw={"executing": 10, "planned_stop": 1})
    ]
    happened = run(floor(machines, [item("A", fixed("M", 1.5))], orders=orders(1, 1, 1)))
    assert states_h(happened, "M") == [("executing", 0, 3), ("planned stop", 3, 3.5), ("executing", 3.5, 5)]
    assert happened.energy["energy_kwh"].sum() == pytest.approx(45.5)


def test_an_oven_waits_for_a_full_batch_but_not_for_ever() -> None:
    oven = machine("OVEN", batch_capacity=2, batch_wait_s=2 * HOUR, batch_families=[["hot", "warm"]])
    hot, warm, cold = (fixed("OVEN", 3.0, setup_family=family) for family in ("hot", "warm", "cold"))
    demand = [
        "O0,C,A,1,2026-01-05T00:00,2026-01-20T00:00,normal",
        "O1,C,B,1,2026-01-05T01:00,2026-01-20T00:00,normal",
        "O2,C,K,1,2026-01-05T01:00,2026-01-20T00:00,normal",
    ]
    happened = run(floor([oven], [item("A", hot), item("B", warm), item("K", cold)], orders=demand))
    # Hot and warm go together once both are there; cold has waited its two hours when they come out.
    assert done_h(happened) == {"O0/1": 4, "O1/1": 4, "O2/1": 7}


# --- people and tools ------------------------------------------------------------------------------------------------

TWO = [machine("M1", "work", setup_matrix="long"), machine("M2", "work", setup_matrix="long")]
LONG: Values = {"id": "long", "default_s": 3600}


@pytest.mark.parametrize(
    ("attendance", "expected"),
    [("none", {"O0/1": 4, "O1/1": 4}), ("setup", {"O0/1": 4, "O1/1": 5}), ("all", {"O0/1": 4, "O1/1": 7})],
)
def test_one_person_attends_one_machine_at_a_time(attendance: str, expected: dict[str, float]) -> None:
    steps = [item("A", fixed("work", 3.0, attendance=attendance))]
    happened = run(floor(TWO, steps, more={"setup_matrix": [LONG]}, orders=orders(1, 1)))
    assert done_h(happened) == expected
    attended_h = (happened.attendance["until_s"] - happened.attendance["since_s"]).sum() / HOUR
    assert attended_h == {"none": 0, "setup": 2, "all": 7}[attendance]


def test_a_crew_of_two_needs_two_who_are_there_and_an_absence_holds_the_step() -> None:
    absent = {"from": "2026-01-05T02:00", "until": "2026-01-05T05:00"}
    second = {"id": "P2", "name": "Bo", "skills": ["work"], "calendar": "always", "absences": [absent]}
    steps = [item("A", fixed("work", 4.0, attendance="all", people=2))]
    happened = run(floor([machine("M", "work")], steps, more={"person": [second]}, orders=orders(1)))
    assert states_h(happened, "M") == [("executing", 0, 2), ("held", 2, 5), ("executing", 5, 7)]


def test_a_tool_is_in_one_place_only() -> None:
    machines = [machine("M1", "work"), machine("M2", "work")]
    steps = [item("A", fixed("work", 2.0, tools=["jig"]))]
    happened = run(floor(machines, steps, more={"tool": [{"id": "jig"}]}, orders=orders(1, 1)))
    assert done_h(happened) == {"O0/1": 2, "O1/1": 4}


# --- ways and buffers ------------------------------------------------------------------------------------------------


def test_transport_takes_its_time_and_waits_for_a_carrier() -> None:
    machines = [machine("M1", "a"), machine("M2", "a"), machine("N", "b", work_center="far")]
    steps = [item("A", fixed("a", 1.0), fixed("b", 0.5))]
    way = {"before": "cell", "after": "far", "time_s": HOUR}
    free = run(floor(machines, steps, more={"transport": [way]}, orders=orders(1, 1)))
    assert done_h(free) == {"O0/1": 2.5, "O1/1": 3}
    carried = {"transport": [way | {"carrier": "cart", "return_s": HOUR}], "carrier": [{"id": "cart"}]}
    assert done_h(run(floor(machines, steps, more=carried, orders=orders(1, 1)))) == {"O0/1": 2.5, "O1/1": 4.5}


def test_what_dries_arrives_later_and_is_carried_meanwhile() -> None:
    machines = [machine("M1", "a"), machine("N", "b", work_center="far")]
    steps = [item("A", fixed("a", 1.0), fixed("b", 0.5, wait_least_s=2 * HOUR))]
    assert done_h(run(floor(machines, steps, orders=orders(1, 1)))) == {"O0/1": 3.5, "O1/1": 4.5}
    short, long = ({"before": "cell", "after": "far", "time_s": hours * HOUR} for hours in (1, 3))
    for way, expected in ((short, {"O0/1": 3.5, "O1/1": 4.5}), (long, {"O0/1": 4.5, "O1/1": 5.5})):
        assert done_h(run(floor(machines, steps, more={"transport": [way]}, orders=orders(1, 1)))) == expected
    carried = {"transport": [short | {"carrier": "cart", "return_s": HOUR}], "carrier": [{"id": "cart"}]}
    assert done_h(run(floor(machines, steps, more=carried, orders=orders(1, 1)))) == {"O0/1": 3.5, "O1/1": 4.5}


def test_a_machine_without_a_place_ahead_is_blocked() -> None:
    steps = [item("A", fixed("M1", 1.0), fixed("M2", 3.0))]
    machines = [machine("M1", output_buffer=0), machine("M2", input_buffer=0)]
    happened = run(floor(machines, steps, orders=orders(1, 1, 1)))
    assert states_h(happened, "M1")[:4] == [
        ("executing", 0, 2),
        ("blocked", 2, 4),
        ("executing", 4, 5),
        ("blocked", 5, 7),
    ]
    roomy = run(floor([machine("M1", output_buffer=1), machine("M2", input_buffer=0)], steps, orders=orders(1, 1, 1)))
    assert states_h(roomy, "M1")[:2] == [("executing", 0, 3), ("blocked", 3, 4)]
    assert done_h(roomy) == done_h(happened) == {"O0/1": 4, "O1/1": 7, "O2/1": 10}


def test_a_circle_of_blocked_machines_is_named() -> None:
    machines = [machine(name, input_buffer=0, output_buffer=0) for name in ("M1", "M2")]
    made = [item("A", fixed("M1", 1.0), fixed("M2", 1.0)), item("B", fixed("M2", 1.0), fixed("M1", 1.0))]
    demand = [*orders(1), "P0,C,B,1,2026-01-05T00:00,2026-01-20T00:00,normal"]
    with pytest.raises(
        Infeasible, match=r"deadlocked: M\d, on which .* waits for a place at M\d; M\d, on which"
    ) as told:
        run(floor(machines, made, orders=demand))
    assert all(name in str(told.value) for name in ("M1", "M2", "O0/1", "P0/1"))
    open_floor = [machine("M1", input_buffer=1, output_buffer=0), machines[1]]
    assert done_h(run(floor(open_floor, made, orders=demand))) == {"O0/1": 2, "P0/1": 2}


# --- pieces ----------------------------------------------------------------------------------------------------------


def test_pieces_that_move_on_together_overlap_the_operations() -> None:
    first = operation("M1", 360.0, None, fixed_s=600)
    steps = (first, operation("M2", 360.0, None))
    whole = run(floor([machine("M1"), machine("M2")], [item("A", *steps)], orders=orders(10)))
    parted = run(floor([machine("M1"), machine("M2")], [item("A", *steps, transfer_batch=1)], orders=orders(10)))
    assert whole.orders["completed_s"].tolist() == [600 + 3600 + 3600]
    assert parted.orders["completed_s"].tolist() == [600 + 3600 + 360]  # the fixed time is paid once
    assert parted.orders["good"].tolist() == [10]


def test_what_an_inspection_sends_back_too_often_is_scrap() -> None:
    steps = (fixed("M", 1.0), fixed("Q", 1.0, rework={"ratio": 1, "to": "M", "limit": 2}))
    happened = run(floor([machine("M"), machine("Q")], [item("A", *steps)], orders=orders(2)))
    assert happened.operations["attempt"].tolist() == [0, 0, 1, 1, 2, 2]
    assert happened.orders["scrap"].tolist() == [2]
    assert done_h(happened) == {"O0/1": 12}


def test_scrap_and_rework_come_as_often_as_planned() -> None:
    """Shares of 20,000 single pieces within five standard errors: fails by luck once in a million seeds."""
    steps = (fixed("M", 0.1, scrap_ratio=0.1), fixed("Q", 0.1, rework={"ratio": 0.3, "to": "M"}))
    demand = [{"id": "S", "item": "A", "interarrival": {"family": "constant", "mean_s": HOUR}}]
    happened = run(floor([machine("M"), machine("Q")], [item("A", *steps)], demand), 20_000 * HOUR)
    rows = happened.operations
    for name, column, ratio in (("A-M", "scrap", 0.1), ("A-Q", "rework", 0.3)):
        mine = rows["stage"] == happened.names["stage"].index(name)
        share = rows[column][mine].mean()
        assert abs(share - ratio) < 5 * math.sqrt(ratio * (1 - ratio) / mine.sum()), f"{name}: {share} (seed 5)"
    ended = ~np.isnan(happened.orders["completed_s"])
    assert (happened.orders["good"] + happened.orders["scrap"] == 1)[ended].all()


def test_an_assembly_waits_for_its_components_and_gets_what_came_out_good() -> None:
    part = item("P", fixed("M", 1.0, scrap_ratio=0.5))
    whole = item("A", fixed("N", 1.0), bom=[{"item": "P", "quantity": 2}])
    happened = run(floor([machine("M"), machine("N")], [part, whole], orders=orders(10)))
    good = int(happened.orders["good"][0])
    assert happened.orders["quantity"].tolist() == [20, good // 2]
    assert happened.orders["released_s"].tolist() == [0, 20 * HOUR]
    assert 2 <= good <= 18  # a binomial of 20 and 1/2 is outside once in 25,000 seeds


BOUGHT: Values = {"id": "BAR", "name": "Bar", "kind": "purchased", "lead_time_days": 1, "stock": 5}


def test_a_short_material_is_waited_for() -> None:
    arrives = {"deliveries": [{"at": "2026-01-05T09:00", "quantity": 3}]}
    made = item("A", fixed("M", 1.0), bom=[{"item": "BAR", "quantity": 1}])
    happened = run(floor([machine("M")], [BOUGHT | {"replenishment": arrives}, made], orders=orders(4, 4)))
    assert done_h(happened) == {"O0/1": 4, "O1/1": 13}
    assert ("held", 4, 9) in states_h(happened, "M")
    ordered = {"reorder_point": 1, "quantity": 10}
    happened = run(floor([machine("M")], [BOUGHT | {"replenishment": ordered}, made], orders=orders(4, 4)))
    assert done_h(happened) == {
        "O0/1": 4,
        "O1/1": 28,
    }  # five are less than the eight that are needed: ten more come a day later
    with pytest.raises(Infeasible, match="O1/1-M waits for BAR, of which there is too little"):
        run(floor([machine("M")], [BOUGHT | {"replenishment": {"quantity": 0}}, made], orders=orders(4, 4)))


# --- demand, rules, snapshots ----------------------------------------------------------------------------------------


def test_a_closed_loop_keeps_the_work_in_process() -> None:
    steps = [item("A", operation("M1", HOUR), operation("M2", HOUR))]
    happened = run(floor([machine("M1"), machine("M2")], steps, [{"id": "L", "item": "A", "wip": 3}]), 500 * HOUR)
    assert set(happened.wip["orders"].tolist()) == {3}


def test_a_high_priority_goes_first_and_a_machine_may_have_its_own_rule() -> None:
    steps = [item("A", fixed("M", 1.0))]
    urgent = floor([machine("M")], steps, orders=orders(1, 1, 1, priorities=["normal", "normal", "high"]))
    assert done_h(run(urgent)) == {"O0/1": 2, "O1/1": 3, "O2/1": 1}
    sizes = orders(3, 2, 1)
    assert done_h(run(floor([machine("M", rule="SPT")], steps, orders=sizes))) == {"O0/1": 6, "O1/1": 3, "O2/1": 1}
    assert done_h(run(floor([machine("M", rule="SPT")], steps, orders=sizes), rule="EDD"))["O0/1"] == 3


def test_from_a_snapshot_what_runs_goes_on_and_what_is_down_comes_back() -> None:
    with_two = [machine("M1"), machine("M2", setup_matrix="long")]
    steps = item("A", fixed("M1", 4.0), fixed("M2", 1.0))
    plant = floor(with_two, [steps], more={"setup_matrix": [LONG]}).plant
    demand = load_demand(plant, orders(1))
    jobs = job_orders(plant, explode(plant, demand[0]))
    at = plant.starts_at + timedelta(hours=10)
    running = JobProgress(jobs[0], JobState.RUNNING, "M1", at - timedelta(hours=3))
    machines = {"M2": MachineSnapshot("M2", "any", at + timedelta(hours=2))}
    snapshot = Snapshot(at, machines, {jobs[0].id: 3 * HOUR})
    happened = run(floor_model(plant, demand, snapshot, progress=[running, JobProgress(jobs[1], JobState.WAITING)]))
    assert happened.operations["finish_s"].tolist() == [HOUR, 3 * HOUR]
    assert states_h(happened, "M2") == [("breakdown", 0, 2), ("executing", 2, 3)]


def test_a_running_batch_goes_on_together_and_keeps_its_people() -> None:
    oven = machine("OVEN", batch_capacity=2)
    attended = fixed("OVEN", 4.0, attendance="all"), fixed("M", 1.0, attendance="all", skill="OVEN")
    steps = [item(name, step) for name, step in zip("AB", attended, strict=True)]
    plant = floor([oven, machine("M")], steps).plant
    demand = load_demand(plant, [*orders(1, 1), "P0,C,B,1,2026-01-05T00:00,2026-01-20T00:00,normal"])
    jobs = [job_orders(plant, explode(plant, order))[0] for order in demand]
    at = plant.starts_at + timedelta(hours=10)
    began = at - timedelta(hours=1)
    progress = [JobProgress(job, JobState.RUNNING, "OVEN", began) for job in jobs[:2]]
    snapshot = Snapshot(at, {}, {jobs[0].id: HOUR, jobs[1].id: 2 * HOUR})
    happened = run(floor_model(plant, demand, snapshot, progress=progress))
    assert done_h(happened) == {"O0/1": 3, "O1/1": 3, "P0/1": 4}  # the only person is at the oven for three hours
    assert happened.orders["customer_order"].tolist() == ["O0", "O1", "P0"]


def test_a_floor_without_orders_has_nothing_to_tell() -> None:
    happened = run(floor([machine("M")], [item("A", fixed("M", 1.0))]))
    assert happened.until_s == 0
    assert {name: len(next(iter(columns.values()))) for name, columns in happened.columns().items()} == dict.fromkeys(
        ("operations", "orders", "machine_states", "energy", "attendance", "transports", "wip"), 0
    )
    rested = run(floor([machine("M", power_kw={"idle": 2})], [item("A", fixed("M", 1.0))]), 5 * HOUR)
    assert rested.energy["energy_kwh"].tolist() == [10]


def test_columns_are_saved_and_read_back(tmp_path: Path) -> None:
    happened = run(floor([machine("M")], [item("A", fixed("M", 1.0))], orders=orders(1, 2)))
    written = happened.save(tmp_path / "run")
    assert sorted(path.stem for path in written) == sorted(happened.columns())
    for path in written:
        if path.suffix == ".npz":
            with np.load(path) as kept:
                for name, values in happened.columns()[path.stem].items():
                    assert np.array_equal(kept[name], values)


def load_demand(plant: Plant, lines: list[str]):  # type: ignore[no-untyped-def]
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        header = "id,customer,item,quantity,ordered_at,due_at,priority"
        (Path(name) / "orders.csv").write_text("\n".join([header, *lines]))
        return load_orders(Path(name), plant)


# --- what is refused -------------------------------------------------------------------------------------------------


def test_an_unknown_rule_and_endless_arrivals_without_an_end_are_refused() -> None:
    steps = [item("A", fixed("M", 1.0))]
    with pytest.raises(InvalidInput, match=r"unknown dispatching rule 'LIFO'; known are ATC, EDD"):
        run(floor([machine("M")], steps, orders=orders(1)), rule="LIFO")
    with pytest.raises(InvalidInput, match="needs a plan"):
        run(floor([machine("M")], steps, orders=orders(1)), rule="follow the plan")
    with pytest.raises(InvalidInput, match="arrivals L have no end; give until_s"):
        run(floor([machine("M")], steps, [{"id": "L", "item": "A", "wip": 1}]))


@pytest.mark.parametrize(
    ("machines", "items", "more", "told"),
    [
        (
            {"input_buffer": -1},
            {},
            {},
            "plant.toml: machine M: input_buffer: must be a whole number of at least 0, not -1",
        ),
        ({"batch_wait_s": -5}, {}, {}, "plant.toml: machine M: batch_wait_s: must be a number of at least 0, not -5"),
        (
            {"maintenance": {"every_h": 0, "duration_h": 1}},
            {},
            {},
            "plant.toml: machine M: maintenance: every_h: must be a number above 0, not 0",
        ),
        ({}, {"tools": ["jig"]}, {}, "products.toml: item A: operation M: tools: unknown tool 'jig'; none is defined"),
        ({}, {"skill": "magic"}, {}, "products.toml: item A: operation M: skill: nobody has it: unknown skill 'magic'"),
        (
            {},
            {"attendance": "all", "people": 2},
            {},
            "products.toml: item A: operation M: people: 2 must have the skill 'M', which only 1 have",
        ),
        (
            {},
            {"per_piece_s": -60},
            {},
            "products.toml: item A: operation M: per_piece_s: must be a number of at least 0",
        ),
        ({}, {"capability": "fly"}, {}, "products.toml: item A: operation M: capability: no machine has it"),
        ({}, {"rework": {"ratio": 0.1, "to": "X"}}, {}, "operation M sends rework to 'X'; it must be one of M"),
        (
            {},
            {"wait_least_s": 60},
            {},
            "operation M is the first of its routing, so it has nothing to wait after",
        ),
        (
            {},
            {"wait_most_s": 60},
            {},
            "operation M is the first of its routing, so it has nothing to wait after",
        ),
        ({}, {"wait_least_s": 60, "wait_most_s": 59}, {}, "wait_most_s must be at least wait_least_s, 60.0, not 59.0"),
        ({}, {"wait_least_s": -1}, {}, "item A: operation M: wait_least_s: must be a number of at least 0"),
        ({}, {"rework": {"ratio": 1, "to": "M"}}, {}, "rework: a ratio of 1 needs a limit"),
        (
            {},
            {"time_factor": {"family": "triangular", "low": 3, "mode": 2, "high": 4}},
            {},
            "time_factor: a triangular needs 3 values in rising order",
        ),
        (
            {},
            {},
            {"transport": [{"before": "cell", "after": "moon", "time_s": 1}]},
            "plant.toml: transport[0]: after: unknown work center 'moon'",
        ),
        (
            {"reliability": {"time_between_failures": {"family": "exponential", "mean_h": 0}}},
            {},
            {},
            "plant.toml: machine M: reliability: time_between_failures: mean_h: must be a number above 0, not 0",
        ),
    ],
)
def test_the_folder_says_what_is_wrong_and_where(
    tmp_path: Path, machines: Values, items: Values, more: dict[str, list[Values]], told: str
) -> None:
    step = {**operation("M", 60.0, None, skill="M"), **items}
    write_floor(tmp_path, [machine("M", **machines)], [item("A", step)], more=more)
    if "skill" in items:
        text = (tmp_path / "plant.toml").read_text().replace('skills = ["M"]', 'skills = ["other"]')
        (tmp_path / "plant.toml").write_text(text)
    with pytest.raises(PlantInvalid) as refused:
        load(tmp_path)
    assert any(told in line for line in str(refused.value).split("\n")), str(refused.value)


def test_a_starved_machine_is_told_from_an_idle_one() -> None:
    steps = [item("A", fixed("M1", 2.0), fixed("M2", 1.0))]
    late = ["O0,C,A,1,2026-01-05T01:00,2026-01-20T00:00,normal"]
    happened = run(floor([machine("M1"), machine("M2")], steps, orders=late))
    assert states_h(happened, "M1") == [("idle", 0, 1), ("executing", 1, 3), ("idle", 3, 4)]
    assert states_h(happened, "M2") == [("idle", 0, 1), ("starved", 1, 3), ("executing", 3, 4)]


def by_hand(change: str) -> Plant:
    """Return a small plant in which one thing is wrong that its classes let pass."""
    plant = floor([machine("M")], [item("A", fixed("M", 1.0))]).plant
    step, a, person = plant.item("A").routing[0], plant.item("A"), plant.people[0]
    holiday = Calendar("always", "UTC", (Shift("s", (0,), time(6), time(14)),), tuple(every_monday(plant)))
    loop = BomLine("A", Decimal(1))
    changes = {
        "capability": {"items": (replace(a, routing=(replace(step, capability="flying"),)),)},
        "skill": {"items": (replace(a, routing=(replace(step, attendance=Attendance.ALL, skill="magic"),)),)},
        "crew": {"items": (replace(a, routing=(replace(step, attendance=Attendance.ALL, people=2),)),)},
        "tool": {"items": (replace(a, routing=(replace(step, tools=("jig",)),)),)},
        "circle": {"items": (replace(a, bom=(loop,)),)},
        "part": {"items": (replace(a, bom=(BomLine("BAR", Decimal(1)),)),)},
        "closed": {"calendars": (holiday,)},
        "away": {"people": (replace(person, absences=(Absence(plant.starts_at, plant.starts_at + 60 * WEEK),)),)},
        "calendar": {"machines": (replace(plant.machines[0], calendar="never"),)},
        "arrivals": {"arrivals": (ArrivalStream("S", "B", wip=1),)},
    }
    return replace(plant, **changes[change])  # type: ignore[arg-type]


WEEK = timedelta(weeks=1)


def every_monday(plant: Plant) -> list[date]:
    return [plant.starts_at.date() + week * WEEK for week in range(-2, 60)]


@pytest.mark.parametrize(
    ("count", "change", "told"),
    [
        (1, {"operation": "99"}, "job order O0/1-M1: item A has no operation '99'"),
        (1, {"machine": "M9"}, "job order O0/1-M1: unknown machine 'M9'; known are M1, M2"),
        (1, {"machine": "M2"}, "job order O0/1-M1 runs on M2, which cannot do it; M1 can"),
        (2, {}, "job order O1/1-M1 runs on M1, and so does O0/1-M1, but it takes 1 at a time"),
    ],
)
def test_what_cannot_be_running_on_this_plant_is_refused(count: int, change: dict[str, str], told: str) -> None:
    plant = floor([machine("M1"), machine("M2")], [item("A", fixed("M1", 1.0), fixed("M2", 1.0))]).plant
    demand = load_demand(plant, orders(*[1] * count))
    jobs = [job_orders(plant, explode(plant, order))[0] for order in demand]
    jobs = [replace(job, operation=change.get("operation", "M1")) for job in jobs]
    running = [JobProgress(job, JobState.RUNNING, change.get("machine", "M1"), plant.starts_at) for job in jobs]
    with pytest.raises(InvalidInput, match=told):
        run(floor_model(plant, demand, Snapshot(plant.starts_at), progress=running))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("capability", "item A, operation M: no machine has the capability 'flying'"),
        ("skill", "item A, operation M: needs 1 with the skill 'magic', which nobody has"),
        ("crew", "item A, operation M: needs 2 with the skill 'M', which only 1 have"),
        ("tool", "item A, operation M: unknown tool 'jig'"),
        ("circle", "item A would be made of itself: A -> A"),
        ("part", "item A: its bill of material names 'BAR', which is unknown"),
        ("closed", "calendar always has no working time within 26 weeks"),
        ("away", "person P1 has no working time within 182 days"),
        ("calendar", "calendar 'never' is unknown; known are always"),
        ("arrivals", "arrivals S: 'B' is no made item"),
    ],
)
def test_a_plant_built_by_hand_is_checked_as_well(change: str, told: str) -> None:
    with pytest.raises((InvalidInput, Infeasible), match=told):
        floor_model(by_hand(change))
