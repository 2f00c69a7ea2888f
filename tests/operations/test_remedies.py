"""`operations.remedies` and `operations.remedied`: what is offered, what it costs, and that it really helps."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from operations.futures import Futures
from operations.gate import Thresholds, findings, meets
from operations.rehearsal import Examination, Terms, examine
from operations.remedied import Costs, Patient, changes_for
from operations.remedies import RemedyRules
from plant.calendar import WorkingTime
from plant.errors import Cancelled, InvalidInput
from plant.item import Attendance
from plant.plan import Plan
from plant.text import Text
from plant.verdict import Binding, BindingKind, OrderVerdict, Remedy, RemedyKind
from plant.work import PersonOutlook, Task, Wait, Work
from scheduler.check import check
from scheduler.decode import decode
from scheduler.solve import SolverSettings, solve
from tests.scheduler.shops import EPOCH, HOUR, days, machine, random_work, task, work

COSTS = Costs(overtime_per_h=10, move=5, move_per_h=6, split=7, promise=100, delay_per_day=240)
RULES = RemedyRules(COSTS, most=5, time_limit_s=600)
TERMS = Terms(remedies=RULES)
REPLICATIONS = 200


def lots(name: str, order: str, hours: dict[str, float], *before: str, pieces: int = 10) -> Task:
    return replace(
        task(name, order, {one: each * HOUR for one, each in hours.items()}, *before, variation=0.05), quantity=pieces
    )


def examined(shop: Work, plan: Plan, terms: Terms = TERMS, **more: object) -> Examination:
    return examine(shop, plan, REPLICATIONS, 3, terms=terms, **more)  # type: ignore[arg-type]


def offered(shop: Work, plan: Plan, **more: object) -> dict[RemedyKind, Remedy]:
    return {one.kind: one for one in examined(shop, plan, **more).judgement.remedies}


@pytest.fixture
def tight() -> tuple[Work, Plan]:
    """B waits for A on M1 in a day of eight hours; M2 could take it, and its second operation could overlap."""
    shifts = days([(6, 14)])
    tasks = [
        lots("a1", "A", {"M1": 6}),
        lots("b1", "B", {"M1": 4, "M2": 5}),
        lots("b2", "B", {"M3": 4}, "b1"),
    ]
    shop = work(tasks, [machine(name, shifts) for name in ("M1", "M2", "M3")], {"B": 34 * HOUR})
    return shop, decode(shop, {"M1": [["a1"], ["b1"]], "M3": [["b2"]]})


def test_every_kind_that_suffices_is_offered_the_cheapest_first(tight: tuple[Work, Plan]) -> None:
    found = examined(*tight)
    assert not found.judgement.passed
    remedies = found.judgement.remedies
    assert {one.kind for one in remedies} == set(RemedyKind)
    assert [one.cost for one in remedies] == sorted(one.cost for one in remedies)
    assert all(one.order == "B" and one.on_time_low >= 0.8 for one in remedies)


def test_the_refusal_names_what_binds_and_the_cheapest_remedy(tight: tuple[Work, Plan]) -> None:
    (reason,) = examined(*tight).judgement.in_english().reasons
    assert "It waits longest for M1, on average 12.0 h behind other orders." in str(reason)  # A, who began at six
    assert "Cheapest remedy: b1 on M2 instead of M1 (cost 11)" in str(reason)


def test_costs_follow_their_rules(tight: tuple[Work, Plan]) -> None:
    found = offered(*tight)
    assert found[RemedyKind.ALTERNATIVE].cost == 5 + 6 * 1  # one move, one hour longer
    assert found[RemedyKind.SPLIT].cost == 7 * 2 * 2  # two operations, two lots more each
    assert found[RemedyKind.OVERTIME].cost == 10 * 4 * 2  # four hours on each of its machines, once before it is due
    promise = found[RemedyKind.PROMISE]
    assert promise.cost in {100 + 10 * hours for hours in range(1, 6)}  # 240 a day, to the hour


def test_high_priority_makes_promises_dearer(tight: tuple[Work, Plan]) -> None:
    shop, plan = tight
    high = work(shop.tasks, list(shop.machines.values()), {"B": 34 * HOUR}, high=["B"])
    assert offered(high, plan)[RemedyKind.PROMISE].cost >= 3 * 100


def test_the_change_itself_stands_up_in_other_futures(tight: tuple[Work, Plan]) -> None:
    """A remedy is no estimate: the changed work and plan, rehearsed with other luck, meet what the gate asks."""
    shop, plan = tight
    before = examined(shop, plan)
    (order,) = [one for one in before.verdict.orders if one.order == "B"]
    (binding,) = [one for one in before.verdict.bindings if one.order == "B"]
    patient = Patient(shop, plan, order, binding, frozenset(), UTC)
    fresh = Futures(1000, 77)
    for kind, changes in changes_for(patient, COSTS).items():
        outcomes = [fresh.orders(change.work, change.plan) for change in changes]
        assert any(
            all(meets(one, shop.orders[one.order].priority, Thresholds()) for one in each) for each in outcomes
        ), kind


def test_what_is_frozen_is_not_moved(tight: tuple[Work, Plan]) -> None:
    shop, plan = tight
    frozen = Plan(plan.epoch, tuple(one for one in plan.operations if one.machine == "M1"))
    assert RemedyKind.ALTERNATIVE not in offered(shop, plan, frozen=frozen)


def test_a_remedy_that_makes_another_order_late_is_not_offered() -> None:
    """Moving b1 to M2 would keep B's date and cost C its own."""
    tasks = [lots("a1", "A", {"M1": 6}), lots("b1", "B", {"M1": 4, "M2": 4}), lots("c1", "C", {"M2": 5})]
    shop = work(tasks, [machine("M1"), machine("M2")], {"A": 7 * HOUR, "B": 8 * HOUR, "C": 6 * HOUR})
    plan = decode(shop, {"M1": [["a1"], ["b1"]], "M2": [["c1"]]})
    assert RemedyKind.ALTERNATIVE not in offered(shop, plan)
    relaxed = work(tasks, [machine("M1"), machine("M2")], {"A": 7 * HOUR, "B": 8 * HOUR, "C": 20 * HOUR})
    assert RemedyKind.ALTERNATIVE in offered(relaxed, plan)


def test_who_attends_the_machine_works_longer_too() -> None:
    shifts = days([(6, 14)])
    tasks = [lots("a1", "A", {"M1": 8.5})]
    attended = [replace(one, attendance=Attendance.ALL) for one in tasks]
    shop = replace(
        work(attended, [machine("M1", shifts)], {"A": 25 * HOUR}),
        people={"P": PersonOutlook("P", shifts)},
    )
    plan = Plan(EPOCH, tuple(replace(one, person="P") for one in decode(shop, {"M1": [["a1"]]}).operations))
    order = OrderVerdict("A", EPOCH, 0.0, 0.0, EPOCH, EPOCH, EPOCH, 1.0)
    patient = Patient(shop, plan, order, Binding("A", BindingKind.DUE_DATE, "A", 0.0), frozenset(), UTC)
    change = next(changes_for(patient, COSTS)[RemedyKind.OVERTIME])
    assert change.cost == 10
    assert change.work.people["P"].working_time.ends[0] == 15 * HOUR
    assert change.work.machines["M1"].working_time.ends[0] == 15 * HOUR


def test_overtime_fills_no_breaks_and_open_machines_have_none() -> None:
    with_break = WorkingTime.of([(6 * HOUR, 10 * HOUR), (10.5 * HOUR, 14 * HOUR), (30 * HOUR, 38 * HOUR)])
    tasks = [lots("a1", "A", {"M1": 8})]
    order = OrderVerdict("A", EPOCH, 0.0, 0.0, EPOCH, EPOCH, EPOCH, 1.0)
    for time, ends in ((with_break, [10 * HOUR, 15 * HOUR]), (WorkingTime.always(), None)):
        shop = work(tasks, [machine("M1", time)], {"A": 24 * HOUR})
        patient = Patient(shop, decode(shop, {"M1": [["a1"]]}), order, None, frozenset(), UTC)
        changes = list(changes_for(patient, COSTS)[RemedyKind.OVERTIME])
        assert bool(changes) is (ends is not None)
        if ends is not None:
            assert list(changes[0].work.machines["M1"].working_time.ends[:2]) == ends


@pytest.mark.parametrize("seed", range(12))
def test_every_change_of_a_random_shop_is_possible(seed: int) -> None:
    shop = random_work(seed)
    shop = replace(shop, tasks=tuple(replace(one, quantity=8) for one in shop.tasks))
    plan = solve(shop, SolverSettings(time_limit_s=60, effort=0.01, workers=1)).plan
    for name in shop.orders:
        order = OrderVerdict(name, EPOCH, 0.0, 0.0, EPOCH, EPOCH, EPOCH, 1.0)
        patient = Patient(shop, plan, order, None, frozenset(), UTC)
        for kind, changes in changes_for(patient, COSTS).items():
            for change in changes:
                assert check(change.work, change.plan) == [], (kind, str(change.what))
                assert sum(one.quantity for one in change.work.tasks) == sum(one.quantity for one in shop.tasks)


def test_no_order_is_helped_where_none_is_asked_for_and_time_may_run_out(tight: tuple[Work, Plan]) -> None:
    assert examined(*tight, terms=Terms(remedies=RemedyRules(most=0))).judgement.remedies == ()
    at_once = examined(*tight, terms=Terms(remedies=RemedyRules(COSTS, 5, 0.0))).judgement.remedies
    assert {one.kind for one in at_once} == {RemedyKind.PROMISE}


def test_parts_of_a_lot_wait_each_after_their_own_part(tight: tuple[Work, Plan]) -> None:
    shop, plan = tight
    tasks = (*shop.tasks[:2], replace(shop.tasks[2], waits={"b1": Wait(60.0, 20 * HOUR)}))
    order = OrderVerdict("B", EPOCH, 0.0, 0.0, EPOCH, EPOCH, EPOCH, 1.0)
    patient = Patient(replace(shop, tasks=tasks), plan, order, None, frozenset(), UTC)
    change = next(iter(changes_for(patient, COSTS)[RemedyKind.SPLIT]))
    waits = {one.id: one.waits for one in change.work.tasks if one.waits}
    assert waits == {"b2 (1)": {"b1 (1)": Wait(60.0, 20 * HOUR)}, "b2 (2)": {"b1 (2)": Wait(60.0, 20 * HOUR)}}


def test_looking_for_remedies_can_be_cancelled(tight: tuple[Work, Plan]) -> None:
    def cancel(share: float, doing: Text) -> None:
        if "remedy" in str(doing):
            raise Cancelled("asked to stop")

    with pytest.raises(Cancelled):
        examined(*tight, progress=cancel)


def test_dates_are_told_in_the_plants_time(tight: tuple[Work, Plan]) -> None:
    shop, plan = tight
    told = {zone: str(offered(shop, plan, terms=Terms(remedies=RULES, zone=ZoneInfo(zone)))[RemedyKind.PROMISE].what)
            for zone in ("UTC", "Asia/Shanghai")}  # fmt: skip
    assert told["UTC"].startswith("promise B for Tue 6 Jan")
    assert told["UTC"] != told["Asia/Shanghai"]


def test_negative_costs_and_counts_are_refused() -> None:
    with pytest.raises(InvalidInput, match="cost of remedies: move must be"):
        Costs(move=-1)
    with pytest.raises(InvalidInput, match="at least 0, not -1"):
        RemedyRules(most=-1)


def test_a_plan_that_passes_has_no_remedies(tight: tuple[Work, Plan]) -> None:
    shop, plan = tight
    easy = replace(shop, orders={name: replace(one, due_s=1e6) for name, one in shop.orders.items()})
    found = examined(easy, plan)
    assert (found.judgement.passed, found.judgement.remedies) == (True, ())
    assert findings(found.verdict, None, {n: o.priority for n, o in easy.orders.items()}, Thresholds()) == ()


@pytest.mark.parametrize(("maintained", "end_h"), [((15, 17), 15), ((14, 17), None), ((40, 41), 18), ((4, 5), 18)])
def test_overtime_leaves_a_machine_alone_while_it_is_maintained(
    maintained: tuple[int, int], end_h: float | None
) -> None:
    span = (maintained[0] * HOUR, maintained[1] * HOUR)
    shop = work([lots("a1", "A", {"M1": 8})], [machine("M1", days([(6, 14)]), maintenance=(span,))], {"A": 24 * HOUR})
    order = OrderVerdict("A", EPOCH, 0.0, 0.0, EPOCH, EPOCH, EPOCH, 1.0)
    patient = Patient(shop, decode(shop, {"M1": [["a1"]]}), order, None, frozenset(), UTC)
    changes = list(changes_for(patient, COSTS)[RemedyKind.OVERTIME])
    ends = [change.work.machines["M1"].working_time.ends[0] for change in changes]
    assert max(ends, default=None) == (None if end_h is None else end_h * HOUR)
