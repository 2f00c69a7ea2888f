"""What would let a refused order pass: a few changes, each rehearsed with the same luck, the cheapest that suffices."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo

import numpy as np

from operations.futures import Futures
from operations.gate import Finding, Thresholds, meets
from operations.remedied import Change, Costs, Patient, changes_for, promised
from plant.checks import require, require_not_negative
from plant.plan import Plan
from plant.ports import Progress
from plant.text import told
from plant.verdict import OrderVerdict, Remedy, Verdict
from plant.work import Work
from twin.replay import Replay
from twin.verdict import order_verdicts, wilson

_ROUND_S = 3600.0
"""New dates are promised to the hour."""


@dataclass(frozen=True)
class RemedyRules:
    """How remedies are looked for.

    Attributes
    ----------
    most
        Orders that are helped, those most at risk first; 0 for none.
    time_limit_s
        Wall seconds for all of them.
    """

    costs: Costs = field(default_factory=Costs)
    most: int = 5
    time_limit_s: float = 8.0

    def __post_init__(self) -> None:
        require(self.most >= 0, f"orders to find remedies for must be at least 0, not {self.most}")
        require_not_negative("time_limit_s for remedies", self.time_limit_s)


@dataclass(frozen=True)
class Ward:
    """The plan that was refused, and what it is judged by.

    Attributes
    ----------
    work, plan
        The calibrated work and the plan at its planned times.
    ran
        What became of it in `futures`.
    frozen
        Job orders that stay where they are.
    """

    work: Work
    plan: Plan
    verdict: Verdict
    ran: Replay
    futures: Futures
    thresholds: Thresholds
    frozen: Collection[str]
    zone: tzinfo


def remedies_for(ward: Ward, findings: Sequence[Finding], rules: RemedyRules, progress: Progress) -> tuple[Remedy, ...]:
    """Return what would let the orders of `findings` pass without making any other miss what the gate asks.

    Of each kind the first that suffices is kept; those of one order stand together, the cheapest first. A later
    promise always suffices and needs no rehearsal of its own: it is looked for first, for every order, at any rate.

    Raises
    ------
    Cancelled
        If `progress` raises it.
    """
    began = time.monotonic()
    chosen = sorted(findings, key=lambda finding: finding.verdict.on_time)[: rules.most]
    found = {finding.verdict.order: list(_promises(ward, finding, rules.costs)) for finding in chosen}
    for number, finding in enumerate(chosen):
        progress(number / len(chosen), told("looking for a remedy for {order}", order=finding.verdict.order))
        for changes in changes_for(_patient(ward, finding), rules.costs).values():
            for change in changes:
                if time.monotonic() - began > rules.time_limit_s:
                    break
                orders = ward.futures.orders(change.work, change.plan)
                if (remedy := _remedy(ward, finding, change, orders)) is not None:
                    found[finding.verdict.order].append(remedy)
                    break
    return tuple(one for remedies in found.values() for one in sorted(remedies, key=lambda one: one.cost))


def _patient(ward: Ward, finding: Finding) -> Patient:
    bindings = {one.order: one for one in ward.verdict.bindings}
    order = finding.verdict
    return Patient(ward.work, ward.plan, order, bindings.get(order.order), ward.frozen, ward.zone)


def _remedy(ward: Ward, finding: Finding, change: Change, orders: Sequence[OrderVerdict]) -> Remedy | None:
    """Return a change as rehearsed; None where the order still misses what is asked, or another one misses it newly."""
    missed = {one.order for one in ward.verdict.orders if not _meets(ward, one)} - {finding.verdict.order}
    if any(not _meets(ward, one) and one.order not in missed for one in orders):
        return None
    order = next(one for one in orders if one.order == finding.verdict.order)
    return Remedy(order.order, change.kind, change.what, round(change.cost), order.on_time, order.on_time_low)


def _meets(ward: Ward, order: OrderVerdict) -> bool:
    return meets(order, ward.work.orders[order.order].priority, ward.thresholds)


def _promises(ward: Ward, finding: Finding, costs: Costs) -> Iterator[Remedy]:
    """Yield the earliest promise, to the hour, that is as sure as the gate asks."""
    order, priority = finding.verdict.order, finding.priority
    completion_s = np.sort(ward.ran.completion_s(order))
    count = len(completion_s)
    sure = [met for met in range(1, count + 1) if wilson(met, count)[1] >= ward.thresholds.of(priority)]
    if not sure:
        return
    late_s = float(np.quantile(completion_s, 0.9, method="inverted_cdf")) - ward.thresholds.late_s(priority)
    due_s = math.ceil(max(float(completion_s[sure[0] - 1]), late_s) / _ROUND_S) * _ROUND_S
    change = promised(_patient(ward, finding), costs, due_s)
    # Only what is due changes, and nothing waits for that: the same futures, held against other dates.
    remedy = _remedy(ward, finding, change, order_verdicts(replace(ward.ran, work=change.work)))
    if remedy is not None:
        yield remedy
