"""`operations.gate`: what is refused, what is only noted, and whether a planner can read it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from operations import gate
from operations.gate import Thresholds
from plant.errors import InvalidInput
from plant.order import Priority
from plant.verdict import Judgement, OrderVerdict, Verdict

DUE = datetime(2026, 1, 14, 4, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
LIMITS = Thresholds(high=0.9, normal=0.8, tolerance=0.02)
NORMAL = {"CO-1": Priority.NORMAL, "CO-2": Priority.NORMAL}


def order(name: str, on_time: float, margin: float = 0.02, p50: float = -2, p95: float = 3) -> OrderVerdict:
    return OrderVerdict(
        name, DUE, on_time, on_time - margin, DUE + p50 * HOUR, DUE + (p50 + 1) * HOUR, DUE + p95 * HOUR, 60.0
    )


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


def test_an_order_the_new_plan_forgets_is_refused() -> None:
    judgement = judge_plan(
        verdict(order("CO-1", 0.99)), verdict(order("CO-1", 0.9), order("CO-2", 0.9)), NORMAL, LIMITS
    )
    assert judgement.reasons == (
        "CO-2 is covered by the plan in force, but not by this one; plan all open orders together.",
    )


def test_nothing_to_judge_is_refused() -> None:
    assert not judge_plan(verdict(), None, {}, LIMITS).passed


def test_a_figure_that_is_no_number_is_refused() -> None:
    assert not judge_plan(verdict(order("CO-1", float("nan"), p50=1)), None, NORMAL, LIMITS).passed


def test_an_order_without_a_class_is_an_error() -> None:
    with pytest.raises(InvalidInput, match="priority of order CO-9"):
        judge_plan(verdict(order("CO-9", 0.99)), None, NORMAL, LIMITS)


def test_thresholds_beyond_one_are_refused() -> None:
    with pytest.raises(InvalidInput, match="gate threshold high must be between 0 and 1, not 90"):
        Thresholds(high=90)


def test_a_probability_is_never_rounded_up_to_what_the_gate_asks() -> None:
    (reason,) = judge_plan(verdict(order("CO-1", 0.82, margin=0.0204, p50=-1)), None, NORMAL, LIMITS).reasons
    assert "(at least 79.9 % at" in reason
