"""Two plans held against each other, in words: which orders gain or lose, what moved, what changed its place. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from plant.plan import Plan, PlanVersion
from plant.text import Text, told
from plant.verdict import OrderVerdict

_NOTABLE_S = 60.0
"""Smaller changes of a start or a completion are not told."""
_TOLD_OF_EACH = 8
"""Sentences of one kind; of the rest their number is told."""


@dataclass(frozen=True)
class OrderChange:
    """When half of the futures complete an order, before and after; None where a plan does not cover it.

    Attributes
    ----------
    gain_s
        How much earlier it is, negative for later; None where one of the two is missing.
    """

    order: str
    before: datetime | None
    after: datetime | None
    gain_s: float | None
    on_time_before: float | None
    on_time_after: float | None


@dataclass(frozen=True)
class MachineChange:
    """A job order went to another machine."""

    job_order: str
    before: str
    after: str


@dataclass(frozen=True)
class PlaceChange:
    """A job order stands elsewhere in its machine's sequence; `now_before` is None where it is the last."""

    job_order: str
    machine: str
    now_before: str | None


@dataclass(frozen=True)
class TimeChange:
    """A job order that stays on its machine starts `earlier_s` sooner as planned, negative for later."""

    job_order: str
    machine: str
    earlier_s: float


@dataclass(frozen=True)
class PlanDiff:
    """What a plan does otherwise than another one.

    Attributes
    ----------
    orders
        Those whose completion changes, the largest loss first.
    places
        As few job orders as explain every changed sequence.
    frozen_moved
        Job orders that the other plan begins within the frozen zone and that changed machine or place.
    times
        What starts at another time on the same machine, by job order.
    """

    plan: str
    against: str
    orders: tuple[OrderChange, ...]
    machines: tuple[MachineChange, ...]
    places: tuple[PlaceChange, ...]
    frozen_moved: tuple[str, ...]
    times: tuple[TimeChange, ...] = ()


def compare(before: PlanVersion, after: PlanVersion, frozen_zone_s: float) -> PlanDiff:
    """Return what `after` does otherwise than `before`, as far as both hold it.

    Parameters
    ----------
    frozen_zone_s
        Counted from the moment `after` was made from.
    """
    machines = _machine_changes(before.plan, after.plan)
    places = _place_changes(before.plan, after.plan)
    changed = {one.job_order for one in (*machines, *places)}
    return PlanDiff(
        plan=after.id,
        against=before.id,
        orders=_order_changes(before.verdict.orders, after.verdict.orders),
        machines=machines,
        places=places,
        frozen_moved=tuple(sorted(changed & _within_zone(before.plan, after.plan, frozen_zone_s))),
        times=_time_changes(before.plan, after.plan),
    )


def _order_changes(before: Sequence[OrderVerdict], after: Sequence[OrderVerdict]) -> tuple[OrderChange, ...]:
    old, new = {one.order: one for one in before}, {one.order: one for one in after}
    changes = [_order_change(name, old.get(name), new.get(name)) for name in sorted({*old, *new})]
    notable = [one for one in changes if one.gain_s is None or abs(one.gain_s) >= _NOTABLE_S]
    return tuple(sorted(notable, key=lambda one: (one.gain_s is None, one.gain_s or 0.0, one.order)))


def _order_change(name: str, old: OrderVerdict | None, new: OrderVerdict | None) -> OrderChange:
    return OrderChange(
        order=name,
        before=old.p50 if old else None,
        after=new.p50 if new else None,
        gain_s=(old.p50 - new.p50).total_seconds() if old and new else None,
        on_time_before=old.on_time if old else None,
        on_time_after=new.on_time if new else None,
    )


def _machine_changes(before: Plan, after: Plan) -> tuple[MachineChange, ...]:
    old = before.by_job_order
    found = [
        MachineChange(one.job_order, old[one.job_order].machine, one.machine)
        for one in after.operations
        if one.job_order in old and old[one.job_order].machine != one.machine
    ]
    return tuple(sorted(found, key=lambda one: one.job_order))


def _time_changes(before: Plan, after: Plan) -> tuple[TimeChange, ...]:
    old, later_s = before.by_job_order, (after.epoch - before.epoch).total_seconds()
    found = [
        TimeChange(one.job_order, one.machine, old[one.job_order].start_s - one.start_s - later_s)
        for one in after.operations
        if one.job_order in old and old[one.job_order].machine == one.machine
    ]
    notable = [one for one in found if abs(one.earlier_s) >= _NOTABLE_S]
    return tuple(sorted(notable, key=lambda one: one.job_order))


def _place_changes(before: Plan, after: Plan) -> tuple[PlaceChange, ...]:
    found: list[PlaceChange] = []
    places = {name: _places(before, name) for name in after.sequences}
    for machine, steps in after.sequences.items():
        shared = [one.job_order for step in steps for one in step if one.job_order in places[machine]]
        stay = set(_longest_rising(shared, places[machine]))
        for place, name in enumerate(shared):
            if name not in stay:
                following = next((one for one in shared[place + 1 :] if one in stay), None)
                found.append(PlaceChange(name, machine, following))
    return tuple(found)


def _places(plan: Plan, machine: str) -> dict[str, int]:
    return {one.job_order: place for place, step in enumerate(plan.sequences.get(machine, ())) for one in step}


def _longest_rising(names: Sequence[str], place: Mapping[str, int]) -> list[str]:
    """Return a longest part of `names` whose places never fall (Schensted, Canadian Journal of Mathematics 13, 1961).

    Members of one batch share a place: they count as rising in any order.
    """
    ends: list[tuple[int, int]] = []  # of rising parts of each length the one that ends lowest: (place, number)
    previous: list[int] = []
    for number, name in enumerate(names):
        at = bisect_left(ends, (place[name], number))
        previous.append(ends[at - 1][1] if at else -1)
        ends[at : at + 1] = [(place[name], number)]
    found: list[str] = []
    at = ends[-1][1] if ends else -1
    while at >= 0:
        found.append(names[at])
        at = previous[at]
    return found[::-1]


def _within_zone(before: Plan, after: Plan, frozen_zone_s: float) -> set[str]:
    """Return what `before` begins before the zone ends; what it should have begun by then is frozen, too."""
    until_s = (after.epoch - before.epoch).total_seconds() + frozen_zone_s
    return {one.job_order for one in before.operations if one.start_s <= until_s}


def sentences(diff: PlanDiff, zone: tzinfo = UTC) -> tuple[Text, ...]:
    """Return the difference in words, the worst first; dates are told in the plant's time zone."""
    groups = (
        [_of_order(one, zone) for one in diff.orders],
        [told("{job_order} goes to {after} instead of {before}.", **vars(one)) for one in diff.machines],
        [_of_place(one) for one in diff.places],
        [
            told("{job_order} moved though it stands within the frozen zone.", job_order=one)
            for one in diff.frozen_moved
        ],
    )
    if not any(groups):
        return (told("Both plans do the same in the same order."),)
    return tuple(sentence for group in groups for sentence in _shortened(group))


def _shortened(group: Sequence[Text]) -> Sequence[Text]:
    more = len(group) - _TOLD_OF_EACH
    return group if more <= 1 else [*group[:_TOLD_OF_EACH], told("… and {n:count} more of this kind.", n=more)]


def _of_order(one: OrderChange, zone: tzinfo) -> Text:
    if one.after is None:
        return told("{order} is no longer planned.", order=one.order)
    after = one.after.astimezone(zone)
    if one.before is None or one.gain_s is None:
        return told("{order} is new: half of the futures finish it by {after:moment}.", order=one.order, after=after)
    values = {
        "order": one.order,
        "by": abs(one.gain_s),
        "after": after,
        "before": one.before.astimezone(zone),
        "on_time": round(one.on_time_after or 0.0, 3),
        "was": round(one.on_time_before or 0.0, 3),
    }
    if values["on_time"] == values["was"]:  # a difference that would be shown as two equal numbers is none
        return _as_sure_as_before(one.gain_s, values)
    if one.gain_s > 0:
        return told(
            "{order} gains {by:span}: {after:moment} instead of {before:moment}, on time with {on_time:percent} "
            "instead of {was:percent}.",
            **values,
        )
    return told(
        "{order} loses {by:span}: {after:moment} instead of {before:moment}, on time with {on_time:percent} instead of "
        "{was:percent}.",
        **values,
    )


def _as_sure_as_before(gain_s: float, values: Mapping[str, Any]) -> Text:
    if gain_s > 0:
        return told(
            "{order} gains {by:span}: {after:moment} instead of {before:moment}, on time with {on_time:percent} "
            "as before.",
            **values,
        )
    return told(
        "{order} loses {by:span}: {after:moment} instead of {before:moment}, on time with {on_time:percent} as before.",
        **values,
    )


def _of_place(one: PlaceChange) -> Text:
    if one.now_before is None:
        return told("{job_order} comes last on {machine} now.", job_order=one.job_order, machine=one.machine)
    return told("{job_order} comes before {now_before} on {machine} now.", **vars(one))
