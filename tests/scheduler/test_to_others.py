"""What an order costs the others is what they gain where it was never there and they keep their sequences."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from plant.errors import InvalidInput
from plant.plan import CostToOthers, Plan
from plant.plant import SetupMatrix, SetupTime
from plant.work import Running, Work
from scheduler.decode import decode
from scheduler.keep import keep
from scheduler.solve import SolverSettings, solve
from scheduler.to_others import costs_to_others
from tests.scheduler.shops import HOUR, machine, random_work, task, work
from tests.scheduler.test_property import everything

QUICK = SolverSettings(time_limit_s=0.5, effort=0.01, workers=1)


def _gone(some: Work, order: str, frozen: set[str]) -> set[str]:
    """Return the tasks of an order that could be left out: not running, nor frozen behind what stays."""
    stays: set[str] = set()
    for one in some.tasks:
        if one.running is not None or (one.id in frozen and stays.issuperset(one.predecessors)):
            stays.add(one.id)
    return {one.id for one in some.tasks if one.order == order and one.id not in stays}


def _without(some: Work, gone: set[str]) -> Work:
    left = [one for one in some.tasks if one.id not in gone]
    orders = {name: demand for name, demand in some.orders.items() if any(one.order == name for one in left)}
    return replace(some, tasks=tuple(left), orders=orders)


def _late_and_done_s(some: Work, plan: Plan, order: str) -> tuple[float, float]:
    """Return the weighted tardiness of all orders but one, and the sum of their completions."""
    done: dict[str, float] = {}
    for one in some.tasks:
        if one.order != order:
            done[one.order] = max(done.get(one.order, 0.0), plan.by_job_order[one.id].end_s)
    demands = some.orders
    late = (demands[name].priority.weight * max(end_s - demands[name].due_s, 0.0) for name, end_s in done.items())
    return sum(late), sum(done.values())


def _decoded_without(left: Work, plan: Plan) -> Plan:
    """Return what is left of the plan's sequences, decoded as they are."""
    sequences = {}
    for name, steps in plan.sequences.items():
        ids = ([one.job_order for one in step if one.job_order in left.by_id] for step in steps)
        sequences[name] = [step for step in ids if step]
    return decode(left, sequences)


@given(st.integers(0, 10**6), st.booleans())
@settings(max_examples=30, deadline=None)
def test_it_is_what_the_others_gain_without_it(seed: int, peopled: bool) -> None:
    note(f"seed {seed}")
    some = everything(seed) if peopled else random_work(seed)
    plan = solve(some, QUICK).plan
    frozen = {one.job_order for one in plan.operations if one.start_s < 3 * HOUR}
    found = costs_to_others(some, plan, frozen)
    for order in some.orders:
        gone = _gone(some, order, frozen)
        if not gone:
            assert order not in found
            continue
        left = _without(some, gone)
        operations = tuple(one for one in plan.operations if one.job_order not in gone)
        # `decode` chooses anew who attends what; `keep` leaves that as planned.
        after = keep(left, Plan(plan.epoch, operations)).plan if peopled else _decoded_without(left, plan)
        before, then = _late_and_done_s(some, plan, order), _late_and_done_s(left, after, order)
        assert found[order].tardiness_s == pytest.approx(before[0] - then[0], abs=1e-4)
        assert found[order].completion_s == pytest.approx(before[1] - then[1], abs=1e-4)


def test_only_those_behind_it_pay_for_an_order() -> None:
    tasks = [task(name, name, {"M": 2 * HOUR}) for name in ("first", "second", "third")]
    some = work(tasks, [machine("M")], {"first": HOUR, "second": 3 * HOUR, "third": 9 * HOUR}, high=["second"])
    plan = decode(some, {"M": [["first"], ["second"], ["third"]]})
    assert costs_to_others(some, plan) == {
        "first": CostToOthers(3 * HOUR, 4 * HOUR),  # the second is an hour late and counts three times
        "second": CostToOthers(0.0, 2 * HOUR),
        "third": CostToOthers(0.0, 0.0),
    }


def test_an_order_that_saves_a_changeover_costs_less_than_nothing() -> None:
    matrix = SetupMatrix("m", 5 * HOUR, (SetupTime("A", "B", 0.0), SetupTime("B", "C", 0.0)))
    tasks = [task(name, name, {"M": HOUR}, setup_family=name) for name in "ABC"]
    some = work(tasks, [machine("M", setup_matrix=matrix, setup_family="A")], {"C": HOUR})
    found = costs_to_others(some, decode(some, {"M": [["A"], ["B"], ["C"]]}))
    assert found["B"] == CostToOthers(-4 * HOUR, -4 * HOUR)


def test_what_runs_cannot_be_left_out() -> None:
    tasks = [
        replace(task("runs", "runs", {"M": HOUR}), running=Running("M", -60.0, HOUR)),
        task("waits", "waits", {"M": HOUR}),
    ]
    some = work(tasks, [machine("M")], {})
    plan = decode(some, {"M": [["runs"], ["waits"]]})
    assert costs_to_others(some, plan) == {"waits": CostToOthers(0.0, 0.0)}
    assert costs_to_others(some, plan, {"waits"}) == {}


def test_a_plan_that_leaves_something_out_is_refused() -> None:
    some = work([task("1", "order", {"M": HOUR}), task("2", "order", {"M": HOUR})], [machine("M")], {})
    plan = decode(some, {"M": [["1"], ["2"]]})
    with pytest.raises(InvalidInput, match="the plan has no place for 2"):
        costs_to_others(some, Plan(plan.epoch, plan.operations[:1]))
