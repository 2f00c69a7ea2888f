"""emulator/floor.py: hand-computed cases of machines at work, and being written down."""

from __future__ import annotations

import json

import pytest

from emulator.events import (
    Counted,
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
from emulator.truth import Truth
from plant.errors import InvalidInput
from plant.order import JobState
from tests.emulator.small_floor import (
    BREAKDOWN,
    EXECUTING,
    IDLE,
    PLANNED_STOP,
    SETUP,
    SMALL,
    START,
    STARVED,
    after,
    job,
    of_kind,
    small,
    states,
    truth_of,
)


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
