"""Two plans in words: who gains and loses, what moved, and as few places as explain a changed sequence."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from historian import plans
from historian.database import Historian
from operations import planning
from operations.plan_diff import MachineChange, PlaceChange, TimeChange, compare, sentences
from plant.actor import SYSTEM
from plant.errors import InvalidInput
from plant.plan import Plan, PlannedOperation, PlanVersion
from plant.verdict import OrderVerdict
from tests.operations.shop import PLANNER, RULES, at, order, plan_version, with_orders


def with_sequences(id_: str, sequences: dict[str, list[list[str]]], made_s: float = 0.0) -> PlanVersion:
    """Return a version with these steps per machine, one begun every ten minutes."""
    operations = tuple(
        PlannedOperation(name, machine, place, place * 600.0, place * 600.0 + 600.0)
        for machine, steps in sequences.items()
        for place, step in enumerate(steps)
        for name in step
    )
    return replace(plan_version(id_), plan=Plan(at(made_s), operations))


def with_orders_done(version: PlanVersion, **hours: float) -> PlanVersion:
    """Return it with orders of which half of the futures are done so many hours after the plant's start."""
    verdicts = tuple(
        OrderVerdict(name, at(9e5), 0.9, 0.88, at(hour * 3600), at(hour * 3600), at(hour * 3600), 0.0)
        for name, hour in hours.items()
    )
    return replace(version, verdict=replace(version.verdict, orders=verdicts))


def english(before: PlanVersion, after: PlanVersion, frozen_zone_s: float = -1.0, **other: Any) -> list[str]:
    return [str(one) for one in sentences(compare(before, after, frozen_zone_s), **other)]


def test_the_same_plan_does_the_same() -> None:
    one = with_sequences("p", {"M1": [["a"], ["b", "c"]]})
    assert english(one, one) == ["Both plans do the same in the same order."]


def test_one_job_order_that_jumped_the_queue_explains_the_sequence() -> None:
    before = with_sequences("p", {"M1": [["a"], ["b"], ["c"], ["d"]]})
    after = with_sequences("q", {"M1": [["a"], ["d"], ["b"], ["c"]]})
    diff = compare(before, after, 0.0)
    assert diff.places == (PlaceChange("d", "M1", "b"),)
    assert english(after, before) == ["d comes last on M1 now."]


def test_what_moved_to_another_machine_is_told_with_both() -> None:
    before = with_sequences("p", {"M1": [["a"], ["b"]], "M2": [["c"]]})
    after = with_sequences("q", {"M1": [["b"]], "M2": [["a"], ["c"]]})
    diff = compare(before, after, 0.0)
    assert (diff.machines, diff.places) == ((MachineChange("a", "M1", "M2"),), ())
    assert english(before, after) == ["a goes to M2 instead of M1."]


def test_what_starts_at_another_time_on_its_machine_is_named_by_the_plants_clock() -> None:
    before = with_sequences("p", {"M1": [["a"], ["b"], ["c"]], "M2": [["d"]]})
    after = with_sequences("q", {"M1": [["b"], ["c"], ["a"]], "M3": [["d"]]}, made_s=600.0)
    assert compare(before, after, 0.0).times == (TimeChange("a", "M1", -1800.0),)  # b and c start when they did


def test_members_of_a_batch_have_no_order_among_themselves() -> None:
    before = with_sequences("p", {"M1": [["a", "b", "c"]]})
    assert compare(before, with_sequences("q", {"M1": [["c", "a", "b"]]}), 0.0).places == ()


@pytest.mark.parametrize("seed", range(30))
def test_taking_the_changed_places_out_leaves_the_sequences_equal(seed: int) -> None:
    dice = random.Random(seed)
    names = [f"j{number}" for number in range(dice.randint(1, 12))]
    shuffled = dice.sample(names, len(names))
    before = with_sequences("p", {"M1": [[name] for name in names]})
    after = with_sequences("q", {"M1": [[name] for name in shuffled]})
    changed = {one.job_order for one in compare(before, after, 0.0).places}
    assert [one for one in names if one not in changed] == [one for one in shuffled if one not in changed]
    assert len(changed) == len(names) - _longest_common(names, shuffled), f"seed {seed}"


def _longest_common(one: list[str], other: list[str]) -> int:
    """Length of the longest common subsequence, by the textbook's table."""
    table = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i, a in enumerate(one):
        for j, b in enumerate(other):
            table[i + 1][j + 1] = table[i][j] + 1 if a == b else max(table[i][j + 1], table[i + 1][j])
    return table[-1][-1]


def test_what_moves_within_the_frozen_zone_is_named() -> None:
    before = with_sequences("p", {"M1": [["stays"], ["near"], ["far"]], "M2": []})
    after = with_sequences("q", {"M1": [["stays"]], "M2": [["near"], ["far"]]}, made_s=500.0)
    assert compare(before, after, 300.0).frozen_moved == ("near",)
    assert "near moved though it stands within the frozen zone." in english(before, after, 300.0)
    assert compare(before, after, 1e6).frozen_moved == ("far", "near")


def test_orders_are_told_the_largest_loss_first() -> None:
    before = with_orders_done(with_sequences("p", {}), same=10, gains=40, loses=20, gone=5)
    after = with_orders_done(with_sequences("q", {}), same=10, gains=16, loses=22, comes=30)
    told = english(before, after, zone=ZoneInfo("Asia/Shanghai"))
    assert told == [
        "loses loses 2.0 h: Tue 6 Jan 12:00 instead of Tue 6 Jan 10:00, on time with 90 % as before.",
        "gains gains 24.0 h: Tue 6 Jan 06:00 instead of Wed 7 Jan 06:00, on time with 90 % as before.",
        "comes is new: half of the futures finish it by Tue 6 Jan 20:00.",
        "gone is no longer planned.",
    ]


@pytest.mark.parametrize(
    ("was", "is_", "told"),
    [
        (0.9981, 0.9979, "99.8 % as before"),
        (0.9974, 0.9984, "99.8 % instead of 99.7 %"),
        (0.9, 0.31, "31 % instead of 90 %"),
    ],
)
@pytest.mark.parametrize("hours", [10, 16])
def test_two_chances_are_told_only_where_they_are_shown_as_different(
    was: float, is_: float, told: str, hours: float
) -> None:
    def version(hour: float, on_time: float) -> PlanVersion:
        found = with_orders_done(with_sequences("p", {}), order=hour)
        (one,) = found.verdict.orders
        return replace(found, verdict=replace(found.verdict, orders=(replace(one, on_time=on_time),)))

    (sentence,) = english(version(12, was), version(hours, is_))
    assert sentence.endswith(f", on time with {told}.")


def test_a_long_list_is_cut_and_the_rest_counted() -> None:
    names = [f"j{number:02}" for number in range(20)]
    before = with_sequences("p", {"M1": [[name] for name in names], "M2": []})
    after = with_sequences("q", {"M1": [], "M2": [[name] for name in names]})
    told = english(before, after)
    assert len(told) == 9
    assert told[-1] == "… and 12 more of this kind."


async def test_a_plan_is_compared_with_the_one_that_was_in_force(historian: Historian) -> None:
    await with_orders(historian, order("CO-1"))
    first = plan_version("plan-1", ("CO-1/1-10", "L1", 0.0))
    second = plan_version("plan-2", ("CO-1/1-10", "L2", 0.0), parent="plan-1")
    async with historian.transaction(SYSTEM, "test") as tx:
        await plans.insert(tx, first)
        await plans.insert(tx, second)
    found, told = await planning.diff(historian, PLANNER, RULES, "plan-2")
    assert found.against == "plan-1"
    assert str(told[0]) == "CO-1/1-10 goes to L2 instead of L1."
    found, _ = await planning.diff(historian, PLANNER, RULES, "plan-1", "plan-2")
    assert found.machines == (MachineChange("CO-1/1-10", "L2", "L1"),)
    with pytest.raises(InvalidInput, match="name the plan to compare it with"):
        await planning.diff(historian, PLANNER, RULES, "plan-1")
