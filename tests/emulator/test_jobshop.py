"""emulator/jobshop.py and emulator/jobs.py through the floor: job orders, commands, breakdowns."""

from __future__ import annotations

from dataclasses import replace

import pytest

from emulator.events import (
    DispatchedJob,
    JobAborted,
    JobCompleted,
    JobProgress,
    JobStarted,
    StoreResult,
)
from emulator.floor import EmulatedFloor
from methods.work import build_work
from plant import order
from plant.errors import Conflict, InvalidInput, NotFound
from plant.order import JobState
from plant.plant import Machine, Plant
from plant.resource import Transport
from plant.snapshot import Snapshot
from tests.emulator.small_floor import (
    BREAKDOWN,
    EXECUTING,
    IDLE,
    SETUP,
    SMALL,
    START,
    after,
    job,
    of_kind,
    small,
    states,
    truth_of,
)


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


def test_a_state_that_lasts_no_time_does_not_show() -> None:
    floor = small()
    # Both end at 7800, the saw first; for an instant the saw waits for what the oven has not told yet.
    floor.store(job("A", "10", quantity=142, production_order="A"))
    floor.store(job("C", "30", quantity=1, production_order="C"))
    floor.store(job("B", "10", quantity=1, sequence=1, predecessors=("C",), production_order="B"))
    events = floor.advance(after(hours=4))
    assert {event.at for event in of_kind(events, JobCompleted)} == {after(seconds=7800), after(seconds=7950)}
    assert states(events, "M1") == [
        (0.0, SETUP, "A"),
        (600.0, EXECUTING, "A"),
        (7800.0, EXECUTING, "B"),
        (7950.0, IDLE, None),
    ]


def waiting(one: DispatchedJob) -> order.JobProgress:
    """Return a job order as planning knows it before it is dispatched."""
    head = (one.id, one.production_order, one.customer_order, one.item, one.operation)
    return order.JobProgress(order.JobOrder(*head, one.quantity, one.release_at, one.predecessors), JobState.WAITING)


def spread_out(wait_least_s: float = 0.0) -> Plant:
    """The small floor with its mill 20 minutes away from the saw, and what is sawn to wait before it is milled."""
    saw, mill, oven = SMALL.machines
    (part,) = SMALL.items
    first, second, third = part.routing
    return replace(
        SMALL,
        machines=(saw, replace(mill, work_center="far", calendar="always"), oven),
        transports=(Transport("w", "far", 1200.0),),
        items=(replace(part, routing=(first, replace(second, wait_least_s=wait_least_s), third)),),
    )


@pytest.mark.parametrize(
    ("wait_least_s", "production_order", "lag_s"),
    [(0.0, "CO-1/1", 1200), (600.0, "CO-1/1", 1200), (3600.0, "CO-1/1", 3600), (3600.0, "CO-1/2", 1200)],
)
def test_a_lot_is_carried_and_waits_as_long_as_it_must_at_the_same_time(
    wait_least_s: float, production_order: str, lag_s: int
) -> None:
    plant = spread_out(wait_least_s)
    jobs = (job("A"), job("B", "20", quantity=1, predecessors=("A",), production_order=production_order))
    floor = EmulatedFloor(plant, truth_of(plant), START)
    for one in jobs:
        floor.store(one)
    floor.advance(after(seconds=1000))
    state = floor.dump()
    events = floor.advance(after(days=1))
    # The saw is done after 900 s; the mill's changeover takes 600 s and the piece an hour.
    assert of_kind(events, JobStarted) == [JobStarted("M2", after(seconds=900 + lag_s), "B")]
    assert of_kind(events, JobCompleted) == [JobCompleted("M2", after(seconds=900 + lag_s + 4200), "B", 1, 0)]
    assert states(events, "M2")[0] == (900 + lag_s, SETUP, "B")
    assert EmulatedFloor(plant, truth_of(plant), START, state).advance(after(days=1)) == events
    wanted = [order.CustomerOrder("CO-1", "ACME", "P", 4, START, after(days=9))]
    work = build_work(plant, wanted, [waiting(one) for one in jobs], Snapshot(START))
    assert work.lag_s(work.by_id["B"], "A", "M1", "M2") == lag_s, "as scheduler and twin have it"


def test_nothing_is_carried_where_everything_was_scrapped() -> None:
    plant = spread_out(3600.0)
    floor = EmulatedFloor(plant, truth_of(plant, scrap_ratio=1 - 1e-9), START)
    floor.store(job("A"))
    floor.store(job("B", "20", quantity=4, predecessors=("A",)))
    assert JobStarted("M2", after(seconds=900), "B") in floor.advance(after(days=1))
