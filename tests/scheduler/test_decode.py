"""`scheduler.decode`: exact times by the shared rules, and refusal of sequences that cannot be."""

from __future__ import annotations

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from plant.errors import InvalidInput
from plant.plant import SetupMatrix, SetupTime
from plant.work import Running
from scheduler.candidate import Dispatcher
from scheduler.check import check
from scheduler.decode import decode
from scheduler.prefix import opening
from scheduler.problem import Problem
from scheduler.rules import RULES, Rule
from tests.scheduler.shops import HOUR, days, machine, random_work, task, work


@given(st.integers(0, 10**6), st.sampled_from(RULES))
@settings(max_examples=60, deadline=None)
def test_decoding_a_rules_sequences_gives_its_own_times_and_a_possible_plan(seed: int, rule: Rule) -> None:
    note(f"seed {seed}, {rule}")
    some = random_work(seed)
    problem = Problem(some)
    found = Dispatcher(problem, opening(problem, None)).plan(rule.index)
    assert found is not None
    named = {
        outlook.id: [[some.tasks[number].id for number in step] for step in steps]
        for outlook, steps in zip(problem.machines, found.sequences(problem), strict=True)
    }
    plan, times = decode(some, named), found.times(problem)
    assert check(some, plan) == []
    assert [plan.by_job_order[one.id].start_s for one in some.tasks] == times["start"].tolist()
    assert [plan.by_job_order[one.id].end_s for one in some.tasks] == times["finish"].tolist()


def test_setup_waits_for_the_job_and_closed_time_interrupts_both() -> None:
    matrix = SetupMatrix("m", 0.0, (SetupTime("A", "B", HOUR),))
    outlook = machine("M1", days([(6, 10), (12, 16)]), setup_matrix=matrix, setup_family="A")
    some = work(
        [
            task("first", "o1", {"M1": HOUR}, setup_family="A"),
            task("second", "o2", {"M1": 5 * HOUR}, setup_family="B", release_s=9.5 * HOUR),
        ],
        [outlook],
        {},
    )
    plan = decode(some, {"M1": [["first"], ["second"]]})
    first, second = plan.by_job_order["first"], plan.by_job_order["second"]
    assert (first.start_s, first.end_s, first.setup_s) == (6 * HOUR, 7 * HOUR, 0)
    # The setup begins with the release at 9:30, half of it before the break; 3.5 h until 16:00, the rest next day.
    assert (second.start_s, second.end_s, second.setup_s) == (12.5 * HOUR, (24 + 7.5) * HOUR, HOUR)


def test_a_batch_takes_as_long_as_its_longest_member_and_waits_for_the_last() -> None:
    some = work(
        [task("a", "o1", {"oven": HOUR}), task("b", "o2", {"oven": 3 * HOUR}, release_s=HOUR)],
        [machine("oven", batch_capacity=2)],
        {},
    )
    plan = decode(some, {"oven": [["a", "b"]]})
    assert {(one.start_s, one.end_s, one.batch, one.position) for one in plan.operations} == {
        (HOUR, 4 * HOUR, "batch of a", 0)
    }


def test_a_running_batch_goes_on_without_setup_when_its_machine_is_up_again() -> None:
    def running(left: float) -> Running:
        return Running("oven", -HOUR, left, "B7")

    some = work(
        [task(name, name, {"oven": 9 * HOUR}, running=running(left)) for name, left in (("a", HOUR), ("b", 2 * HOUR))],
        [machine("oven", available_from_s=HOUR, batch_capacity=2, setup_matrix=SetupMatrix("m", HOUR))],
        {},
    )
    plan = decode(some, {"oven": [["a", "b"]]})
    assert {(one.start_s, one.end_s, one.setup_s, one.batch) for one in plan.operations} == {
        (HOUR, 3 * HOUR, 0.0, "B7")
    }


@pytest.mark.parametrize(
    ("sequences", "said"),
    [
        ({"M1": [["a"]], "M2": [["c"]]}, "missing or doubled: \\['b'\\]"),
        ({"M1": [["a"], ["b"], ["a"]], "M2": [["c"]]}, "missing or doubled: \\['a'\\]"),
        ({"M1": [["a"], ["b"], ["c"]]}, "c cannot be made on M1"),
        ({"M1": [["b"], ["a"]], "M2": [["c"]]}, "wait for each other in a circle"),
        ({"M1": [["a", "b"]], "M2": [["c"]]}, "M1 takes 1 at once"),
        ({"M1": [["a"], ["b"], ["x"]], "M2": [["c"]]}, "not in the work: \\['x'\\]"),
        ({"M1": [["a"], ["b"]], "M2": [["c"]], "M9": []}, "unknown machines \\['M9'\\]"),
        ({"M1": [["a"], ["b"]], "M2": [["d"], ["c"]]}, "missing or doubled|not in the work"),
    ],
)
def test_sequences_that_cannot_be_are_refused(sequences: dict[str, list[list[str]]], said: str) -> None:
    some = work(
        [task("a", "o", {"M1": HOUR}), task("b", "o", {"M1": HOUR}, "a"), task("c", "o", {"M2": HOUR})],
        [machine("M1"), machine("M2")],
        {},
    )
    with pytest.raises(InvalidInput, match=said):
        decode(some, sequences)


def test_a_batch_of_two_families_and_a_running_task_behind_another_are_refused() -> None:
    oven = machine("oven", batch_capacity=3)
    mixed = work([task("a", "o", {"oven": 1.0}), task("b", "o", {"oven": 1.0}, setup_family="B")], [oven], {})
    with pytest.raises(InvalidInput, match="mixes the setup families"):
        decode(mixed, {"oven": [["a", "b"]]})
    runs = work(
        [task("a", "o", {"oven": 1.0}), task("r", "o", {"oven": 1.0}, running=Running("oven", 0.0, 1.0))], [oven], {}
    )
    with pytest.raises(InvalidInput, match="r runs on oven; it must stand before"):
        decode(runs, {"oven": [["a"], ["r"]]})
