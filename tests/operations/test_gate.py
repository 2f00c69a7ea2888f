"""`operations.gate`: what is refused, what is only noted, and whether a planner can read it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from operations import gate
from operations.gate import Thresholds
from plant.errors import InvalidInput
from plant.order import Priority
from plant.verdict import Binding, BindingKind, Judgement, OrderVerdict, Remedy, RemedyKind, Verdict, WaitVerdict

DUE = datetime(2026, 1, 14, 4, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
LIMITS = Thresholds(high=0.9, normal=0.8, tolerance=0.02)
NORMAL = {"CO-1": Priority.NORMAL, "CO-2": Priority.NORMAL}


def order(
    name: str, on_time: float, margin: float = 0.02, p50: float = -2, p95: float = 3, late_h: float = 0
) -> OrderVerdict:
    quantiles = (DUE + p50 * HOUR, DUE + (p50 + 1) * HOUR, DUE + p95 * HOUR)
    return OrderVerdict(name, DUE, on_time, on_time - margin, *quantiles, 60.0, late_h * 3600)


def verdict(*orders: OrderVerdict) -> Verdict:
    return Verdict("replay", 1000, 1, orders, (), 0.6, "M04")


def judge_plan(*args: Any) -> Judgement:
    """Judge, with reasons and notes in English."""
    return gate.judge_plan(*args).in_english()


def test_a_plan_that_keeps_its_dates_passes_without_a_word() -> None:
    judgement = judge_plan(verdict(order("CO-1", 0.99), order("CO-2", 0.85)), None, NORMAL, LIMITS)
    assert (judgement.passed, judgement.reasons, judgement.notes) == (True, (), ())


def test_the_lower_bound_counts_not_the_midpoint() -> None:
    assert not judge_plan(verdict(order("CO-1", 0.81, margin=0.02)), None, NORMAL, LIMITS).passed
    assert judge_plan(verdict(order("CO-1", 0.83, margin=0.02)), None, NORMAL, LIMITS).passed


def test_a_high_priority_order_needs_more() -> None:
    risky = verdict(order("CO-1", 0.85))
    assert judge_plan(risky, None, NORMAL, LIMITS).passed
    assert not judge_plan(risky, None, {"CO-1": Priority.HIGH}, LIMITS).passed


def test_a_refusal_names_order_figures_dates_and_how_late() -> None:
    shanghai = ZoneInfo("Asia/Shanghai")
    judgement = judge_plan(verdict(order("CO-1", 0.31, p50=7.5, p95=30)), None, NORMAL, LIMITS, shanghai)
    assert judgement.reasons == (
        "CO-1 (normal priority) is on time with a probability of 31 % (at least 29 % at 95 % confidence); "
        "the gate asks for 80 %. "
        "It is due Wed 14 Jan 12:00; half of the futures finish it by Wed 14 Jan 19:30, 7.5 h late.",
    )


def test_a_risk_that_only_some_futures_run_into_is_told_as_such() -> None:
    (reason,) = judge_plan(verdict(order("CO-1", 0.7, p50=-1, p95=50)), None, NORMAL, LIMITS).reasons
    assert reason.endswith("60 min early, but one in twenty is 2.1 days late or more.")


def test_an_order_that_is_late_anyway_does_not_block_the_shop() -> None:
    late = order("CO-1", 0.02, margin=0.01, p50=40, p95=60)
    judgement = judge_plan(verdict(late, order("CO-2", 0.99)), verdict(late, order("CO-2", 0.5)), NORMAL, LIMITS)
    assert judgement.passed
    assert len(judgement.notes) == 1
    assert "CO-1" in judgement.notes[0]
    assert "No worse than the plan in force (2 %), so it does not block." in judgement.notes[0]


def test_making_an_order_later_than_it_would_be_is_refused() -> None:
    kept = verdict(order("CO-1", 0.70))
    within = judge_plan(verdict(order("CO-1", 0.69)), kept, NORMAL, LIMITS)
    beyond = judge_plan(verdict(order("CO-1", 0.67)), kept, NORMAL, LIMITS)
    assert within.passed
    assert not beyond.passed
    assert beyond.reasons[0].endswith("The plan in force does better for it: 70 %.")


def test_a_new_order_that_cannot_be_met_is_refused_although_the_others_gain() -> None:
    candidate = verdict(order("CO-1", 0.99), order("CO-2", 0.0, margin=0.0, p50=90, p95=99))
    judgement = judge_plan(candidate, verdict(order("CO-1", 0.5)), NORMAL, LIMITS)
    assert not judgement.passed
    assert judgement.reasons[0].startswith("CO-2 ")
    assert judgement.reasons[0].endswith("3.8 days late. The plan in force does not cover it.")


def test_a_new_order_that_is_late_alone_in_the_shop_holds_up_no_other() -> None:
    candidate = verdict(order("CO-1", 0.99), order("CO-2", 0.0, margin=0.0, p50=90, p95=99))
    in_force = verdict(order("CO-1", 0.5))
    asked: list[str] = []

    def alone(name: str, on_time: float) -> OrderVerdict:
        asked.append(name)
        return order(name, on_time, p50=60)

    lost = judge_plan(candidate, in_force, NORMAL, LIMITS, UTC, (), (), lambda name: alone(name, 0.1))
    assert lost.passed
    assert lost.notes[0].endswith(
        "Alone in the shop it would not be sure enough either (10 %), so it does not block: agree on another date."
    )
    crowded_out = judge_plan(candidate, in_force, NORMAL, LIMITS, UTC, (), (), lambda name: alone(name, 0.99))
    assert crowded_out.reasons[0].endswith("The plan in force does not cover it.")
    first = judge_plan(candidate, None, NORMAL, LIMITS, UTC, (), (), lambda name: alone(name, 0.1))
    assert not first.passed, "somebody has to see the first plan"
    assert asked == ["CO-2", "CO-2"], "the plan in force tells of the other"


def test_an_order_the_new_plan_forgets_is_refused() -> None:
    judgement = judge_plan(
        verdict(order("CO-1", 0.99)), verdict(order("CO-1", 0.9), order("CO-2", 0.9)), NORMAL, LIMITS
    )
    assert judgement.reasons == (
        "CO-2 is covered by the plan in force, but not by this one; plan all open orders together.",
    )


def test_nothing_to_judge_is_refused() -> None:
    assert not judge_plan(verdict(), None, {}, LIMITS).passed


def test_one_future_in_ten_may_be_as_late_as_the_budget_says_and_no_later() -> None:
    within, beyond = verdict(order("CO-1", 0.85, late_h=72)), verdict(order("CO-1", 0.85, late_h=73))
    assert judge_plan(within, None, NORMAL, LIMITS).passed
    (reason,) = judge_plan(beyond, None, NORMAL, LIMITS).reasons
    assert "is 3.0 days late or more in one future of ten; the gate allows 3.0 days" in reason
    high = judge_plan(verdict(order("CO-1", 0.95, late_h=25)), None, {"CO-1": Priority.HIGH}, LIMITS)
    assert "the gate allows 24.0 h" in high.reasons[0]


def test_an_order_that_is_late_anyway_may_become_later_by_its_budget_only() -> None:
    kept = verdict(order("CO-1", 0.02, late_h=100))
    assert judge_plan(verdict(order("CO-1", 0.02, late_h=172)), kept, NORMAL, LIMITS).passed
    (reason,) = judge_plan(verdict(order("CO-1", 0.02, late_h=173)), kept, NORMAL, LIMITS).reasons
    assert reason.endswith("The plan in force does better for it: one future in ten is 4.2 days late or more.")


@pytest.mark.parametrize(
    ("binding", "told"),
    [
        (Binding("CO-1", BindingKind.MACHINE, "M04", 7200), "for M04, on average 2.0 h behind other orders."),
        (
            Binding("CO-1", BindingKind.PERSON, "Li", 7200),
            "for Li, on average 2.0 h while machine and parts are there.",
        ),
        (Binding("CO-1", BindingKind.MATERIAL, "castings", 7200), "for material, on average 2.0 h (castings)."),
        (Binding("CO-1", BindingKind.DUE_DATE, "CO-1", 7200), "its own work alone takes too long for its due date."),
    ],
)
def test_a_refusal_names_what_binds(binding: Binding, told: str) -> None:
    risky = replace(verdict(order("CO-1", 0.3)), bindings=(binding,))
    assert judge_plan(risky, None, NORMAL, LIMITS).reasons[0].endswith(told)


def test_a_refusal_names_the_cheapest_remedy_and_carries_all() -> None:
    remedies = tuple(
        Remedy("CO-1", kind, f"do {kind}", cost, 0.95, 0.93)
        for kind, cost in ((RemedyKind.SPLIT, 40.0), (RemedyKind.PROMISE, 1500.0))
    )
    refused = judge_plan(verdict(order("CO-1", 0.3)), None, NORMAL, LIMITS, UTC, (), remedies)
    assert refused.reasons[0].endswith("Cheapest remedy: do split of the lot (cost 40); then it is on time with 95 %.")
    assert refused.remedies == remedies
    assert judge_plan(verdict(order("CO-1", 0.99)), None, NORMAL, LIMITS, UTC, (), remedies).remedies == ()


def test_what_is_not_possible_is_refused_however_sure_it_looks() -> None:
    found = judge_plan(verdict(order("CO-1", 0.99)), None, NORMAL, LIMITS, UTC, ("M04 is booked twice",))
    assert (found.passed, found.reasons) == (False, ("M04 is booked twice",))


def test_a_figure_that_is_no_number_is_refused() -> None:
    assert not judge_plan(verdict(order("CO-1", float("nan"), p50=1)), None, NORMAL, LIMITS).passed


def test_an_order_without_a_class_is_an_error() -> None:
    with pytest.raises(InvalidInput, match="priority of order CO-9"):
        judge_plan(verdict(order("CO-9", 0.99)), None, NORMAL, LIMITS)


def test_thresholds_beyond_one_are_refused() -> None:
    with pytest.raises(InvalidInput, match="gate threshold high must be between 0 and 1, not 90"):
        Thresholds(high=90)
    with pytest.raises(InvalidInput, match="gate budget late_high_s must be"):
        Thresholds(late_high_s=-1)


def test_a_probability_is_never_rounded_up_to_what_the_gate_asks() -> None:
    (reason,) = judge_plan(verdict(order("CO-1", 0.82, margin=0.0204, p50=-1)), None, NORMAL, LIMITS).reasons
    assert "(at least 79.9 % at" in reason


SPOILING = WaitVerdict("CO-1", 0.12, "CO-1/1-20", "CO-1/1-10", 4 * 3600.0, 1800.0)


def test_an_order_that_waits_longer_than_it_may_is_noted() -> None:
    risky = replace(verdict(order("CO-1", 0.99)), waits=(SPOILING,))
    judgement = judge_plan(risky, None, NORMAL, LIMITS)
    assert judgement.passed
    assert judgement.notes == (
        "CO-1 may spoil: in 12 % of the futures it waits longer than it may. CO-1/1-20 is to begin within 4.0 h after "
        "CO-1/1-10; where it does not, it comes 30 min too late on average.",
    )


def test_it_is_refused_beyond_the_threshold_unless_the_plan_in_force_is_no_better() -> None:
    strict = replace(LIMITS, longest_wait=0.1)
    risky = replace(verdict(order("CO-1", 0.99)), waits=(SPOILING,))
    assert judge_plan(risky, None, NORMAL, replace(LIMITS, longest_wait=0.12)).passed
    assert "CO-1 may spoil: in 12 %" in judge_plan(risky, None, NORMAL, strict).reasons[0]
    good = verdict(order("CO-1", 0.99))
    assert not judge_plan(risky, good, NORMAL, strict).passed
    as_bad = replace(good, waits=(replace(SPOILING, broken=0.11),))
    assert judge_plan(risky, as_bad, NORMAL, strict).passed
    better = replace(good, waits=(replace(SPOILING, broken=0.05),))
    assert not judge_plan(risky, better, NORMAL, strict).passed
    with pytest.raises(InvalidInput, match="longest_wait must be between 0 and 1"):
        Thresholds(longest_wait=2.0)
