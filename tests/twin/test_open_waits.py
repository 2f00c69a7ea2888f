"""A floor that cannot finish stops, and names the circle of who waits for whom."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from benchmarks.floors import Values, floor, item, machine, operation
from methods.explosion import explode, job_orders
from methods.floor import floor_model
from plant.errors import Infeasible
from plant.floor_model import FloorModel
from plant.order import CustomerOrder, JobProgress, JobState
from plant.plan import Plan, PlannedOperation
from plant.plant import Plant
from plant.snapshot import Snapshot
from twin.draws import Draws
from twin.open_floor import simulate_floor

HOUR = 3600.0
ONE = Draws(1, 1)


def fixed(capability: str, **more: object) -> Values:
    return operation(capability, HOUR, None, **more)


def orders(plant: Plant, *items: str) -> list[CustomerOrder]:
    """Return an order of one piece of each item, named like it."""
    due_at = plant.starts_at + timedelta(days=9)
    return [CustomerOrder(name, "C", name, 1, plant.starts_at, due_at) for name in items]


def stuck(model: FloorModel, *steps: tuple[str, str], person: str | None = None) -> str:
    """Follow a plan of steps (machine, job order) that cannot be finished; return what is said of it."""
    places: dict[str, int] = {}
    operations = []
    for number, (name, job) in enumerate(steps):
        place = places[name] = places.get(name, -1) + 1
        operations.append(PlannedOperation(job, name, place, float(number), 0.0, person=person))
    with pytest.raises(Infeasible) as told:
        simulate_floor(model, ONE, 0, plan=Plan(model.epoch, tuple(operations)))
    return str(told.value)


def test_lots_that_wait_for_each_other_by_the_plan() -> None:
    there_and_back = [item("A", fixed("M1"), fixed("M2")), item("B", fixed("M2"), fixed("M1"))]
    plant = floor([machine("M1"), machine("M2")], there_and_back).plant
    told = stuck(
        floor_model(plant, orders(plant, "A", "B")),
        ("M1", "B/1-M1"),
        ("M1", "A/1-M1"),
        ("M2", "A/1-M2"),
        ("M2", "B/1-M2"),
    )
    assert told == (
        "the floor cannot finish: who waits for whom is a circle: "
        "A/1-M1 waits for M1, which by its plan waits for B/1-M1; "
        "B/1-M2 waits for M2, which by its plan waits for A/1-M2"
    )


def test_somebody_who_by_the_plan_attends_first_what_comes_after() -> None:
    attended = [item("A", fixed("M1", attendance="all"), fixed("M2", attendance="all"))]
    plant = floor([machine("M1"), machine("M2")], attended).plant
    told = stuck(floor_model(plant, orders(plant, "A")), ("M2", "A/1-M2"), ("M1", "A/1-M1"), person="P1")
    assert told.endswith("circle: A/1-M1 waits for P1, who by the plan attends A/1-M2 first")


def test_somebody_who_waits_for_a_tool_and_a_tool_that_waits_for_them() -> None:
    made = [item(name, fixed(f"M{name}", attendance="all", tools=["jig"])) for name in "AB"]
    plant = floor([machine("MA"), machine("MB")], made, more={"tool": [{"id": "jig", "count": 1}]}).plant
    demand = orders(plant, "A", "B")
    at = plant.starts_at + timedelta(hours=1)
    (job,) = job_orders(plant, explode(plant, demand[0]))
    progress = [JobProgress(job, JobState.RUNNING, "MA", plant.starts_at)]
    model = floor_model(plant, demand, Snapshot(at), progress=progress)
    told = stuck(model, ("MB", "B/1-MB"), ("MA", "A/1-MA"), person="P1")
    for said in (
        "A/1-MA waits for P1, who by the plan attends B/1-MB first",
        "B/1-MB waits for the tool jig, which MA keeps",
    ):
        assert said in told


def test_a_lot_that_waits_for_a_place_which_another_keeps_waiting_for_it() -> None:
    machines = [machine("M1", output_buffer=0), machine("M2", input_buffer=0), machine("M3")]
    made = [item("A", fixed("M1"), fixed("M2")), item("C", fixed("M3", fixed_s=0, per_piece_s=60), fixed("M2"))]
    plant = floor(machines, made).plant
    told = stuck(
        floor_model(plant, orders(plant, "A", "C")),
        ("M1", "A/1-M1"),
        ("M3", "C/1-M3"),
        ("M2", "A/1-M2"),
        ("M2", "C/1-M2"),
    )
    for said in ("A/1-M2 waits for a place at M2", "C/1-M2 waits for M2, which by its plan waits for A/1-M2"):
        assert said in told


def test_an_order_that_waits_for_a_component_which_waits_for_it_by_the_plan() -> None:
    parent = item("A", fixed("M1"), bom=[{"item": "B", "quantity": 1}])
    plant = floor([machine("M1"), machine("M2")], [parent, item("B", fixed("M2"), fixed("M1"))]).plant
    model = floor_model(plant, orders(plant, "A"))
    assert [order.item for order in model.orders] == ["B", "A"]
    told = stuck(model, ("M1", "A/2-M1"), ("M1", "A/1-M1"), ("M2", "A/1-M2"))
    for said in ("A/1-M1 waits for M1, which by its plan waits for A/2-M1", "A/2 waits for components: A/1"):
        assert said in told


@pytest.mark.parametrize("failing", [False, True])
def test_what_is_no_circle_is_told_by_what_is_lacking(failing: bool) -> None:
    """Failures in calendar time go on for ever; the run ends all the same."""
    often: Values = {"family": "exponential", "mean_h": 1}
    reliability: Values = {"time_between_failures": often, "time_to_repair": often, "failure_time": "calendar"}
    machines: Sequence[Values] = [machine("M", **({"reliability": reliability} if failing else {}))]
    bar = {"id": "BAR", "name": "Bar", "kind": "purchased", "lead_time_days": 1, "replenishment": {"quantity": 0}}
    plant = floor(machines, [item("A", fixed("M"), bom=[{"item": "BAR", "quantity": 1}]), bar]).plant
    with pytest.raises(Infeasible, match="cannot finish: A/1-M waits for BAR, of which there is too little"):
        simulate_floor(floor_model(plant, orders(plant, "A")), ONE, 0)
