"""Following a plan from now on, the open floor and the plan's own simulation say the same of each future."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest

from benchmarks.floors import Values, floor, item, machine, operation
from methods.explosion import explode, job_orders
from methods.floor import floor_model
from methods.work import build_work
from plant.errors import InvalidInput
from plant.floor_model import FloorModel
from plant.order import CustomerOrder, JobProgress, JobState
from plant.plan import Plan, PlannedOperation
from plant.plant import Plant
from plant.snapshot import MachineSnapshot, Snapshot
from plant.version import version_of
from tests.twin.floors_from_now import FloorFromNow
from twin.draws import Draws
from twin.happened import Happened
from twin.open_floor import simulate_floor
from twin.simulate import Simulation
from twin.snapshot_file import read_snapshot, snapshot_text

SHORT, LONG = range(120), range(120, 3000)


def times(happened: Happened, column: str) -> dict[str, float]:
    """Return a column of the operations by job order."""
    stages = [happened.names["stage"][stage].rsplit("-", 1)[1] for stage in happened.operations["stage"]]
    ids = happened.orders["id"][happened.operations["order"]]
    values = happened.operations[column].tolist()
    return {f"{id_}-{name}": at for id_, name, at in zip(ids, stages, values, strict=True)}


def agree(seed: int) -> None:
    """Hold both engines against each other in three futures of one floor."""
    floor, draws = FloorFromNow(seed), Draws(seed, 3)
    simulation = Simulation(floor.work, floor.plan, draws)
    for replication in range(draws.replications):
        expected = simulation.run(replication)
        happened = simulate_floor(floor.model, draws, replication, plan=floor.plan)
        for column, moments in (("start_s", expected.start_s), ("finish_s", expected.finish_s)):
            found = times(happened, column)
            # What strikes by the calendar stops work at moments that are rounded elsewhere than its beginning.
            assert found == (pytest.approx(moments, rel=1e-9) if floor.fails_by_calendar else moments)


@pytest.mark.parametrize("seed", SHORT)
def test_both_engines_agree_from_any_moment_on(seed: int) -> None:
    agree(seed)


@pytest.mark.long
def test_both_engines_agree_from_many_moments_on() -> None:
    for seed in LONG:
        agree(seed)


HOUR = 3600.0
DRAWS = Draws(3, 400)


def order(plant: Plant, name: str = "O", pieces: int = 1, item_: str = "A") -> CustomerOrder:
    return CustomerOrder(name, "C", item_, pieces, plant.starts_at, plant.starts_at + timedelta(days=20))


def plan_of(model: FloorModel, *steps: tuple[str, str], person: str | None = None) -> Plan:
    """Return the plan of steps (machine, job order), each machine's and each person's in this order."""
    return Plan(
        model.epoch,
        tuple(
            PlannedOperation(job, name, place, float(place), 0.0, person=person)
            for place, (name, job) in enumerate(steps)
        ),
    )


def fixed(capability: str, hours: float, **more: object) -> Values:
    return operation(capability, hours * HOUR, None, **more)


# --- ages --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(10))
def test_the_same_snapshot_and_seed_are_the_same_future_byte_for_byte(seed: int) -> None:
    one = FloorFromNow(seed)
    version = version_of(one.plant)
    text = snapshot_text(replace(one.snapshot, plant_version=version.id))
    again = read_snapshot(text, version)
    model = floor_model(one.plant, again.orders, again, progress=again.jobs)
    for plan in (one.plan, None):
        first = simulate_floor(one.model, Draws(seed, 2), 1, plan=plan).columns()
        other = simulate_floor(model, Draws(seed, 2), 1, plan=plan).columns()
        assert {t: {n: c.tobytes() for n, c in columns.items()} for t, columns in first.items()} == {
            t: {n: c.tobytes() for n, c in columns.items()} for t, columns in other.items()
        }


@pytest.mark.parametrize(
    ("factor", "left_h"),
    [
        ({"family": "exponential", "mean": 1}, 2.0),  # without memory: as much as ever
        ({"family": "uniform", "low": 0, "high": 2}, 0.5),  # even over what is left of it, from 3 to 4 hours
    ],
)
def test_what_runs_takes_as_long_as_those_that_ran_so_long_already(factor: Values, left_h: float) -> None:
    plant = floor([machine("M")], [item("A", operation("M", 2 * HOUR, factor))]).plant
    demand = order(plant)
    (job,) = job_orders(plant, explode(plant, demand))
    at = plant.starts_at + timedelta(hours=9)
    progress = [JobProgress(job, JobState.RUNNING, "M", at - timedelta(hours=5))]
    model = floor_model(plant, [demand], Snapshot(at, worked_s={job.id: 3 * HOUR}), progress=progress)
    left = np.array([simulate_floor(model, DRAWS, one).orders["completed_s"][0] for one in range(400)]) / HOUR
    assert left.min() > 0
    assert left.mean() == pytest.approx(left_h, abs=4 * left.std() / 20)
    assert factor["family"] == "exponential" or left.max() < 1


def test_a_machine_that_has_come_through_long_fails_late_or_early_as_its_kind_does() -> None:
    often: Values = {"family": "lognormal", "mean_h": 10, "variation": 0.1}
    repaired: Values = {"family": "constant", "mean_h": 1}
    failing = machine("M", reliability={"time_between_failures": often, "time_to_repair": repaired})
    plant = floor([failing], [item("A", fixed("M", 4.0))]).plant
    at = plant.starts_at + timedelta(hours=9)
    done = {}
    for operated_h in (0, 9):
        state = {"M": MachineSnapshot("M", operated_s=operated_h * HOUR)}
        model = floor_model(plant, [order(plant)], Snapshot(at, state))
        done[operated_h] = [simulate_floor(model, DRAWS, one).until_s / HOUR for one in range(20)]
    assert done == {0: [4.0] * 20, 9: [5.0] * 20}  # ten hours, give or take one: the next four hold a failure


def test_stock_is_what_the_snapshot_says_is_on_hand() -> None:
    bar = {"id": "BAR", "name": "Bar", "kind": "purchased", "lead_time_days": 1, "stock": 4}
    kept = {
        **bar,
        "replenishment": {"reorder_point": 0, "quantity": 5, "lead_time": {"family": "constant", "mean_h": 7}},
    }
    plant = floor([machine("M")], [item("A", fixed("M", 1.0), bom=[{"item": "BAR", "quantity": 1}]), kept]).plant
    done = {}
    for pieces in (4, 1):
        snapshot = Snapshot(plant.starts_at, stock={"BAR": Decimal(pieces)})
        done[pieces] = simulate_floor(floor_model(plant, [order(plant, pieces=2)], snapshot), DRAWS, 0).until_s / HOUR
    assert done == {4: 2, 1: 9}


def test_what_ran_before_on_a_machine_that_has_begun_another_job_is_done() -> None:
    plant = floor([machine("M")], [item("A", fixed("M", 2.0))]).plant
    demand = [order(plant, name) for name in ("O1", "O2")]
    at = plant.starts_at + timedelta(hours=9)
    jobs = [job for one in demand for job in job_orders(plant, explode(plant, one))]
    progress = [JobProgress(job, JobState.RUNNING, "M", at - timedelta(hours=n)) for n, job in enumerate(jobs, start=1)]
    snapshot = Snapshot(at, worked_s={jobs[0].id: HOUR, jobs[1].id: 2 * HOUR})
    happened = simulate_floor(floor_model(plant, demand, snapshot, progress=progress), DRAWS, 0)
    assert times(happened, "finish_s") == {jobs[0].id: HOUR}
    assert [task.id for task in build_work(plant, demand, progress, snapshot).tasks] == [jobs[0].id]


# --- plans -------------------------------------------------------------------------------------------------------


def test_who_attends_and_in_which_turn_is_fixed_by_the_plan() -> None:
    people = [{"id": f"Q{n}", "name": "Q", "skills": ["M1", "M2"], "calendar": "always"} for n in (1, 2)]
    attended = [item(name, fixed(f"M{n}", 2.0, attendance="all")) for n, name in ((1, "A"), (2, "B"))]
    plant = floor([machine("M1"), machine("M2")], attended, more={"person": people}).plant
    model = floor_model(plant, [order(plant, "O1"), order(plant, "O2", 1, "B")])
    steps = ("M2", "O2/1-M2"), ("M1", "O1/1-M1")
    alone = simulate_floor(model, DRAWS, 0, plan=plan_of(model, *steps, person="Q2"))
    assert times(alone, "finish_s") == {"O2/1-M2": 2 * HOUR, "O1/1-M1": 4 * HOUR}
    assert {alone.names["person"][one] for one in alone.operations["person"]} == {"Q2"}
    free = simulate_floor(model, DRAWS, 0, plan=plan_of(model, *steps))  # the plan names nobody: whoever is free
    assert times(free, "finish_s") == {"O2/1-M2": 2 * HOUR, "O1/1-M1": 2 * HOUR}


def one_machine() -> FloorModel:
    plant = floor([machine("M"), machine("N")], [item("A", fixed("M", 1.0, attendance="all"), fixed("N", 1.0))]).plant
    return floor_model(plant, [order(plant)])


@pytest.mark.parametrize(
    ("steps", "person", "told"),
    [
        ((("M", "O/1-M"), ("X", "O/1-N")), None, "the plan has O/1-N on 'X', which is no machine"),
        ((("M", "O/1-M"), ("M", "O/1-N")), None, "the plan has O/1-N on M, which cannot do it"),
        ((("M", "P/1-M"),), None, "the plan holds P/1-M, which is not to be done"),
        ((("M", "O/1-M"),), "Q", "the plan's step O/1-M on M is attended by the unknown Q; known are P1"),
    ],
)
def test_a_plan_that_does_not_fit_the_floor_is_refused(
    steps: tuple[tuple[str, str], ...], person: str | None, told: str
) -> None:
    model = one_machine()
    with pytest.raises(InvalidInput, match=told):
        simulate_floor(model, DRAWS, 0, plan=plan_of(model, *steps, person=person))


def test_rework_and_what_is_scrapped_do_not_hold_up_a_plan() -> None:
    """Whole lots go back to an operation that is done, or nothing is left of them for those that follow."""
    judged = fixed("M", 1.0, id="20", scrap_ratio=0.3, rework={"ratio": 0.5, "to": "10", "limit": 3})
    steps = item("A", fixed("M", 1.0, id="10"), judged, fixed("M", 1.0, id="30"))
    plant = floor([machine("M")], [steps]).plant
    model = floor_model(plant, [order(plant, f"O{n}") for n in range(4)])
    jobs = [("M", f"O{n}/1-{operation}") for n in range(4) for operation in (10, 20, 30)]
    plan, left = plan_of(model, *jobs), set()
    for replication in range(60):
        made = simulate_floor(model, DRAWS, replication, plan=plan).orders
        assert (made["good"] + made["scrap"] == made["quantity"]).all()
        left.add(int(made["good"].sum()))
    assert left >= {1, 2, 3, 4}
