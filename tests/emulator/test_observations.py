"""What a run of the emulated machine shop leaves behind, observed: every duration is the one that truly was."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import datetime, timedelta

import pytest

from emulator.events import Event, StateChanged
from emulator.floor import EmulatedFloor
from emulator.truth import Truth
from methods.explosion import explode, job_orders
from plant.calibration import operation_subject
from plant.folder import load, load_orders
from plant.machine_state import StateInterval
from plant.order import JobOrder, JobProgress, JobState
from plant.plant import Plant
from tests.emulator.small_floor import SHOP
from tests.emulator.test_floor_runs import dispatch
from twin.observations import Observations, observe

SEED = 7
CLOSE_S = 0.01
"""Moments are kept to the microsecond, and a job may be interrupted a hundred times."""


class Past:
    """Three weeks of the shop, and what truly happened in them."""

    def __init__(self) -> None:
        self.plant: Plant = load(SHOP)
        self.truth = Truth.of(self.plant, SEED)
        orders = load_orders(SHOP, self.plant)
        self.jobs = [job for order in orders for job in job_orders(self.plant, explode(self.plant, order))]
        self.start = self.plant.starts_at
        self.until = self.start + timedelta(days=21)
        self.floor = EmulatedFloor(self.plant, self.truth, self.start)
        self.dispatched = dispatch(self.plant, self.jobs, random.Random(SEED))
        for job in self.dispatched:
            self.floor.store(job)
        self.events: list[Event] = self.floor.advance(self.until)

    def intervals(self) -> list[StateInterval]:
        """As ingest would derive them: from one change to the next, the last one open."""
        changes: dict[str, list[StateChanged]] = defaultdict(list)
        for event in self.events:
            if isinstance(event, StateChanged):
                changes[event.machine].append(event)
        return [
            StateInterval(machine, one.at, following.at if following else None, one.state, "", one.job_order)
            for machine, line in changes.items()
            for one, following in zip(line, [*line[1:], None], strict=True)
        ]

    def progress(self) -> list[JobProgress]:
        by_id: dict[str, JobOrder] = {job.id: job for job in self.jobs}
        return [
            JobProgress(
                by_id[known.job.id],
                known.state,
                known.job.machine if known.started_at else None,
                known.started_at,
                known.ended_at,
                known.good,
                known.scrap,
            )
            for known in self.floor.jobs()
        ]

    def processing_s(self, id_: str) -> float:
        known = self.floor.job(id_)
        operation = self.plant.operation(known.job.item, known.job.operation)
        assert known.pieces is not None
        return self.truth.processing_s(known.job.machine, known.job.item, operation, known.pieces, id_, 0)


@pytest.fixture(scope="module")
def past() -> Past:
    return Past()


@pytest.fixture(scope="module")
def seen(past: Past) -> Observations:
    return observe(past.plant, past.intervals(), past.progress(), past.start, past.until, new_at_start=True)


def test_processing_times_are_the_true_ones(past: Past, seen: Observations) -> None:
    steps: dict[tuple[str, datetime], list[str]] = defaultdict(list)
    running = 0
    for known in past.floor.jobs():
        if known.started_at is not None:
            steps[known.job.machine, known.started_at].append(known.job.id)
            running += known.state is JobState.RUNNING
    assert len(steps) > 100
    assert any(len(members) > 1 for members in steps.values())
    true = defaultdict(list)
    for (machine, _), members in steps.items():
        if all(past.floor.job(one).state is JobState.COMPLETED for one in members):
            true[machine].append(max(past.processing_s(one) for one in members))
    for machine, lengths in true.items():
        rows = [row for row in seen.processing.of_machine(machine) if not seen.processing.censored[row]]
        alone = [float(seen.processing.observed_s[row]) for row in rows if seen.processing.batch[row] < 0]
        together = {seen.processing.batch[row]: float(seen.processing.observed_s[row]) for row in rows}
        together.pop(-1, None)
        assert sorted([*alone, *together.values()]) == pytest.approx(sorted(lengths), abs=CLOSE_S)
    assert 0 < seen.processing.censored.sum() <= running


def test_changeovers_are_the_true_ones(past: Past, seen: Observations) -> None:
    assert len(seen.setups) > 50
    for row, machine in enumerate(seen.setups.machine):
        true_s = past.truth.setup_s(machine, float(seen.setups.planned_s[row]))
        if seen.setups.censored[row]:
            assert seen.setups.observed_s[row] <= true_s + CLOSE_S
        else:
            assert seen.setups.observed_s[row] == pytest.approx(true_s, abs=CLOSE_S)


def test_failures_and_repairs_are_the_true_ones(past: Past, seen: Observations) -> None:
    failures = 0
    for machine in past.plant.machines:
        gaps, repairs = (spans.of_machine(machine.id) for spans in (seen.between_failures, seen.repairs))
        for spans, rows, true in (
            (seen.between_failures, gaps, past.truth.between_failures_s),
            (seen.repairs, repairs, past.truth.repair_s),
        ):
            for ordinal, row in enumerate(rows):
                true_s = true(machine.id, ordinal)
                if spans.censored[row]:
                    assert spans.observed_s[row] <= true_s + CLOSE_S
                else:
                    assert spans.observed_s[row] == pytest.approx(true_s, abs=CLOSE_S)
                    failures += spans is seen.between_failures
        assert len(gaps) == 0 or seen.between_failures.censored[gaps[-1]] or len(repairs) == len(gaps)
    assert failures > 5


def test_pieces_are_all_that_were_counted(past: Past, seen: Observations) -> None:
    made = [known for known in past.floor.jobs() if known.good + known.scrap > 0]
    assert seen.pieces.made.sum() == sum(known.good + known.scrap for known in made)
    assert seen.pieces.bad.sum() == sum(known.scrap for known in made) > 0
    assert set(seen.pieces.subject) == {operation_subject(known.job.item, known.job.operation) for known in made}
