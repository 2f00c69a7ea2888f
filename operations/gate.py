"""The gate: may this plan go to the floor? Judged against what happens if the plan in force is left alone.

An order that the plan makes late is refused for; an order that is late with or without the plan is not a reason
to hold up all others, and becomes a note.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from plant.checks import require
from plant.order import Priority
from plant.verdict import Judgement, OrderVerdict, Verdict


@dataclass(frozen=True)
class Thresholds:
    """What the gate asks of P(on time): the lower bound of its 95 % interval, per order class.

    Attributes
    ----------
    tolerance
        How much less likely to be on time than under the plan in force an order may become (midpoints).
    """

    high: float = 0.90
    normal: float = 0.80
    tolerance: float = 0.02

    def __post_init__(self) -> None:
        for name in ("high", "normal", "tolerance"):
            value = getattr(self, name)
            require(0 <= value <= 1, f"gate threshold {name} must be between 0 and 1, not {value!r}")

    def of(self, priority: Priority) -> float:
        """Return the threshold of a class."""
        return self.high if priority is Priority.HIGH else self.normal


def judge_plan(
    candidate: Verdict,
    keep: Verdict | None,
    priorities: Mapping[str, Priority],
    thresholds: Thresholds,
    zone: tzinfo = UTC,
) -> Judgement:
    """Return whether a plan may be released, and why not.

    Parameters
    ----------
    candidate, keep
        What the twin says of the plan, and of leaving the plan in force (None when there is none).
    zone
        The plant's time zone; dates in the sentences are told in it.

    Raises
    ------
    InvalidInput
        If an order's priority is not given.
    """
    if not candidate.orders or candidate.replications <= 0:
        return Judgement(False, ("There is nothing to judge: the rehearsal says nothing of any order.",))
    kept = {one.order: one for one in keep.orders} if keep is not None else {}
    reasons: list[str] = []
    notes: list[str] = []
    for verdict in candidate.orders:
        require(verdict.order in priorities, f"the priority of order {verdict.order} is not known to the gate")
        priority = priorities[verdict.order]
        threshold = thresholds.of(priority)
        if verdict.on_time_low >= threshold:
            continue
        told = _told(verdict, priority, threshold, zone)
        before = kept.get(verdict.order)
        if before is not None and verdict.on_time >= before.on_time - thresholds.tolerance:
            notes.append(f"{told} No worse than the plan in force ({_percent(before.on_time)}), so it does not block.")
        elif before is not None:
            reasons.append(f"{told} The plan in force does better for it: {_percent(before.on_time)}.")
        else:
            reasons.append(told if keep is None else f"{told} The plan in force does not cover it.")
    reasons += [
        f"{order} is covered by the plan in force, but not by this one; plan all open orders together."
        for order in kept
        if order not in {one.order for one in candidate.orders}
    ]
    return Judgement(not reasons, tuple(reasons), tuple(notes))


def _told(verdict: OrderVerdict, priority: Priority, threshold: float, zone: tzinfo) -> str:
    """Tell an order's risk: probability, what is asked, due date, P50 and by how much it misses."""
    return (
        f"{verdict.order} ({priority} priority) is on time with a probability of {_percent(verdict.on_time)} "
        f"(at least {_percent(verdict.on_time_low)} at 95 % confidence); the gate asks for {_percent(threshold)}. "
        f"It is due {_moment(verdict.due_at, zone)}; {_finish(verdict, zone)}."
    )


def _finish(verdict: OrderVerdict, zone: tzinfo) -> str:
    late = verdict.p50 - verdict.due_at
    half = f"half of the futures finish it by {_moment(verdict.p50, zone)}"
    if late > timedelta(0):
        return f"{half}, {_span(late)} late"
    worst = verdict.p95 - verdict.due_at
    if worst <= timedelta(0):
        return f"{half}, and nearly all in time: rehearse more replications to be sure"
    return f"{half}, {_span(-late)} early, but one in twenty is {_span(worst)} late or more"


def _moment(moment: datetime, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%a %d %b %H:%M}"


def _percent(share: float) -> str:
    """Return a share as a percentage that does not round to a threshold it misses."""
    return "no number" if math.isnan(share) else f"{math.floor(share * 1000 + 1e-9) / 10:g} %"


def _span(span: timedelta) -> str:
    """Return a span of time as a planner says it: minutes, hours or days."""
    minutes = round(span.total_seconds() / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours = span.total_seconds() / 3600
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} days"
