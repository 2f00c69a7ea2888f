"""What a plan costs is told where it was asked for or is something, and so is what an order costs the others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dashboard.costs import asked_for, costs, to_others, without_it
from dashboard.pages import plan_orders
from dashboard.pages.plan import plan_parts
from dashboard.words import Words
from plant.objective import OBJECTIVE, Aim, Objective
from plant.plan import CostToOthers, PlanCosts, SolverReport
from tests.dashboard.factory import ANNA, ZONE, MemoryLive, MemoryViews

EN, ZH = Words("en", ZONE), Words("zh", ZONE)
NOTHING = PlanCosts(0.0, 0.0, 0.0, 0.0, 0.0)
MUCH = PlanCosts(5400.0, 72000.0, 7200.0, 1234.5, 90000.0)
REPORT = SolverReport("EDD", "feasible", 0.0, 36000.0, 1.0, 1, objective=OBJECTIVE, costs=NOTHING)


def test_what_costs_nothing_and_was_not_asked_for_is_not_told() -> None:
    for plain in (REPORT, replace(REPORT, costs=None, objective=None)):
        assert [*asked_for(plain, EN), *costs(plain, EN)] == []


def test_what_was_asked_for_is_told_even_if_it_is_nothing() -> None:
    asked = replace(REPORT, objective=Objective((Aim.OVERTIME, Aim.NEARNESS)))
    assert asked_for(asked, EN) == [("Objective", "overtime, nearness")]
    assert costs(asked, EN) == [("Overtime", "0 min"), ("Starts moved, in total", "0 min")]
    weighed = replace(asked, objective=Objective((Aim.SETUP, Aim.ENERGY), (1.0, 60.0)))
    assert asked_for(weighed, ZH)[0] == ("优化目标", "1 × 换型、60 × 能耗")


def test_every_cost_is_told_in_its_unit() -> None:
    found = costs(replace(REPORT, costs=MUCH), EN)
    assert found == [
        ("Changeovers", "1 h 30 min"),
        ("Work in process", "2.0 lots on average"),
        ("Overtime", "2 h 00 min"),
        ("Cost of energy", "1,234.50"),
        ("Starts moved, in total", "1 d 1 h"),
    ]
    assert len(costs(replace(REPORT, costs=MUCH, makespan_s=0.0), ZH)) == 4, "an empty plan has no work in process"


@pytest.mark.parametrize(
    ("cost", "shown", "said"),
    [
        (None, "–", ""),
        (CostToOthers(0.0, 0.0), "–", "Without it, the others would be done when they are now."),
        (
            CostToOthers(11520.0, 20000.0),
            "3 h 12 min",
            "Without it, the others would be done earlier by 5 h 33 min in total.",
        ),
        (CostToOthers(-1800.0, -60.0), "−30 min", "Without it, the others would be done later by 1 min in total."),
    ],
)
def test_what_an_order_costs_the_others_is_said(cost: CostToOthers | None, shown: str, said: str) -> None:
    assert (to_others(cost, EN), without_it(cost, EN)) == (shown, said)


def test_the_page_shows_both() -> None:
    view = MemoryViews(MemoryLive()).plan_views["plan-2"]
    order = view.verdict.orders[0].order
    solver = replace(view.solver, objective=OBJECTIVE, costs=MUCH, to_others={order: CostToOthers(7200.0, 7200.0)})
    view = replace(view, solver=solver)
    facts = str(plan_parts(view, ANNA, EN)["plan-facts", ""]["children"])
    assert "Work in process" in facts
    rows = {row["order"]: row for row in plan_orders.rows(view, EN)}
    assert (rows[order]["to_others"], rows[order]["to_others_text"]) == (7200.0, "2 h 00 min")
    assert {row["to_others"] for name, row in rows.items() if name != order} == {None}
    column = next(one for one in plan_orders._columns(EN) if one["field"] == "to_others")
    assert column["headerName"] == "Costs others"
