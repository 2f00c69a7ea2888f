"""The paper report: schedule, load and, where there is a plan to compare with, what changes."""

from __future__ import annotations

from dataclasses import replace

from dashboard.report import report
from methods.explosion import explode, job_orders
from operations.gate import Thresholds
from plant.plan import CostToOthers, Plan
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
