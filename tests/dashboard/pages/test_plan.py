"""The plan page in both languages: what the gate says, and what stands there before there is any plan."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dashboard.changes import digests
from dashboard.costs import certainty
from dashboard.pages import plan, plan_locks, plan_orders, plan_release
from dashboard.pages.plan import expected_delay, plan_parts, twin_error
from dashboard.words import Words
from methods.attended import StepHours
from plant.plan import Plan, PlannedOperation
from plant.verdict import TwinError
from tests.dashboard.factory import ANNA, NOW, START, ZONE, MemoryLive, MemoryViews, _plan, actor_now

ERROR = TwinError(NOW, 12, 340, 1500.0, 5400.0, 0.775, -0.03)


def texts(component: Any) -> str:
    """All text of a component."""
    if isinstance(component, (list, tuple)):
        return " ".join(texts(one) for one in component)
    children = getattr(component, "children", component)
    return texts(children) if children is not component else "" if children is None else str(children)


def of_plan(name: str, language: str) -> str:
    views = MemoryViews(MemoryLive())
    return texts(plan_release.gate_panel(views.plan_views[name], Words(language, "Asia/Shanghai"))["children"])


def test_the_gates_reasons_are_told_in_the_readers_language() -> None:
    assert (
        "订单 CO-1004（优先级：高）准时概率为 31%（95% 置信下限为 28.9%）；关卡要求 80%。"
        "交期为 1月9日周五 15:00；半数推演在 1月10日周六 00:30 前完工，延误 9 小时 30 分。"
        "执行中的计划对该订单更有利：41.2%。"
    ) in of_plan("plan-2", "zh")
    assert "is on time with a probability of 31% (at least 28.9% at 95% confidence)" in of_plan("plan-2", "en")


def test_why_a_plan_was_made_is_told_in_the_readers_language() -> None:
    async def choices(language: str) -> Any:
        actor_now.set(ANNA)
        views = MemoryViews(MemoryLive())
        _, parts = await plan._plan_parts(views, Words(language), None)
        return [choice["label"].rpartition(" · ")[2] for choice in parts["plan-choice", ""]["data"]]

    assert asyncio.run(choices("zh")) == ["设备故障：M03", "首个计划"]
    assert asyncio.run(choices("en")) == ["breakdown of M03", "first plan"]


@pytest.mark.parametrize(
    ("language", "error", "told"),
    [
        (
            "en",
            ERROR,
            "off by 1 h 30 min; on average 25 min later than predicted · 78% inside their 80% interval",
        ),
        (
            "en",
            replace(ERROR, bias_s=-60.0, inside_80=None),
            "off by 1 h 30 min; on average 1 min earlier than predicted",
        ),
        ("zh", ERROR, "偏差 1 小时 30 分；平均比预测晚 25 分钟 · 78% 落在 80% 区间内"),
        ("zh", replace(ERROR, bias_s=None, mae_s=None), "尚不可知"),
        ("en", None, "not known yet"),
    ],
)
def test_the_twins_error_is_told(language: str, error: TwinError | None, told: str) -> None:
    assert twin_error(error, Words(language, ZONE)) == told


def test_what_would_help_is_told_with_its_cost_in_the_readers_language() -> None:
    english, chinese = of_plan("plan-2", "en"), of_plan("plan-2", "zh")
    assert "CO-1004: CO-1004/1-20 on M05 instead of M08 – cost 60, on time 93%" in english
    assert "CO-1004: promise CO-1004 for Mon 12 Jan 08:00 – cost 400, on time 92%" in english
    assert "经推演有效的补救措施" in chinese
    assert "CO-1004/1-20 由 M08 改到 M05 上加工——成本 60，准时概率 93%" in chinese
    assert "What would help" not in of_plan("plan-1", "en")


def test_the_price_of_certainty_is_told() -> None:
    paid = _plan("plan-2", late=True).robustness
    assert paid is not None
    en, zh = Words("en", ZONE), Words("zh", ZONE)
    assert (certainty(paid, en), expected_delay(paid, en)) == ("2.0% longer", "2 h 30 min, not 12 h 00 min")
    assert (certainty(paid, zh), expected_delay(paid, zh)) == ("延长 2.0%", "2 小时 30 分（否则 12 小时 00 分）")
    as_planned = replace(paid, spread=None)
    assert (certainty(as_planned, en), expected_delay(as_planned, en)) == ("none", "2 h 30 min")
    assert {certainty(None, zh), expected_delay(None, zh)} == {"未作比较"}


@pytest.mark.parametrize(
    ("makespan_s", "late_s", "english", "chinese"),
    [
        (997e3, 0.0, "0.3% shorter", "缩短 0.3%"),
        (1003e3, 0.0, "0.3% longer", "延长 0.3%"),
        (999.8e3, 0.0, "none", "无"),
        (1000.2e3, 3600.0, "as long as without", "时长不变"),
    ],
)
def test_a_plan_that_is_shorter_for_certainty_is_not_called_longer(
    makespan_s: float, late_s: float, english: str, chinese: str
) -> None:
    robust = _plan("plan-2", late=True).robustness
    assert robust is not None
    paid = replace(robust, makespan_s=makespan_s, weighted_tardiness_s=late_s)
    assert (certainty(paid, Words("en", ZONE)), certainty(paid, Words("zh", ZONE))) == (english, chinese)


def test_machines_whose_cycle_times_changed_are_named_on_the_plan() -> None:
    view = _plan("plan-1", late=False)
    drifted = replace(ERROR, drifted=("M03 SH-20/30", "M05 SH-20/50"))
    shown = replace(view, verdict=replace(view.verdict, twin_error=drifted))
    facts = str(plan_parts(shown, ANNA, Words("en", ZONE))["plan-facts", ""])
    assert "M03 SH-20/30, M05 SH-20/50" in facts
    assert "Cycle times changed" not in str(plan_parts(view, ANNA, Words("en", ZONE))["plan-facts", ""])


def test_among_orders_that_are_as_likely_on_time_the_one_with_the_least_slack_comes_first() -> None:
    view = MemoryViews(MemoryLive()).plan_views["plan-1"]
    first, second, third = view.verdict.orders[:3]
    tight = replace(first, on_time=0.9981, p95=first.due_at - timedelta(hours=1))
    easy = replace(second, on_time=0.9981, p95=second.due_at - timedelta(hours=9))
    late = replace(third, on_time=0.3)
    view = replace(view, verdict=replace(view.verdict, orders=(easy, tight, late)))
    shown = plan_orders.rows(view, Words("en"))
    assert [row["order"] for row in shown] == [late.order, tight.order, easy.order]
    assert [row["on_time_text"] for row in shown] == ["30%", ">\u00a099%", ">\u00a099%"]


@pytest.mark.parametrize(
    ("language", "told"),
    [("en", "CO-1001/1-10 goes to M01 instead of M02."), ("zh", "CO-1001/1-10 从 M02 改到 M01。")],
)
def test_what_a_plan_changes_is_told_and_hidden_where_no_plan_was_in_force(language: str, told: str) -> None:
    say = Words(language, ZONE)
    shown = plan_parts(_plan("plan-2", late=True), ANNA, say)
    assert told in texts(shown["plan-told", ""]["children"])
    assert shown["plan-moves", ""]["figure"]["data"]
    assert shown["plan-gains", ""]["figure"]["data"]
    first = plan_parts(_plan("plan-1", late=False), ANNA, say)
    assert first["plan-changes", ""]["className"] == "hidden"
    assert not first["plan-moves", ""]["figure"]["data"]


def test_a_later_look_at_the_same_plan_sends_no_other_picture() -> None:
    view, say = _plan("plan-2", late=True), Words("en", ZONE)
    later = replace(view, clock=replace(view.clock, now=view.clock.now + timedelta(minutes=5)))
    assert digests(plan_parts(later, ANNA, say)) == digests(plan_parts(view, ANNA, say))


def test_the_load_is_drawn() -> None:
    parts = plan_parts(_plan("plan-1", late=False), ANNA, Words("en", ZONE))
    assert "grinding" in parts["plan-load", ""]["figure"]["layout"]["yaxis"]["ticktext"][-1]


def test_the_form_of_a_lock_begins_with_the_changeover_that_somebody_attends() -> None:
    one = PlannedOperation("a", "M01", 0, 7 * 3600.0, 8 * 3600.0, setup_s=7200.0, person="P1")
    there = [(START + timedelta(hours=start), START + timedelta(hours=end)) for start, end in ((0, 2), (6, 8))]
    view = replace(_plan("plan-1", late=False), plan=Plan(START, (one,)), attended={"a": StepHours(tuple(there), ())})
    moved = plan_locks.told(view, "a", "M02", NOW, Words("en", ZONE), "")
    assert "M01, Mon 5 Jan 07:00" in texts(moved)
