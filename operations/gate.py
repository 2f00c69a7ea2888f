"""The gate: may this plan go to the floor? Judged against what happens if the plan in force is left alone.

An order that the plan makes late is refused for; an order that is late with or without the plan is not a reason to
hold up all others, and becomes a note. So does, in a plan that nobody asked for, an order that came since and would be
late alone in the shop.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo

from plant.checks import require, require_not_negative
from plant.order import Priority
from plant.text import Text, Told, told
from plant.verdict import Binding, BindingKind, Judgement, OrderVerdict, Remedy, Verdict, WaitVerdict

_CONFIDENCE = 0.95
"""Of the interval whose lower bound is asked about; see `twin.verdict`."""


@dataclass(frozen=True)
class Thresholds:
    """What the gate asks, per order class.

    Attributes
    ----------
    high, normal
        Of P(on time): the lower bound of its 95 % interval.
    tolerance
        How much less likely to be on time than under the plan in force an order may become (midpoints).
    late_high_s, late_normal_s
        Budget of tardiness: one future in ten may be that late, or later, but no more. An order that is late under the
        plan in force, too, may become later by as much.
    longest_wait
        Share of the futures in which an order may wait longer than it may anywhere; 1: that is noted, and blocks no
        plan.
    """

    high: float = 0.90
    normal: float = 0.80
    tolerance: float = 0.02
    late_high_s: float = 24 * 3600.0
    late_normal_s: float = 72 * 3600.0
    longest_wait: float = 1.0

    def __post_init__(self) -> None:
        for name in ("high", "normal", "tolerance", "longest_wait"):
            value = getattr(self, name)
            require(
                0 <= value <= 1,
                told("gate threshold {name} must be between 0 and 1, not {value}", name=name, value=value),
            )
        for name in ("late_high_s", "late_normal_s"):
            require_not_negative(f"gate budget {name}", getattr(self, name))

    def of(self, priority: Priority) -> float:
        """Return the threshold of a class."""
        return self.high if priority is Priority.HIGH else self.normal

    def late_s(self, priority: Priority) -> float:
        """Return the budget of tardiness of a class."""
        return self.late_high_s if priority is Priority.HIGH else self.late_normal_s


@dataclass(frozen=True)
class Finding:
    """An order that misses what the gate asks.

    Attributes
    ----------
    before
        What becomes of it under the plan in force; None where there is none or it does not cover it.
    alone
        What would become of it alone in the shop, where it came since the plan in force was made and misses what the
        gate asks even so; else None.
    blocks
        Whether it is a reason to refuse the plan; else a note.
    """

    verdict: OrderVerdict
    priority: Priority
    before: OrderVerdict | None
    alone: OrderVerdict | None
    blocks: bool


Alone = Callable[[str], OrderVerdict]
"""Returns what would become of an order alone in the shop."""


def findings(
    candidate: Verdict,
    keep: Verdict | None,
    priorities: Mapping[str, Priority],
    thresholds: Thresholds,
    alone: Alone | None = None,
) -> tuple[Finding, ...]:
    """Return the orders that miss what the gate asks.

    Parameters
    ----------
    candidate, keep
        What the twin says of the plan, and of leaving the plan in force (None when there is none).
    alone
        Asked of orders that the plan in force does not cover; None: each of them that misses what is asked blocks.

    Raises
    ------
    InvalidInput
        If an order's priority is not given.
    """
    kept = {one.order: one for one in keep.orders} if keep is not None else {}
    found = []
    for verdict in candidate.orders:
        require(
            verdict.order in priorities,
            told("the priority of order {order} is not known to the gate", order=verdict.order),
        )
        priority = priorities[verdict.order]
        if not meets(verdict, priority, thresholds):
            before = kept.get(verdict.order)
            at_best = alone(verdict.order) if alone is not None and keep is not None and before is None else None
            hopeless = None if at_best is None or meets(at_best, priority, thresholds) else at_best
            no_worse = before is not None and _no_worse(verdict, before, priority, thresholds)
            found.append(Finding(verdict, priority, before, hopeless, blocks=not no_worse and hopeless is None))
    return tuple(found)


def meets(verdict: OrderVerdict, priority: Priority, thresholds: Thresholds) -> bool:
    """Tell whether an order is as sure as the gate asks."""
    return verdict.on_time_low >= thresholds.of(priority) and verdict.tardiness_p90_s <= thresholds.late_s(priority)


def _no_worse(verdict: OrderVerdict, before: OrderVerdict, priority: Priority, thresholds: Thresholds) -> bool:
    likely = verdict.on_time >= before.on_time - thresholds.tolerance
    return likely and verdict.tardiness_p90_s <= before.tardiness_p90_s + thresholds.late_s(priority)


def judge_plan(
    candidate: Verdict,
    keep: Verdict | None,
    priorities: Mapping[str, Priority],
    thresholds: Thresholds,
    zone: tzinfo = UTC,
    problems: Sequence[Text] = (),
    remedies: Sequence[Remedy] = (),
    alone: Alone | None = None,
) -> Judgement:
    """Return whether a plan may be released, and why not.

    Parameters
    ----------
    candidate, keep
        What the twin says of the plan, and of leaving the plan in force (None when there is none).
    zone
        The plant's time zone; dates in the sentences are told in it.
    problems
        What makes the plan impossible, or what it moves that must stay: each is a reason.
    remedies
        What would let orders pass; each order's cheapest is named with the reason.
    alone
        As in `findings`.

    Raises
    ------
    InvalidInput
        If an order's priority is not given.
    """
    if problems:
        return Judgement(False, tuple(problems))
    if not candidate.orders or candidate.replications <= 0:
        return Judgement(False, (told("There is nothing to judge: the rehearsal says nothing of any order."),))
    found = findings(candidate, keep, priorities, thresholds, alone)
    bindings = {one.order: one for one in candidate.bindings}
    cheapest = {one.order: one for one in sorted(remedies, key=lambda one: -one.cost)}
    reasons: list[Text] = [
        _reason(one, keep, bindings.get(one.verdict.order), cheapest.get(one.verdict.order), thresholds, zone)
        for one in found
        if one.blocks
    ]
    reasons += _forgotten(candidate, keep)
    notes: list[Text] = [_note(one, thresholds, zone) for one in found if not one.blocks]
    for wait in candidate.waits:
        (reasons if spoils(wait, keep, thresholds) else notes).append(_too_long(wait))
    return Judgement(not reasons, tuple(reasons), tuple(notes), tuple(remedies) if reasons else ())


def spoils(wait: WaitVerdict, keep: Verdict | None, thresholds: Thresholds) -> bool:
    """Tell whether an order waits too long too often to let the plan pass, and not so under the plan in force."""
    kept = {one.order: one.broken for one in keep.waits} if keep is not None else {}
    return wait.broken > max(thresholds.longest_wait, kept.get(wait.order, 0.0) + thresholds.tolerance)


def _too_long(wait: WaitVerdict) -> Told:
    return told(
        "{order} may spoil: in {broken:percent} of the futures it waits longer than it may. {job} is to begin within "
        "{most:span} after {before}; where it does not, it comes {over:span} too late on average.",
        order=wait.order,
        broken=wait.broken,
        job=wait.job_order,
        most=wait.most_s,
        before=wait.before,
        over=wait.over_s,
    )


def _forgotten(candidate: Verdict, keep: Verdict | None) -> Iterator[Told]:
    covered = {one.order for one in candidate.orders}
    for one in () if keep is None else keep.orders:
        if one.order not in covered:
            yield told(
                "{order} is covered by the plan in force, but not by this one; plan all open orders together.",
                order=one.order,
            )


def _note(finding: Finding, thresholds: Thresholds, zone: tzinfo) -> Told:
    if finding.alone is not None:
        return told(
            "{risk} Alone in the shop it would not be sure enough either ({alone:percent}), so it does not block: "
            "agree on another date.",
            risk=_risk(finding, thresholds, zone),
            alone=_share(finding.alone.on_time),
        )
    assert finding.before is not None
    return told(
        "{risk} No worse than the plan in force ({before:percent}), so it does not block.",
        risk=_risk(finding, thresholds, zone),
        before=_share(finding.before.on_time),
    )


def _reason(
    finding: Finding,
    keep: Verdict | None,
    binding: Binding | None,
    cheapest: Remedy | None,
    thresholds: Thresholds,
    zone: tzinfo,
) -> Told:
    """Tell why an order blocks: its risk, how it compares, what holds it up, and what would help at the least cost."""
    reason = _compared(finding, keep, thresholds, zone)
    if binding is not None:
        reason = told("{reason} {binding}", reason=reason, binding=_held_up(binding))
    if cheapest is not None:
        reason = told(
            "{reason} Cheapest remedy: {remedy} (cost {cost:count}); then it is on time with {on_time:percent}.",
            reason=reason,
            remedy=cheapest.what,
            cost=round(cheapest.cost),
            on_time=_share(cheapest.on_time),
        )
    return reason


def _compared(finding: Finding, keep: Verdict | None, thresholds: Thresholds, zone: tzinfo) -> Told:
    risk, before = _risk(finding, thresholds, zone), finding.before
    if keep is None:
        return risk
    if before is None:
        return told("{risk} The plan in force does not cover it.", risk=risk)
    if finding.verdict.on_time >= before.on_time - thresholds.tolerance:
        return told(
            "{risk} The plan in force does better for it: one future in ten is {before:span} late or more.",
            risk=risk,
            before=before.tardiness_p90_s,
        )
    return told(
        "{risk} The plan in force does better for it: {before:percent}.", risk=risk, before=_share(before.on_time)
    )


def _held_up(binding: Binding) -> Told:
    """Tell what an order waits for longest."""
    if binding.kind is BindingKind.MACHINE:
        return told(
            "It waits longest for {machine}, on average {span:span} behind other orders.",
            machine=binding.subject,
            span=binding.waited_s,
        )
    if binding.kind is BindingKind.PERSON:
        return told(
            "It waits longest for {person}, on average {span:span} while machine and parts are there.",
            person=binding.subject,
            span=binding.waited_s,
        )
    if binding.kind is BindingKind.MATERIAL:
        return told(
            "It waits longest for material, on average {span:span} ({delivery}).",
            delivery=binding.subject,
            span=binding.waited_s,
        )
    return told("Nothing else holds it up: its own work alone takes too long for its due date.")


def _risk(finding: Finding, thresholds: Thresholds, zone: tzinfo) -> Told:
    """Tell an order's risk: probability, what is asked, due date, P50 and by how much it misses."""
    verdict, priority = finding.verdict, finding.priority
    due, finish = verdict.due_at.astimezone(zone), _finish(verdict, zone)
    if verdict.on_time_low >= thresholds.of(priority):
        return told(
            "{order} ({priority:word} priority) is {late:span} late or more in one future of ten; the gate allows "
            "{allowed:span}. It is due {due:moment}; {finish}.",
            order=verdict.order,
            priority=priority.value,
            late=verdict.tardiness_p90_s,
            allowed=thresholds.late_s(priority),
            due=due,
            finish=finish,
        )
    return told(
        "{order} ({priority:word} priority) is on time with a probability of {on_time:percent} "
        "(at least {low:percent} at {confidence:percent} confidence); the gate asks for {threshold:percent}. "
        "It is due {due:moment}; {finish}.",
        order=verdict.order,
        priority=priority.value,
        on_time=_share(verdict.on_time),
        low=_share(verdict.on_time_low),
        confidence=_CONFIDENCE,
        threshold=_share(thresholds.of(priority)),
        due=due,
        finish=finish,
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
