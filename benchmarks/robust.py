"""Robust plans: how many deadlines they miss in a thousand rehearsals against the best plan at planned times.

Both plans have the same time to be found. They are rehearsed in futures that neither was chosen by.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from benchmarks.figures import Figure, significant
from benchmarks.robust_cases import MACHINES, ORDERS, fragile_case
from operations.rehearsal import Terms, rehearse
from operations.remedies import RemedyRules
from plant.plan import Plan
from plant.work import Work
from scheduler.solve import SolverSettings, solve
from twin.draws import Draws
from twin.replay import replay

FIRST_SEED = 5000
_FUTURES = 1000
_SEED = 77
"""Of the futures in which both are judged."""


@dataclass(frozen=True)
class Compared:
    """Both plans of one case: share of missed deadlines, and planned makespans."""

    nominal_missed: float
    robust_missed: float
    nominal_makespan_s: float
    robust_makespan_s: float

    @property
    def paid(self) -> float:
        """Share of the makespan that certainty costs."""
        return self.robust_makespan_s / self.nominal_makespan_s - 1


def run(quick: bool) -> Iterable[Figure]:
    """Yield the ratio of missed deadlines and the share of the makespan paid."""
    cases, seconds = (4, 5.0) if quick else (30, 12.0)
    found = [compared(fragile_case(FIRST_SEED + number), seconds) for number in range(cases)]
    nominal, robust = (
        float(np.mean([getattr(one, name) for one in found])) for name in ("nominal_missed", "robust_missed")
    )
    ratios = np.array([one.robust_missed / one.nominal_missed for one in found if one.nominal_missed > 0])
    shared = {"cases": cases, "orders": ORDERS, "machines": MACHINES, "seconds": seconds, "futures": _FUTURES}
    yield Figure(
        "robust_miss_rate",
        robust / nominal,
        "1",
        "<= 0.25",
        {
            "missed_nominal": significant(nominal),
            "missed_robust": significant(robust),
            "median_ratio": significant(float(np.median(ratios))),
            "worst_ratio": significant(float(ratios.max())),
            **shared,
        },
    )
    paid = np.array([one.paid for one in found])
    yield Figure(
        "robust_makespan_paid",
        float(paid.mean()),
        "1",
        "<= 0.05",
        {"median": significant(float(np.median(paid))), "worst": significant(float(paid.max())), **shared},
    )


def compared(work: Work, seconds: float) -> Compared:
    """Plan a case both ways, with so many seconds each, and rehearse both plans."""
    solver = SolverSettings(time_limit_s=seconds)
    nominal = solve(work, solver).plan
    robust = rehearse(work, solver, _FUTURES, 1, terms=Terms(remedies=RemedyRules(most=0)))
    return Compared(
        missed(work, nominal),
        missed(work, robust.plan),
        nominal.makespan_s,
        robust.plan.makespan_s,
    )


def missed(work: Work, plan: Plan) -> float:
    """Return the share of deadlines a plan misses, over orders and futures."""
    futures = replay(work, plan, Draws(_SEED, _FUTURES))
    return float(np.mean([futures.completion_s(order) > demand.due_s for order, demand in work.orders.items()]))
