"""The paper report: schedule, load and, where there is a plan to compare with, what changes."""

from __future__ import annotations

from dataclasses import replace

from dashboard.report import report
from methods.explosion import explode, job_orders
from operations.gate import Thresholds
from plant.plan import CostToOthers, Plan, Robustness
from plant.text import told
from plant.verdict import Judgement, Remedy, RemedyKind
from tests.operations.shop import PLANT, order, plan_version

ORDERS = (order("CO-1"), order("CO-2"))
JOBS = tuple(job for one in ORDERS for job in job_orders(PLANT, explode(PLANT, one)))
BEFORE = plan_version("plan-1", ("CO-1/1-10", "L1", 0.0), ("CO-2/1-10", "L1", 600.0))
AFTER = plan_version("plan-2", ("CO-1/1-10", "L1", 0.0), ("CO-2/1-10", "L2", 600.0), parent="plan-1")


def test_every_figure_is_in_it_and_changes_only_where_there_is_a_plan_to_compare_with() -> None:
    alone = report(PLANT, AFTER, ORDERS, JOBS, Thresholds())
    assert alone.count("plotly-graph-div") == 4
    assert "What changes" not in alone
    compared = report(PLANT, AFTER, ORDERS, JOBS, Thresholds(), BEFORE)
    assert compared.count("plotly-graph-div") == 6
    assert "CO-2/1-10 goes to L2 instead of L1." in compared


def test_a_plan_of_nothing_is_reported() -> None:
    verdict = replace(AFTER.verdict, orders=())
    empty = replace(AFTER, plan=Plan(AFTER.plan.epoch, ()), verdict=verdict, orders=())
    assert "0 operations of 0 orders" in report(PLANT, empty, (), (), Thresholds())


def test_what_orders_cost_each_other_is_told_where_they_do() -> None:
    column = "<th class=n>Costs others</th>"
    assert column not in report(PLANT, AFTER, ORDERS, JOBS, Thresholds())
    late = replace(AFTER.solver, to_others={"CO-1": CostToOthers(7200.0, 7200.0)})
    told = report(PLANT, replace(AFTER, solver=late), ORDERS, JOBS, Thresholds())
    assert column in told
    assert ">2 h 00 min</td>" in told


def test_it_is_told_in_the_language_that_is_asked_for_the_words_of_the_gate_too() -> None:
    stands = told("{job_order} stands behind {before} in the frozen zone", job_order="CO-1/1-10", before="CO-2/1-10")
    why = told("gate threshold {name} must be between 0 and 1, not {value}", name="high", value=2)
    remedy = Remedy("CO-1", RemedyKind.OVERTIME, told("planned offline"), 12.0, 0.99, 0.98)
    paid = Robustness(None, 1, 1.0, 0.0, 0.0, 0, 1.0, 0.0, 0.0, 0)
    refused = replace(AFTER, judgement=Judgement(False, (why,), (stands,), (remedy,)), robustness=paid)
    english = report(PLANT, refused, ORDERS, JOBS, Thresholds(), BEFORE)
    chinese = report(PLANT, refused, ORDERS, JOBS, Thresholds(), BEFORE, "zh")
    assert '<html lang="zh">' in chinese
    for words, in_chinese in (
        ("CO-1/1-10 stands behind CO-2/1-10 in the frozen zone", "CO-1/1-10 在冻结区内排在 CO-2/1-10 之后"),
        ("gate threshold high must be between 0 and 1, not 2", "关卡阈值 high 必须在 0 与 1 之间，不能是 2"),
        (
            "CO-1: planned offline (cost 12); then it is on time with 99.0%",
            "CO-1：离线编制（成本 12）；之后准时概率为 99.0%",
        ),
        ("What the gate says", "关卡意见"),
        ("CO-2/1-10 goes to L2 instead of L1.", "CO-2/1-10"),
        ("done between P50 and P95", "\\u5728 P50"),
        ("<th>Priority</th>", "<th>优先级</th>"),
    ):
        assert words in english
        assert words not in chinese
        assert in_chinese in chinese
