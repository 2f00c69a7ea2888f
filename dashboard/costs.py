"""What a plan costs, and each order the others, in words: the same on the page, on paper and in a terminal."""

from __future__ import annotations

from dashboard.words import Words, mark
from plant.objective import OBJECTIVE, Aim
from plant.plan import CostToOthers, Robustness, SolverReport

AIMS = {
    Aim.TARDINESS: mark("tardiness"),
    Aim.MAKESPAN: mark("makespan"),
    Aim.SETUP: mark("setup"),
    Aim.WORK_IN_PROCESS: mark("work in process"),
    Aim.OVERTIME: mark("overtime"),
    Aim.ENERGY: mark("energy"),
    Aim.NEARNESS: mark("nearness"),
}

_LEAST_S = 30.0
"""Shorter times are none."""
_SHARE_DIGITS = 3
"""Decimals of a share of the makespan: a tenth of a percent is shown."""


def asked_for(report: SolverReport, say: Words) -> list[tuple[str, str]]:
    """Return the objective of a plan by its name, nothing where it is the usual one."""
    asked = report.objective
    if asked is None or asked == OBJECTIVE:
        return []
    names = [say(AIMS[aim]) for aim in asked.aims]
    if asked.weights:
        names = [f"{weight:g} × {name}" for name, weight in zip(names, asked.weights, strict=True)]
    return [(say("Objective"), say.listed(names))]


def costs(report: SolverReport, say: Words) -> list[tuple[str, str]]:
    """Return each of the costs of a plan that was asked for or is not zero, by its name."""
    told = report.costs
    if told is None:
        return []
    lots = told.in_process_s / report.makespan_s if report.makespan_s > 0 else 0.0
    parts = [
        (Aim.SETUP, say("Changeovers"), told.setup_s, say.duration(told.setup_s)),
        (Aim.WORK_IN_PROCESS, say("Work in process"), lots, say("{n} lots on average", n=say.number(lots, 1))),
        (Aim.OVERTIME, say("Overtime"), told.overtime_s, say.duration(told.overtime_s)),
        (Aim.ENERGY, say("Cost of energy"), told.energy, say.number(told.energy, 2)),
        (Aim.NEARNESS, say("Starts moved, in total"), told.moved_s, say.duration(told.moved_s)),
    ]
    aims = () if report.objective is None else report.objective.aims
    return [(name, shown) for aim, name, value, shown in parts if value > 0 or aim in aims]


def certainty(paid: Robustness | None, say: Words) -> str:
    """Say how much longer or shorter the plan is than the best one at planned times; the delay is told beside it."""
    if paid is None:
        return say("not compared")
    share = round(paid.makespan_paid, _SHARE_DIGITS)
    if paid.spread is None or (share == 0 and paid.tardiness_paid_s < _LEAST_S):
        return say("none")
    if share == 0:
        return say("as long as without")
    told = say.percent(abs(share), _SHARE_DIGITS - 2)
    return say("{share} longer", share=told) if share > 0 else say("{share} shorter", share=told)


def to_others(cost: CostToOthers | None, say: Words) -> str:
    """Return the weighted delay that an order costs the others, or a dash where that is none or not known."""
    late_s = 0.0 if cost is None else cost.tardiness_s
    return say.duration(late_s) if abs(late_s) >= _LEAST_S else "–"


def without_it(cost: CostToOthers | None, say: Words) -> str:
    """Say how an order holds the others up, in a sentence; nothing where that is not known."""
    if cost is None:
        return ""
    by = say.duration(abs(cost.completion_s))
    if abs(cost.completion_s) < _LEAST_S:
        return say("Without it, the others would be done when they are now.")
    if cost.completion_s > 0:
        return say("Without it, the others would be done earlier by {by} in total.", by=by)
    return say("Without it, the others would be done later by {by} in total.", by=by)
