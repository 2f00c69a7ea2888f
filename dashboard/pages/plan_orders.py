"""The table of a plan's orders: how likely each is on time, and when it will be done."""

from __future__ import annotations

from typing import Any

import dash_ag_grid as dag
from dash.development.base_component import Component

from dashboard.costs import to_others, without_it
from dashboard.figures.gantt import risk
from dashboard.figures.risk import by_risk
from dashboard.shown.plan import PlanView
from dashboard.vocabulary import PRIORITIES
from dashboard.words import Words
from plant.plan import CostToOthers


def rows(view: PlanView, say: Words) -> list[dict[str, Any]]:
    """Return a row per judged order, the riskiest first: what is shown as text, what is sorted by as it is."""
    found = []
    for verdict in by_risk(view.verdict):
        order = view.orders.get(verdict.order)
        found.append(
            {
                "order": verdict.order,
                "customer": order.customer if order else "",
                "item": order.item if order else "",
                "quantity": order.quantity if order else None,
                "priority": say(PRIORITIES[order.priority]) if order else "",
                "on_time": verdict.on_time,
                "on_time_text": say.likelihood(verdict.on_time),
                "low": verdict.on_time_low,
                "low_text": say("at least {share}", share=say.likelihood(verdict.on_time_low)),
                "risk": risk(verdict.on_time),
                "late_s": verdict.tardiness_mean_s,
                "late_s_text": say.duration(verdict.tardiness_mean_s) if verdict.tardiness_mean_s >= 30 else "–",
                **_to_others(view.solver.to_others.get(verdict.order), say),
                **_moments(verdict, say),
            }
        )
    return found


def _to_others(cost: CostToOthers | None, say: Words) -> dict[str, Any]:
    return {
        "to_others": None if cost is None else cost.tardiness_s,
        "to_others_text": to_others(cost, say),
        "without_it": without_it(cost, say),
    }


def _moments(verdict: Any, say: Words) -> dict[str, str]:
    moments = {"due": verdict.due_at, "p50": verdict.p50, "p80": verdict.p80, "p95": verdict.p95}
    return {
        **{name: moment.isoformat() for name, moment in moments.items()},
        **{f"{name}_text": say.moment(moment) for name, moment in moments.items()},
        **{f"{name}_late": bool(moment > verdict.due_at) for name, moment in moments.items()},  # type: ignore[misc]
    }


def grid(*, id: Any, say: Words, rowData: list[dict[str, Any]]) -> Component:
    """Return the table."""
    return dag.AgGrid(
        id=id,
        rowData=rowData,
        columnDefs=_columns(say),
        defaultColDef={"sortable": True, "resizable": True, "suppressHeaderMenuButton": True, "suppressMovable": True},
        dashGridOptions={
            "domLayout": "autoHeight",
            "rowHeight": 32,
            "headerHeight": 34,
            "animateRows": False,
            "suppressCellFocus": True,
            "enableCellTextSelection": True,
            "localeText": {"noRowsToShow": say("No orders in this plan.")},
        },
        getRowId="params.data.order",
        className="verdicts",
        style={"height": None, "width": "100%"},
    )


def _columns(say: Words) -> list[dict[str, Any]]:
    def moment(field: str, title: str) -> dict[str, Any]:
        return {
            "field": field,
            "headerName": title,
            "width": 132,
            "valueFormatter": {"function": f"params.data.{field}_text"},
            "cellClassRules": {"late": f"params.data.{field}_late"},
        }

    return [
        {"field": "order", "headerName": say("Order"), "width": 104, "pinned": "left", "cellClass": "strong"},
        {
            "field": "on_time",
            "headerName": say("On time"),
            "width": 176,
            "sort": "asc",
            "cellRenderer": "OnTime",
            "headerTooltip": say("Probability of being on time: middle and lower end of the 95% interval"),
        },
        moment("due", say("Due")),
        moment("p50", "P50"),
        moment("p80", "P80"),
        moment("p95", "P95"),
        {
            "field": "late_s",
            "headerName": say("Mean delay"),
            "width": 106,
            "valueFormatter": {"function": "params.data.late_s_text"},
            "type": "rightAligned",
        },
        {
            "field": "to_others",
            "headerName": say("Costs others"),
            "width": 106,
            "headerTooltip": say("Weighted delay as planned that the other orders would not have without this one"),
            "valueFormatter": {"function": "params.data.to_others_text"},
            "tooltipField": "without_it",
            "type": "rightAligned",
        },
        {"field": "priority", "headerName": say("Priority"), "width": 84},
        {"field": "customer", "headerName": say("Customer"), "minWidth": 104, "flex": 1},
        {"field": "item", "headerName": say("Item"), "minWidth": 80, "flex": 1},
        {"field": "quantity", "headerName": say("Quantity"), "width": 88, "type": "rightAligned"},
    ]
