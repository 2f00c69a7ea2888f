"""emulator/floor.py: hand-computed cases, what must always hold, and going on after a restart."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from emulator.events import (
    Counted,
    DispatchedJob,
    Event,
    JobAborted,
    JobCompleted,
    JobProgress,
    JobStarted,
    StateChanged,
    StoreResult,
    event_from_dict,
    event_to_dict,
)
from emulator.floor import EmulatedFloor
from emulator.truth import TrueMachine, TrueOperation, Truth
from methods.explosion import explode, job_orders
from methods.work import build_work
from plant.calendar import Break, Calendar, Shift
from plant.distribution import constant
from plant.errors import Conflict, InvalidInput, NotFound
from plant.folder import load, load_orders
from plant.item import Item, ItemKind, Operation
from plant.machine_state import MachineState
from plant.order import JobOrder, JobState
from plant.order import JobProgress as OrderProgress
from plant.plan import Plan, PlannedOperation
from plant.plant import Machine, Plant, Reliability, SetupMatrix
from plant.work import Snapshot, Work
from twin.draws import Draws
from twin.simulate import simulate

START = datetime(2026, 1, 5, 6, tzinfo=UTC)
"""A Monday."""
SHOP = Path(__file__).parents[2] / "plants" / "machine_shop"

IDLE, STARVED, SETUP = MachineState.IDLE, MachineState.STARVED, MachineState.SETUP
EXECUTING, BREAKDOWN, PLANNED_STOP = MachineState.EXECUTING, MachineState.BREAKDOWN, MachineState.PLANNED_STOP


def operation(name: str, capability: str, fixed_s: float, per_piece_s: float, scrap_ratio: float = 0.0) -> Operation:
    return Operation(name, name, capability, "any", f"{capability} family", fixed_s, per_piece_s, 0.0, scrap_ratio)


SMALL = Plant(
    enterprise="E",
    site="s",
    name="Small",
    timezone="UTC",
    starts_at=START,
    calendars=(
        Calendar("always", "UTC"),
        Calendar("day", "UTC", (Shift("d", (0, 1, 2, 3, 4), time(6), time(14), (Break(time(9), time(9, 30)),)),)),
    ),
    setup_matrices=(SetupMatrix("std", 600.0),),
    machines=(
        Machine("M1", "Saw", "a", "w", ("saw",), "always", "std"),
        Machine("M2", "Mill", "a", "w", ("mill",), "day", "std"),
        Machine("OVEN", "Oven", "a", "w", ("heat",), "always", "std", batch_capacity=2),
    ),
    people=(),
    items=(
        Item(
            "P",
            "Part",
            ItemKind.MADE,
            stock=Decimal(0),
            routing=(
                operation("10", "saw", 100, 50),
                operation("20", "mill", 0, 3600),
                operation("30", "heat", 7200, 0),
            ),
        ),
    ),
)


def truth_of(plant: Plant, failures_s: dict[str, float] | None = None, scrap_ratio: float = 0.0) -> Truth:
    """The truth of a plant in which everything goes as planned, except for what is given."""
    between = {name: constant(value) for name, value in (failures_s or {}).items()}
    machines = {
        machine.id: TrueMachine(machine.speed, 1.0, between.get(machine.id), constant(1800.0))
        for machine in plant.machines
    }
    operations = {
        (item.id, op.id): TrueOperation(1.0, 0.0, scrap_ratio) for item in plant.made_items() for op in item.routing
    }
    return Truth(1, machines, operations)


_MACHINES = {"10": "M1", "20": "M2", "30": "OVEN"}


def job(name: str, operation_id: str = "10", quantity: int = 4, sequence: int = 0, **more) -> DispatchedJob:
    values = {
        "id": name,
        "revision": 1,
        "machine": _MACHINES[operation_id],
        "item": "P",
        "operation": operation_id,
        "quantity": quantity,
        "setup_family": SMALL.operation("P", operation_id).setup_family,
        "planned_start": START,
        "planned_end": START + timedelta(hours=1),
        "sequence": sequence,
        "production_order": "CO-1/1",
        "customer_order": "CO-1",
        "release_at": START,
    }
    return DispatchedJob(**{**values, **more})


def after(**span: float) -> datetime:
    return START + timedelta(**span)


def small(**truth) -> EmulatedFloor:
    return EmulatedFloor(SMALL, truth_of(SMALL, **truth), START)


def states(events: list[Event], machine: str) -> list[tuple[float, MachineState, str | None]]:
    """State changes as (seconds since the start, state, job order)."""
    return [
        ((event.at - START).total_seconds(), event.state, event.job_order)
        for event in events
        if isinstance(event, StateChanged) and event.machine == machine
    ]


def of_kind(events: list[Event], kind: type) -> list:
    return [event for event in events if isinstance(event, kind)]


# Hand-computed cases


def test_a_job_is_set_up_counted_piece_by_piece_and_completed() -> None:
    floor = small()
    assert floor.store(job("J")) is StoreResult.STORED
    events = floor.advance(after(hours=1))
    # Changeover 0-600, fixed 600-700, pieces at 750, 800, 850, 900; the last piece is told by the completion.
    assert events == [
        JobStarted("M1", after(seconds=0), "J"),
        StateChanged("M1", after(seconds=0), SETUP, "J"),
        StateChanged("M1", after(seconds=600), EXECUTING, "J"),
        Counted("M1", after(seconds=750), 1, 1, 0, "J", 1, 0),
        JobProgress("M1", after(seconds=750), "J", 1, 0),
        Counted("M1", after(seconds=800), 2, 2, 0, "J", 1, 0),
        JobProgress("M1", after(seconds=800), "J", 2, 0),
        Counted("M1", after(seconds=850), 3, 3, 0, "J", 1, 0),
        JobProgress("M1", after(seconds=850), "J", 3, 0),
        Counted("M1", after(seconds=900), 4, 4, 0, "J", 1, 0),
        JobCompleted("M1", after(seconds=900), "J", 4, 0),
        StateChanged("M1", after(seconds=900), IDLE, None),
    ]
    assert floor.now == after(hours=1)
    status = floor.status("M1")
    assert (status.state, status.since, status.job_order, status.setup_family) == (
        IDLE,
        after(seconds=900),
        None,
        "saw family",
    )
    assert (status.part, status.good, status.scrap, status.operating_s) == (4, 4, 0, 300.0)


def test_breaks_nights_and_weekends_stop_a_machine_and_its_job_stays() -> None:
    floor = small()
    floor.advance(after(days=4))  # Friday 06:00
    floor.store(job("J", "20", quantity=9))
    events = floor.advance(after(days=8))
    hours = [((at / 3600) - 96, state, name) for at, state, name in states(events, "M2") if at >= 96 * 3600]
    # Friday 6:00: changeover to 6:10, then 9 h of work: 7 h 20 min on Friday, the rest on Monday until 7:40.
    assert hours == [
        (0.0, SETUP, "J"),
        (pytest.approx(1 / 6), EXECUTING, "J"),
        (3.0, PLANNED_STOP, "J"),
        (3.5, EXECUTING, "J"),
        (8.0, PLANNED_STOP, "J"),
        (72.0, EXECUTING, "J"),
        (pytest.approx(72 + 5 / 3), IDLE, None),
        (75.0, PLANNED_STOP, None),
        (75.5, IDLE, None),
        (80.0, PLANNED_STOP, None),
    ]


def test_a_machine_fails_by_operating_time_and_its_wear_tells_before() -> None:
    floor = small(failures_s={"M1": 400.0})
    floor.store(job("A", quantity=4))
    floor.store(job("B", quantity=4, sequence=1, production_order="CO-1/2"))
    events = floor.advance(after(seconds=999))
    assert states(events, "M1")[-2:] == [(600.0, EXECUTING, "A"), (900.0, EXECUTING, "B")]
    assert floor.status("M1").wear == pytest.approx(399 / 400)
    events = floor.advance(after(hours=2))
    # 400 s of processing are over at 1000; repaired until 2800; B's pieces follow 50 s apart.
    assert states(events, "M1") == [(1000.0, BREAKDOWN, "B"), (2800.0, EXECUTING, "B"), (3000.0, IDLE, None)]
    assert [event.at for event in of_kind(events, Counted)] == [after(seconds=s) for s in (2850, 2900, 2950, 3000)]
    assert floor.status("M1").wear == pytest.approx(200 / 400)


def test_a_batch_starts_together_when_all_members_are_there_and_ends_together() -> None:
    floor = small()
    for name, release_s in (("A", 0), ("B", 500)):
        floor.store(job(name, "30", quantity=5, batch="b", production_order=name, release_at=after(seconds=release_s)))
    floor.store(job("C", "30", quantity=1, sequence=1, production_order="C"))
    events = floor.advance(after(seconds=7800))
    assert states(events, "OVEN") == [
        (0.0, STARVED, "A"),
        (500.0, SETUP, "A"),
        (1100.0, EXECUTING, "A"),
    ]
    assert [event.job_order for event in of_kind(events, JobStarted)] == ["A", "B"]
    assert floor.status("OVEN").job_orders == ("A", "B")
    events = floor.advance(after(hours=5))
    assert [(event.job_order, event.at, event.good) for event in of_kind(events, JobCompleted)] == [
        ("A", after(seconds=8300), 5),
        ("B", after(seconds=8300), 5),
        ("C", after(seconds=15500), 1),
    ]
    counted = of_kind(events, Counted)
    assert len({event.at for event in counted}) == len(counted) == 11


def test_a_batch_takes_no_more_than_its_machine_holds() -> None:
    floor = small()
    for name in "ABC":
        floor.store(job(name, "30", quantity=1, batch="b", production_order=name))
    events = floor.advance(after(hours=5))
    ends = [(event.job_order, (event.at - START).total_seconds()) for event in of_kind(events, JobCompleted)]
    assert ends == [("A", 7800.0), ("B", 7800.0), ("C", 15000.0)]


def test_a_job_waits_starved_for_its_predecessor_even_before_the_floor_knows_it() -> None:
    floor = small()
    floor.store(job("B", "20", quantity=1, predecessors=("A",)))
    assert states(floor.advance(after(seconds=100)), "M2") == [(0.0, STARVED, "B")]
    floor.store(job("A", "10", quantity=1))
    events = floor.advance(after(hours=2))
    assert states(events, "M2") == [(850.0, SETUP, "B"), (1450.0, EXECUTING, "B"), (5050.0, IDLE, None)]


def test_a_job_gets_the_good_pieces_of_the_operation_before_it() -> None:
    floor = small(scrap_ratio=0.4)
    floor.store(job("A", "10", quantity=40))
    floor.store(job("B", "30", quantity=40, predecessors=("A",)))
    floor.advance(after(days=1))
    first, second = floor.jobs()
    assert (first.pieces, first.good + first.scrap) == (40, 40)
    assert 0 < first.scrap < 40
    assert (second.pieces, second.good + second.scrap) == (first.good, first.good)
    assert first.state is second.state is JobState.COMPLETED


def test_a_job_that_gets_no_pieces_is_completed_at_once_without_changeover() -> None:
    floor = EmulatedFloor(SMALL, truth_of(SMALL, scrap_ratio=1 - 1e-12), START)
    floor.store(job("A", "10", quantity=3))
    floor.store(job("B", "30", quantity=3, predecessors=("A",)))
    events = floor.advance(after(days=1))
    assert [(event.job_order, event.good, event.scrap) for event in of_kind(events, JobCompleted)] == [
        ("A", 0, 3),
        ("B", 0, 0),
    ]
    assert states(events, "OVEN") == [(0.0, STARVED, "B"), (850.0, IDLE, None)]
    assert floor.status("OVEN").setup_family is None


# Job orders and commands


def test_progress_is_told_about_every_tenth() -> None:
    floor = small()
    floor.store(job("A", "10", quantity=200))
    told = of_kind(floor.advance(after(days=1)), JobProgress)
    assert [event.good for event in told] == [20, 40, 60, 80, 100, 120, 140, 160, 180]


def test_an_older_revision_changes_nothing_and_a_begun_job_is_refused() -> None:
    floor = small()
    floor.store(job("A", revision=3, quantity=5))
    assert floor.store(job("A", revision=2, quantity=9)) is StoreResult.SUPERSEDED
    assert floor.store(job("A", revision=3, quantity=5)) is StoreResult.STORED
    assert floor.job("A").job.quantity == 5
    floor.advance(after(seconds=1))
    assert floor.store(job("A", revision=4, quantity=6)) is StoreResult.BEGUN
    assert floor.store(job("A", revision=3, quantity=5)) is StoreResult.STORED, "a repeat changes nothing"
    floor.advance(after(hours=1))
    assert floor.store(job("A", revision=4)) is StoreResult.BEGUN
    assert floor.job("A").good == 5


def test_waiting_jobs_follow_the_newest_sequence() -> None:
    floor = small()
    for place, name in enumerate("ABC"):
        floor.store(job(name, sequence=place, production_order=name))
    floor.advance(after(seconds=10))
    floor.store(job("C", revision=2, sequence=0, production_order="C"))
    floor.store(job("B", revision=2, sequence=1, production_order="B"))
    events = floor.advance(after(hours=2))
    assert [event.job_order for event in of_kind(events, JobCompleted)] == ["A", "C", "B"]


def test_a_job_can_move_to_another_machine_until_it_begins() -> None:
    plant = _two_saws()
    floor = EmulatedFloor(plant, truth_of(plant), START)
    floor.store(job("A"))
    floor.store(job("B", sequence=1, production_order="B"))
    floor.advance(after(seconds=5))
    floor.store(job("B", revision=2, machine="M9", production_order="B"))
    events = floor.advance(after(hours=2))
    assert [(event.machine, event.job_order) for event in of_kind(events, JobStarted)] == [("M9", "B")]
    assert states(events, "M1")[-1][1:] == (IDLE, None)


def _two_saws() -> Plant:
    machines = (*SMALL.machines, Machine("M9", "Saw 2", "a", "w", ("saw",), "always", "std"))
    return Plant(**{**{name: getattr(SMALL, name) for name in SMALL.__dataclass_fields__}, "machines": machines})


def test_what_does_not_fit_the_plant_is_refused() -> None:
    floor = small()
    with pytest.raises(NotFound, match="unknown machine 'M77'"):
        floor.store(job("A", machine="M77"))
    with pytest.raises(NotFound, match="unknown item 'X'"):
        floor.store(job("A", item="X"))
    with pytest.raises(InvalidInput, match="machine M2 cannot do saw; it can do mill"):
        floor.store(job("A", machine="M2"))
    with pytest.raises(NotFound, match="no job order 'A'"):
        floor.abort("A", "gone")
    with pytest.raises(NotFound, match="unknown machine 'M77'"):
        floor.break_machine("M77", 60)
    with pytest.raises(InvalidInput, match="duration_s"):
        floor.break_machine("M1", 0.0)
    assert floor.jobs() == ()


def test_an_aborted_job_frees_its_machine_and_may_come_again() -> None:
    floor = small()
    floor.store(job("A", quantity=4))
    floor.store(job("B", quantity=1, sequence=1, production_order="B"))
    floor.advance(after(seconds=820))
    floor.abort("A", "tool missing")
    events = floor.advance(after(seconds=1000))
    assert events[:2] == [
        JobAborted("M1", after(seconds=820), "A", 2, 0, "tool missing"),
        JobStarted("M1", after(seconds=820), "B"),
    ]
    assert states(events, "M1") == [(820.0, EXECUTING, "B"), (970.0, IDLE, None)]
    assert floor.status("M1").operating_s == pytest.approx(120 + 150 + 100)
    with pytest.raises(Conflict, match="A is aborted"):
        floor.abort("A", "again")
    assert floor.store(job("A", quantity=4)) is StoreResult.STORED, "a late repeat does not bring it back"
    assert floor.job("A").state is JobState.ABORTED
    assert floor.store(job("A", quantity=4, revision=2)) is StoreResult.STORED
    events = floor.advance(after(hours=1))
    assert of_kind(events, JobCompleted) == [JobCompleted("M1", after(seconds=1300), "A", 4, 0)]
    assert floor.status("M1").part == 2 + 1 + 4


def test_a_member_taken_out_of_a_running_batch_leaves_the_others_going() -> None:
    floor = small()
    for name in "AB":
        floor.store(job(name, "30", quantity=2, batch="b", production_order=name))
    floor.advance(after(seconds=700))
    floor.abort("A", "wrong material")
    events = floor.advance(after(hours=3))
    # The changeover took until 600; what the oven works at is the member that is left.
    assert states(events, "OVEN") == [(700.0, EXECUTING, "B"), (7800.0, IDLE, None)]
    assert of_kind(events, JobCompleted) == [JobCompleted("OVEN", after(seconds=7800), "B", 2, 0)]
    assert floor.status("OVEN").part == 2


def test_a_commanded_breakdown_stops_what_runs_and_lasts_as_long_as_told() -> None:
    floor = small()
    floor.store(job("A", quantity=4))
    floor.advance(after(seconds=100))
    floor.break_machine("M1", 1000.0)
    floor.break_machine("OVEN", 60.0, after(seconds=200))
    assert floor.now == after(seconds=200)
    events = floor.advance(after(hours=2))
    # The changeover goes on where it stopped; a breakdown of an idle machine shows as well.
    assert states(events, "M1") == [
        (100.0, BREAKDOWN, "A"),
        (1100.0, SETUP, "A"),
        (1600.0, EXECUTING, "A"),
        (1900.0, IDLE, None),
    ]
    assert states(events, "OVEN") == [(200.0, BREAKDOWN, None), (260.0, IDLE, None)]


def test_a_breakdown_without_duration_takes_a_true_repair_time_and_can_be_ended() -> None:
    floor = small()
    floor.store(job("A", quantity=4))
    floor.advance(after(seconds=720))
    floor.break_machine("M1", None)
    events = floor.advance(after(seconds=1720))
    floor.repair("M1")
    floor.repair("OVEN")
    events += floor.advance(after(hours=2))
    assert states(events, "M1") == [(720.0, BREAKDOWN, "A"), (1720.0, EXECUTING, "A"), (1900.0, IDLE, None)]
    floor.break_machine("M1", None)
    assert states(floor.advance(after(hours=3)), "M1") == [(7200.0, BREAKDOWN, None), (9000.0, IDLE, None)]


def test_a_second_breakdown_takes_the_place_of_the_first() -> None:
    floor = small()
    floor.store(job("A", quantity=4))
    floor.advance(after(seconds=720))
    floor.break_machine("M1", 5000.0)
    floor.break_machine("M1", 300.0, after(seconds=800))
    events = floor.advance(after(hours=2))
    assert states(events, "M1") == [(720.0, BREAKDOWN, "A"), (1100.0, EXECUTING, "A"), (1280.0, IDLE, None)]


def test_a_breakdown_stays_through_closed_time_and_is_repaired_in_working_time() -> None:
    floor = small()
    floor.store(job("A", "20", quantity=9))
    floor.advance(after(hours=7, minutes=50))
    floor.break_machine("M2", 1200.0)
    events = floor.advance(after(hours=25))
    assert states(events, "M2") == [
        ((7 * 60 + 50) * 60.0, BREAKDOWN, "A"),
        ((24 * 60 + 10) * 60.0, EXECUTING, "A"),
    ]


def test_an_aborted_job_leaves_its_machine_broken() -> None:
    floor = small()
    floor.store(job("A"))
    floor.store(job("B", sequence=1, production_order="B"))
    floor.advance(after(seconds=700))
    floor.break_machine("M1", 500.0)
    floor.advance(after(seconds=800))
    floor.abort("A", "crash")
    events = floor.advance(after(hours=1))
    assert states(events, "M1") == [(800.0, BREAKDOWN, "B"), (1200.0, EXECUTING, "B"), (1500.0, IDLE, None)]


def test_changes_of_one_moment_collapse() -> None:
    floor = small()
    floor.advance(after(seconds=50))
    floor.break_machine("M1", 100.0)
    floor.repair("M1")
    assert states(floor.advance(after(seconds=60)), "M1") == []
    assert floor.status("M1").since == START


# What must always hold, on the machine shop


@pytest.fixture(scope="module")
def shop() -> Plant:
    return load(SHOP)


@pytest.fixture(scope="module")
def shop_jobs(shop: Plant) -> list[JobOrder]:
    orders = load_orders(SHOP, shop)
    return [job for order in orders for job in job_orders(shop, explode(shop, order))]


def dispatch(shop: Plant, jobs: list[JobOrder], rng: random.Random, revision: int = 1) -> list[DispatchedJob]:
    """Put jobs on random machines in a random order that can be run; ovens get batches of what is ready together."""
    waiting, dispatched, places = list(jobs), [], dict[str, int]()
    while waiting:
        unplaced = {one.id for one in waiting}
        ready = [one for one in waiting if unplaced.isdisjoint(one.predecessors)]
        chosen = rng.choice(ready)
        operation = shop.operation(chosen.item, chosen.operation)
        machine = rng.choice(shop.machines_with(operation.capability))
        alike = [one for one in ready if family_of(shop, one) == operation.setup_family and one is not chosen]
        members = [chosen, *alike[: rng.randint(0, machine.batch_capacity - 1)]]
        place = places[machine.id] = places.get(machine.id, -1) + 1
        batch = f"{machine.id}/{revision}/{place}" if len(members) > 1 else None
        waiting = [one for one in waiting if one not in members]
        dispatched += [dispatched_job(shop, one, machine.id, place, batch, revision, rng) for one in members]
    return dispatched


def family_of(shop: Plant, one: JobOrder) -> str:
    return shop.operation(one.item, one.operation).setup_family


def dispatched_job(
    shop: Plant, one: JobOrder, machine: str, place: int, batch: str | None, revision: int, rng: random.Random
) -> DispatchedJob:
    return DispatchedJob(
        id=one.id,
        revision=revision,
        machine=machine,
        item=one.item,
        operation=one.operation,
        quantity=one.quantity,
        setup_family=family_of(shop, one),
        planned_start=shop.starts_at,
        planned_end=shop.starts_at + timedelta(days=1),
        sequence=place,
        production_order=one.production_order,
        customer_order=one.customer_order,
        release_at=min(one.release_at, shop.starts_at + timedelta(hours=rng.randint(0, 30))),
        batch=batch,
        predecessors=one.predecessors,
    )


Script = list[tuple[datetime, str, tuple]]


def script_of(shop: Plant, jobs: list[JobOrder], rng: random.Random, days: int) -> Script:
    """Random job orders and commands at random moments, some of them at round ones, in order."""
    end_s = days * 86400
    script: Script = [(shop.starts_at, "store", (one,)) for one in dispatch(shop, jobs, rng)]

    def moment() -> datetime:
        seconds = rng.choice([rng.uniform(0, end_s), rng.randrange(0, end_s, 900)])
        return shop.starts_at + timedelta(seconds=seconds)

    replanned = moment()
    script += [(replanned, "store", (one,)) for one in dispatch(shop, jobs, rng, revision=2)]
    for _ in range(8):
        machine = rng.choice(shop.machines).id
        script.append((moment(), "break_machine", (machine, rng.choice([None, rng.uniform(60, 9000)]))))
        script.append((moment(), "repair", (rng.choice(shop.machines).id,)))
        script.append((moment(), "abort", (rng.choice(jobs).id, "test")))
    return sorted(script, key=lambda entry: entry[0])


def play(floor: EmulatedFloor, script: Script, end: datetime) -> list[Event]:
    events = []
    for at, command, arguments in script:
        events += floor.advance(at)
        carry_out(floor, command, arguments)
    return events + floor.advance(end)


def carry_out(floor: EmulatedFloor, command: str, arguments: tuple) -> None:
    try:
        getattr(floor, command)(*arguments)
    except Conflict:
        assert command == "abort"


@pytest.mark.parametrize("seed", range(4))
def test_a_random_run_keeps_its_books(shop: Plant, shop_jobs: list[JobOrder], seed: int) -> None:
    print(f"seed {seed}")
    rng = random.Random(seed)
    truth = Truth.of(shop, seed)
    floor = EmulatedFloor(shop, truth, shop.starts_at)
    events = play(floor, script_of(shop, shop_jobs, rng, 5), shop.starts_at + timedelta(days=7))
    assert [event.at for event in events] == sorted(event.at for event in events)
    assert len(of_kind(events, JobCompleted)) > 50
    check_states(shop, events)
    check_counts(shop, floor, events)
    check_jobs(floor, events)


def check_states(shop: Plant, events: list[Event]) -> None:
    seen = dict.fromkeys((machine.id for machine in shop.machines), (MachineState.IDLE, None))
    last: dict[str, datetime] = {}
    for event in of_kind(events, StateChanged):
        assert (event.state, event.job_order) != seen[event.machine] or event.machine not in last
        assert event.machine not in last or last[event.machine] < event.at, f"two states of {event.machine} at once"
        is_open = shop.calendar_of(event.machine).is_open(event.at)
        assert is_open or event.state in (PLANNED_STOP, BREAKDOWN)
        assert not is_open or event.state is not PLANNED_STOP
        seen[event.machine] = (event.state, event.job_order)
        last[event.machine] = event.at


def check_counts(shop: Plant, floor: EmulatedFloor, events: list[Event]) -> None:
    totals = {machine.id: (0, 0, 0) for machine in shop.machines}
    for event in of_kind(events, Counted):
        part, good, scrap = totals[event.machine]
        assert event.delta_good + event.delta_scrap == 1
        totals[event.machine] = (part + 1, good + event.delta_good, scrap + event.delta_scrap)
        assert (event.part, event.good, event.scrap) == totals[event.machine]
    for machine, total in totals.items():
        status = floor.status(machine)
        assert (status.part, status.good, status.scrap) == total
        assert 0 <= status.wear <= 1


def check_jobs(floor: EmulatedFloor, events: list[Event]) -> None:
    records = {one.job.id: one for one in floor.jobs()}
    completed = {event.job_order: event for event in of_kind(events, JobCompleted)}
    assert len(completed) == len(of_kind(events, JobCompleted)), "no job completes twice"
    for name, event in completed.items():
        record = records[name]
        assert record.state is JobState.COMPLETED
        assert (event.good, event.scrap) == (record.good, record.scrap)
        assert event.good + event.scrap == record.pieces
        before = [records[predecessor] for predecessor in record.job.predecessors]
        assert all(one.ended_at <= record.started_at and one.state is JobState.COMPLETED for one in before)
        same = [one for one in before if one.job.production_order == record.job.production_order]
        assert record.pieces == min([record.job.quantity, *(one.good for one in same)])


@pytest.mark.parametrize("seed", range(3))
def test_a_restart_at_any_moment_changes_nothing(shop: Plant, shop_jobs: list[JobOrder], seed: int) -> None:
    print(f"seed {seed}")
    rng = random.Random(seed)
    truth = Truth.of(shop, seed)
    script = script_of(shop, shop_jobs, rng, 3)
    end = shop.starts_at + timedelta(days=3)
    whole = play(EmulatedFloor(shop, truth, shop.starts_at), script, end)
    interrupted: list[Event] = []
    floor = EmulatedFloor(shop, truth, shop.starts_at)
    # Stop at random moments, at the very moments of events, and between the commands of one moment.
    stops = [rng.choice(whole).at for _ in range(15)] + [shop.starts_at + (end - shop.starts_at) * rng.random()]
    for at, command, arguments in sorted([*script, *((at, "restart", ()) for at in stops)], key=lambda entry: entry[0]):
        interrupted += floor.advance(at)
        if command != "restart":
            carry_out(floor, command, arguments)
        if rng.random() < {"restart": 1.0, "store": 0.01}.get(command, 0.3):
            floor = EmulatedFloor(shop, truth, shop.starts_at, json.loads(json.dumps(floor.dump())))
            assert floor.now == at
    interrupted += floor.advance(end)
    assert interrupted == whole
    assert len(of_kind(whole, Counted)) > 100


def test_events_can_be_written_down() -> None:
    floor = small()
    floor.store(job("A"))
    floor.store(job("B", sequence=1))
    events = floor.advance(after(seconds=1))
    floor.abort("B", "test")
    events += floor.advance(after(hours=1))
    assert {type(event) for event in events} == {
        StateChanged,
        Counted,
        JobStarted,
        JobProgress,
        JobCompleted,
        JobAborted,
    }
    assert [event_from_dict(json.loads(json.dumps(event_to_dict(event)))) for event in events] == events


def test_a_state_of_another_seed_is_refused() -> None:
    floor = small()
    other = Truth(2, truth_of(SMALL).machines, truth_of(SMALL).operations)
    with pytest.raises(InvalidInput, match="made with seed 1, not 2"):
        EmulatedFloor(SMALL, other, START, floor.dump())


def test_the_floor_goes_on_for_years() -> None:
    floor = small(failures_s={"M2": 10_000.0})
    floor.store(job("A", "20", quantity=5000))  # 5,000 hours at 37.5 a week, and a repair for every 10,000 s
    for year in range(1, 5):
        floor.advance(after(days=365 * year))
    state = json.loads(json.dumps(floor.dump()))
    restored = EmulatedFloor(SMALL, truth_of(SMALL, {"M2": 10_000.0}), START, state)
    assert restored.advance(after(days=365 * 4 + 30)) == floor.advance(after(days=365 * 4 + 30))
    ended_at = floor.job("A").ended_at
    assert ended_at is not None
    windows = SMALL.calendar_of("M2").windows(START, ended_at)
    worked_s = sum((closes - opens).total_seconds() for opens, closes in windows)
    assert worked_s == pytest.approx(600 + 5000 * 3600 + 1800 * (5000 * 3600 // 10_000), abs=1e-3)


def test_with_the_planned_parameters_the_floor_does_what_the_reference_model_says(
    shop: Plant, shop_jobs: list[JobOrder]
) -> None:
    print("seed 11")
    jobs = dispatch(shop, shop_jobs, random.Random(11))
    assert any(one.batch for one in jobs)
    planned = truth_of(shop, {machine.id: 60_000.0 + 777 * place for place, machine in enumerate(shop.machines)})
    floor = EmulatedFloor(shop, planned, shop.starts_at)
    for one in jobs:
        floor.store(one)
    events = floor.advance(shop.starts_at + timedelta(days=150))
    assert any(event.state is BREAKDOWN for event in of_kind(events, StateChanged))
    run = simulate(*reference(shop, planned, shop_jobs, jobs), Draws(1, 1), 0)
    ended = {one.job.id: (one.ended_at - shop.starts_at).total_seconds() for one in floor.jobs() if one.ended_at}
    assert ended == pytest.approx(run.finish_s, abs=1e-6)


def reference(shop: Plant, truth: Truth, orders: list[JobOrder], jobs: list[DispatchedJob]) -> tuple[Work, Plan]:
    """The same job orders as work and plan of the reference model, with the truth's failures and no variation."""
    release_at = {one.id: one.release_at for one in jobs}
    progress = [OrderProgress(replace(one, release_at=release_at[one.id]), JobState.DISPATCHED) for one in orders]
    work = build_work(shop, load_orders(SHOP, shop), progress, Snapshot(shop.starts_at))
    tasks = tuple(replace(task, variation=0.0) for task in work.tasks)
    machines = {name: replace(machine, reliability=sure(truth, name)) for name, machine in work.machines.items()}
    plan = Plan(
        work.epoch,
        tuple(PlannedOperation(one.id, one.machine, one.sequence, 0.0, 0.0, batch=one.batch) for one in jobs),
    )
    return replace(work, tasks=tasks, machines=machines), plan


def sure(truth: Truth, machine: str) -> Reliability | None:
    true = truth.machines[machine]
    assert true.time_between_failures is not None
    return Reliability(true.time_between_failures, true.time_to_repair)
