"""History becomes observations: what counts, what is cut off, what was not seen to its end."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from plant.errors import InvalidInput
from plant.machine_state import MachineState, StateInterval
from plant.order import JobOrder, JobProgress, JobState
from tests.plant.shops import MONDAY, made, operation, small_shop
from twin.observations import Observations, Spans, observe

# Two operations on lathes of different families, 60 s + 600 s a piece.
PLANT = small_shop((made("shaft", operation("10", "turning"), operation("20", "milling")),))
LATER = MONDAY + timedelta(days=1)
S = MachineState


def at(minutes: float) -> datetime:
    return MONDAY + timedelta(minutes=minutes)


def line(*states: tuple[float, MachineState, str | None], machine: str = "L1") -> list[StateInterval]:
    """Each state from its minute on to the next one's; the last one is open."""
    ends: list[datetime | None] = [at(minute) for minute, _, _ in states[1:]]
    return [
        StateInterval(machine, at(minute), end, state, "", job)
        for (minute, state, job), end in zip(states, [*ends, None], strict=True)
    ]


def job(
    id_: str,
    started: float | None,
    ended: float | None = None,
    state: JobState = JobState.COMPLETED,
    operation_id: str = "10",
    machine: str = "L1",
    good: int = 0,
    scrap: int = 0,
) -> JobProgress:
    order = JobOrder(id_, "po", "co", "shaft", operation_id, 3, MONDAY)
    times = (None if started is None else at(started), None if ended is None else at(ended))
    return JobProgress(order, state, machine, *times, good, scrap)


def seen(
    intervals: list[StateInterval], *jobs: JobProgress, until: datetime = LATER, new: bool = False
) -> Observations:
    return observe(PLANT, intervals, jobs, MONDAY, until, new_at_start=new)


def rows(spans: Spans) -> list[tuple[str, float, float, bool]]:
    return list(
        zip(spans.subject, spans.planned_s.tolist(), spans.observed_s.tolist(), spans.censored.tolist(), strict=True)
    )


def test_processing_counts_executing_only() -> None:
    floor = line(
        (0, S.EXECUTING, "a"),
        (20, S.BREAKDOWN, "a"),  # repaired for half an hour
        (50, S.EXECUTING, "a"),
        (60, S.HELD, "a"),
        (65, S.EXECUTING, "a"),
        (70, S.IDLE, None),
    )
    assert rows(seen(floor, job("a", 0, 70, good=2, scrap=1)).processing) == [("shaft/10", 1860.0, 2100.0, False)]


def test_nights_are_no_part_of_anything() -> None:
    # Open until 14:00, which is minute 480, and again 16 h later: ten minutes before the night, ten after.
    floor = line((470, S.EXECUTING, "a"), (480, S.PLANNED_STOP, "a"), (1440, S.EXECUTING, "a"), (1450, S.IDLE, None))
    found = seen(floor, job("a", 470, 1450), until=at(1500))
    assert found.processing.observed_s.tolist() == [1200.0]
    # A breakdown is shown through the night; its repair is working time.
    floor = line((470, S.EXECUTING, "a"), (475, S.BREAKDOWN, "a"), (1445, S.EXECUTING, "a"), (1450, S.IDLE, None))
    found = seen(floor, job("a", 470, 1450), until=at(1500))
    assert found.repairs.observed_s.tolist() == [600.0]
    assert not found.repairs.censored.any()


def test_what_still_runs_or_was_given_up_lasted_at_least_as_long() -> None:
    floor = line((0, S.EXECUTING, "a"), (10, S.EXECUTING, "b"), (30, S.BREAKDOWN, "b"))
    given_up, running = job("a", 0, state=JobState.ABORTED), job("b", 10, state=JobState.RUNNING)
    found = seen(floor, given_up, running, until=at(45))
    assert rows(found.processing) == [("shaft/10", 1860.0, 600.0, True), ("shaft/10", 1860.0, 1200.0, True)]
    assert (found.repairs.observed_s.tolist(), found.repairs.censored.tolist()) == ([900.0], [True])


def test_what_began_before_the_period_is_left_out_whole() -> None:
    floor = line((-30, S.EXECUTING, "a"), (10, S.SETUP, "b"), (15, S.EXECUTING, "b"), (40, S.IDLE, None))
    found = seen(floor, job("a", -30, 10), job("b", 10, 40, operation_id="20"))
    assert [subject for subject, *_ in rows(found.processing)] == ["shaft/20"]
    # But it tells what the machine was set up for.
    assert rows(found.setups) == [("turning -> milling", 300.0, 300.0, False)]


def test_a_repair_begun_before_is_no_observation_and_its_machine_is_as_new_after_it() -> None:
    floor = line((-30, S.BREAKDOWN, None), (10, S.EXECUTING, "a"), (40, S.BREAKDOWN, "a"), (50, S.IDLE, None))
    found = seen(floor)
    assert found.repairs.observed_s.tolist() == [600.0]
    assert (found.between_failures.observed_s.tolist(), found.between_failures.residual.tolist()) == ([1800.0], [False])


def test_a_repair_that_outlasts_the_period_at_either_end() -> None:
    # Broken before it and still so at its end: nothing is known of a repair that begins in it.
    assert not len(seen(line((-30, S.BREAKDOWN, None)), until=at(60)).repairs)
    # From Friday 13:50 on, seen until Saturday noon: ten minutes of working time, however long the night.
    friday = 4 * 1440
    found = seen(line((friday + 470, S.BREAKDOWN, None)), until=at(friday + 1440 + 360)).repairs
    assert (found.observed_s.tolist(), found.censored.tolist()) == ([600.0], [True])


def test_a_job_is_known_up_to_where_its_machine_went_out_of_sight() -> None:
    floor = line((0, S.EXECUTING, "a"), (10, S.OFFLINE, None), (20, S.EXECUTING, "a"), (30, S.IDLE, None))
    assert rows(seen(floor, job("a", 0, 30)).processing) == [("shaft/10", 1860.0, 600.0, True)]
    hole = [one for one in floor if one.state is not S.OFFLINE]
    assert rows(seen(hole, job("a", 0, 30)).processing) == [("shaft/10", 1860.0, 600.0, True)]
    # At night there is nothing to see.
    night = line((470, S.EXECUTING, "a"), (480, S.OFFLINE, None), (1440, S.EXECUTING, "a"), (1450, S.IDLE, None))
    assert rows(seen(night, job("a", 470, 1450), until=at(1500)).processing)[0][2:] == (1200.0, False)


def test_a_changeover_is_over_when_the_machine_executes() -> None:
    first = job("a", 0, 10)
    floor = line((0, S.EXECUTING, "a"), (10, S.SETUP, "b"))
    second = job("b", 10, state=JobState.RUNNING, operation_id="20")
    assert rows(seen(floor, first, second, until=at(12)).setups) == [("turning -> milling", 300.0, 120.0, True)]
    # Staying in a family is no changeover, whatever the machine shows.
    floor = line((0, S.EXECUTING, "a"), (10, S.SETUP, "b"), (11, S.EXECUTING, "b"), (20, S.IDLE, None))
    assert not len(seen(floor, first, job("b", 10, 20)).setups)


def test_times_between_failures_are_operating_times() -> None:
    floor = line(
        (0, S.EXECUTING, "a"),
        (10, S.IDLE, None),
        (20, S.EXECUTING, "b"),
        (25, S.BREAKDOWN, "b"),
        (30, S.BREAKDOWN, None),  # the same one
        (35, S.EXECUTING, "b"),
        (50, S.IDLE, None),
    )
    found = seen(floor, until=at(100)).between_failures
    assert found.observed_s.tolist() == [900.0, 900.0]
    assert found.censored.tolist() == [False, True]
    assert found.residual.tolist() == [True, False]
    assert found.planned_s.tolist() == [36000.0, 36000.0]
    assert seen(floor, until=at(100), new=True).between_failures.residual.tolist() == [False, False]


def test_members_of_a_batch_share_what_was_seen() -> None:
    floor = line((0, S.EXECUTING, "a"), (40, S.IDLE, None))
    found = seen(floor, job("a", 0, 40, good=3), job("b", 0, 40, good=1))
    assert rows(found.processing) == [("shaft/10", 1860.0, 2400.0, False), ("shaft/10", 660.0, 2400.0, False)]
    assert found.processing.batch.tolist() == [0, 0]
    assert not len(seen(floor, job("a", 0, state=JobState.RUNNING), job("b", 0, state=JobState.RUNNING)).processing)
    assert (found.pieces.made.tolist(), found.pieces.bad.tolist()) == ([3, 1], [0, 0])


def test_pieces_are_those_of_jobs_begun_in_the_period() -> None:
    found = seen(
        line((0, S.IDLE, None)),
        job("before", -10, 5, good=3),
        job("a", 0, 30, good=2, scrap=1),
        job("running", 40, state=JobState.RUNNING, good=1, scrap=1),
        job("waiting", None, state=JobState.WAITING),
    )
    assert (found.pieces.made.tolist(), found.pieces.bad.tolist()) == ([3, 2], [1, 1])
    assert set(found.pieces.subject) == {"shaft/10"}


def test_an_empty_period_and_overlapping_intervals_are_refused() -> None:
    with pytest.raises(InvalidInput, match="no history"):
        observe(PLANT, [], [], MONDAY, MONDAY)
    floor = [*line((0, S.EXECUTING, "a"), (10, S.IDLE, None)), *line((5, S.HELD, "a"))]
    with pytest.raises(InvalidInput, match=r"L1: the interval from .* overlaps"):
        seen(floor)
