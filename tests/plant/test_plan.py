"""A plan's sequences follow from its operations."""

from __future__ import annotations

import pytest

from plant.errors import InvalidInput
from plant.plan import Plan, PlannedOperation
from tests.plant.shops import MONDAY


def planned(job: str, machine: str, position: int, end_s: float = 10.0, batch: str | None = None) -> PlannedOperation:
    return PlannedOperation(job, machine, position, 0.0, end_s, batch=batch)


def test_sequences_are_in_order_and_members_of_a_batch_share_a_step() -> None:
    plan = Plan(
        MONDAY,
        (
            planned("c", "OVEN", 1, batch="b1"),
            planned("a", "OVEN", 0),
            planned("b", "OVEN", 1, 30.0, batch="b1"),
            planned("d", "L1", 0),
        ),
    )
    steps = {machine: [[one.job_order for one in step] for step in steps] for machine, steps in plan.sequences.items()}
    assert steps == {"OVEN": [["a"], ["c", "b"]], "L1": [["d"]]}
    assert plan.by_job_order["b"].end_s == plan.makespan_s == 30.0
    assert Plan(MONDAY, ()).makespan_s == 0.0


def test_a_job_is_planned_once_and_the_epoch_has_a_zone() -> None:
    with pytest.raises(InvalidInput, match="a plan holds each job order once"):
        Plan(MONDAY, (planned("a", "L1", 0), planned("a", "L2", 0)))
    with pytest.raises(InvalidInput, match="epoch must be a UTC datetime"):
        Plan(MONDAY.replace(tzinfo=None), ())


def test_a_person_takes_steps_as_they_are_planned_to_start() -> None:
    rows = [("a", "L1", 0, 50.0, "P"), ("b", "L2", 1, 20.0, "P"), ("c", "L2", 0, 20.0, "P"), ("d", "L1", 1, 60.0, "Q")]
    operations = [PlannedOperation(job, on, place, start, 99.0, person=who) for job, on, place, start, who in rows]
    plan = Plan(MONDAY, (*operations, planned("e", "L3", 0)))
    found = {who: [step[0].job_order for step in steps] for who, steps in plan.person_sequences.items()}
    assert found == {"P": ["c", "b", "a"], "Q": ["d"]}
