"""The gate: may this plan go to the floor? Judged against what happens if the plan in force is left alone.

An order that the plan makes late is refused for; an order that is late with or without the plan is not a reason
to hold up all others, and becomes a note.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo

from plant.checks import require
from plant.order import Priority
from plant.text import Text, Told, told
from plant.verdict import Judgement, OrderVerdict, Verdict

_CONFIDENCE = 0.95
"""Of the interval whose lower bound is asked about; see `twin.verdict`."""


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
            require(
                0 <= value <= 1,
                told("gate threshold {name} must be between 0 and 1, not {value}", name=name, value=value),
            )

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
        return Judgement(False, (told("There is nothing to judge: the rehearsal says nothing of any order."),))
    kept = {one.order: one for one in keep.orders} if keep is not None else {}
    reasons: list[Text] = []
    notes: list[Text] = []
    for verdict in candidate.orders:
        require(
            verdict.order in priorities,
            told("the priority of order {order} is not known to the gate", order=verdict.order),
        )
        priority = priorities[verdict.order]
        threshold = thresholds.of(priority)
        if verdict.on_time_low >= threshold:
            continue
        risk = _risk(verdict, priority, threshold, zone)
        before = kept.get(verdict.order)
        if before is not None and verdict.on_time >= before.on_time - thresholds.tolerance:
            notes.append(
                told(
                    "{risk} No worse than the plan in force ({before:percent}), so it does not block.",
                    risk=risk,
                    before=_share(before.on_time),
                )
            )
        elif before is not None:
            reasons.append(
                told(
                    "{risk} The plan in force does better for it: {before:percent}.",
                    risk=risk,
                    before=_share(before.on_time),
                )
            )
        else:
            reasons.append(risk if keep is None else told("{risk} The plan in force does not cover it.", risk=risk))
    reasons += [
        told(
            "{order} is covered by the plan in force, but not by this one; plan all open orders together.", order=order
        )
        for order in kept
        if order not in {one.order for one in candidate.orders}
    ]
    return Judgement(not reasons, tuple(reasons), tuple(notes))


def _risk(verdict: OrderVerdict, priority: Priority, threshold: float, zone: tzinfo) -> Told:
    """Tell an order's risk: probability, what is asked, due date, P50 and by how much it misses."""
    return told(
        "{order} ({priority:word} priority) is on time with a probability of {on_time:percent} "
        "(at least {low:percent} at {confidence:percent} confidence); the gate asks for {threshold:percent}. "
        "It is due {due:moment}; {finish}.",
        order=verdict.order,
        priority=priority.value,
        on_time=_share(verdict.on_time),
        low=_share(verdict.on_time_low),
        confidence=_CONFIDENCE,
        threshold=_share(threshold),
        due=verdict.due_at.astimezone(zone),
        finish=_finish(verdict, zone),
    )


def _finish(verdict: OrderVerdict, zone: tzinfo) -> Told:
    at, late = verdict.p50.astimezone(zone), (verdict.p50 - verdict.due_at).total_seconds()
    if late > 0:
        return told("half of the futures finish it by {at:moment}, {late:span} late", at=at, late=late)
    worst = (verdict.p95 - verdict.due_at).total_seconds()
    if worst <= 0:
        return told(
            "half of the futures finish it by {at:moment}, and nearly all in time: rehearse more replications to be "
            "sure",
            at=at,
        )
    return told(
        "half of the futures finish it by {at:moment}, {early:span} early, but one in twenty is {worst:span} late or "
        "more",
        at=at,
        early=-late,
        worst=worst,
    )


def _share(share: float) -> float | None:
    """Return a share cut to a tenth of a percent, so that it does not round to a threshold it misses."""
    return None if math.isnan(share) else math.floor(share * 1000 + 1e-9) / 1000
