"""What is learned is kept, adopted only if it is better, used and named by plans, and taken out of use again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from historian.database import Historian
from operations import learning, planning, plants
from operations.learner import LearningSettings, Subject
from plant.actor import SYSTEM, Actor, Role
from plant.errors import Cancelled, Conflict, InvalidInput
from plant.learned import Learned, Paired
from plant.plan import PlanVersion
from plant.ports import Progress, no_progress
from plant.tuning import DEFAULT, MoveShares, RuleTuning, Tuning
from runtime.compute import InlineCompute
from tests.operations.shop import PLANNER, PLANT, RULES, VERSION, Clock, at, ledger_of, order, with_orders
from tests.plant.shops import MONDAY

VIEWER = Actor("vera", frozenset({Role.VIEWER}))
LITTLE = LearningSettings(candidates=2, first_cases=1, cases=10, effort=0.001, replications=4)
TUNING = Tuning(RuleTuning(look_ahead=77.0), replace(MoveShares(), gather=0.25, elsewhere=0.15))
BETTER = Learned(VERSION.id, TUNING, Paired(1.0, 9.0, 2.0, 0.95, 10, 9, 0), None, None, MONDAY, MONDAY, 1, 2, 1)
UNSURE = replace(BETTER, unlearned=Paired(8.0, 9.0, 2.0, 0.95, 10, 5, 5))


class Finds(InlineCompute):
    """Finds what the test says, and remembers what it was asked to learn from."""

    def __init__(self, found: Learned, meanwhile: Callable[[], Any] | None = None) -> None:
        self.found, self.meanwhile = found, meanwhile
        self.subjects: list[Subject] = []

    async def run(self, function: Callable[..., Any], *args: Any, progress: Progress = no_progress) -> Any:
        self.subjects.append(args[0])
        if self.meanwhile is not None:
            await self.meanwhile()
        return self.found


async def make(historian: Historian, compute: InlineCompute) -> Learned:
    return await learning.make(historian, compute, PLANNER, RULES.solver, LITTLE)


async def in_use(historian: Historian) -> list[str]:
    return [one.learned.id for one in await learning.list_learned(historian, VIEWER) if one.used_since]


async def plan(historian: Historian) -> PlanVersion:
    return await planning.make_plan(historian, InlineCompute(), Clock(at(60.0)), PLANNER, RULES, "test")


async def test_a_small_plant_is_learned_from_and_kept(historian: Historian) -> None:
    await with_orders(historian, order("CO-1"), order("CO-2", "pump", 2))
    made = await make(historian, InlineCompute())
    (record,) = await learning.list_learned(historian, VIEWER)
    assert (record.learned, record.made_by) == (made, PLANNER.name)
    assert (made.orders, made.plant_version) == (2, VERSION.id)
    assert (record.used_since is not None) == made.is_better


async def test_the_same_again_changes_nothing(historian: Historian) -> None:
    await with_orders(historian, order())
    for _ in range(2):
        assert await make(historian, Finds(BETTER)) == BETTER
    assert len(await learning.list_learned(historian, VIEWER)) == 1
    assert [one.kind for one in await ledger_of(historian, f"learned/{BETTER.id}")] == ["made", "adopted"]


async def test_what_is_better_is_used_and_named_by_the_next_plan(historian: Historian) -> None:
    await with_orders(historian, order())
    assert (await plan(historian)).learned is None
    await make(historian, Finds(BETTER))
    version = await plan(historian)
    assert version.learned == BETTER.id
    assert (await planning.get_plan(historian, PLANNER, version.id))[0] == version
    async with historian.transaction(PLANNER, "test") as tx:
        basis = await planning.basis_at(tx, at(60.0), RULES)
    assert planning.solver_of(basis, RULES) == replace(RULES.solver, tuning=TUNING)
    await learning.go_back(historian, PLANNER)
    assert (await plan(historian)).learned is None
    kinds = [one.kind for one in await ledger_of(historian, f"learned/{BETTER.id}")]
    assert kinds == ["made", "adopted", "taken out of use"]
    with pytest.raises(Conflict, match="nothing to go back from"):
        await learning.go_back(historian, PLANNER)


async def test_what_is_not_known_to_be_better_is_kept_and_not_used(historian: Historian) -> None:
    await with_orders(historian, order())
    await make(historian, Finds(UNSURE))
    assert await in_use(historian) == []
    await make(historian, Finds(BETTER))
    await make(historian, Finds(UNSURE))
    assert await in_use(historian) == [BETTER.id]
    assert (await plan(historian)).learned == BETTER.id


async def test_learning_again_is_held_against_what_is_in_use(historian: Historian) -> None:
    await with_orders(historian, order())
    await make(historian, Finds(BETTER))
    other = replace(BETTER, tuning=replace(TUNING, rule=None), used=Paired(1.0, 2.0, 0.5, 0.95, 10, 8, 1))
    compute = Finds(other)
    await make(historian, compute)
    assert compute.subjects[0].used == TUNING
    assert compute.subjects[0].solver.tuning == DEFAULT
    assert await in_use(historian) == [other.id]


async def test_what_was_learned_for_another_plant_is_not_used(historian: Historian) -> None:
    await with_orders(historian, order())
    await make(historian, Finds(BETTER))
    await plants.import_plant(historian, SYSTEM, replace(PLANT, name="Bigger shop"), ())
    assert (await plan(historian)).learned is None
    assert await in_use(historian) == []


async def test_what_changed_meanwhile_is_not_overwritten(historian: Historian) -> None:
    await with_orders(historian, order())
    await make(historian, Finds(BETTER))
    other = replace(BETTER, tuning=DEFAULT)
    with pytest.raises(Conflict, match="learn again"):
        await make(historian, Finds(other, meanwhile=lambda: learning.go_back(historian, PLANNER)))
    assert [one.learned.id for one in await learning.list_learned(historian, VIEWER)] == [BETTER.id]


async def test_cancelling_keeps_nothing(historian: Historian) -> None:
    await with_orders(historian, order())

    def cancel(share: float, doing: object) -> None:
        if share > 0.1:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        await learning.make(historian, InlineCompute(), PLANNER, RULES.solver, LITTLE, cancel)
    assert await learning.list_learned(historian, VIEWER) == []


async def test_without_orders_there_is_nothing_to_learn_from(historian: Historian) -> None:
    await with_orders(historian)
    with pytest.raises(InvalidInput, match="no order to learn from"):
        await make(historian, InlineCompute())


async def test_books_are_what_was_open_when_orders_came_in(historian: Historian) -> None:
    later = MONDAY + timedelta(days=1)
    await with_orders(historian, order("CO-1"), order("CO-2", ordered_at=later))
    compute = Finds(UNSURE)
    await make(historian, compute)
    (subject,) = compute.subjects
    assert [(book.at, [one.id for one in book.orders]) for book in subject.books] == [
        (MONDAY, ["CO-1"]),
        (later, ["CO-1", "CO-2"]),
    ]
    assert subject.solver.workers == 1
