"""A conflict in shop words: steps of an order that follow each other are told at once, not each by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from plant.text import Told, listed, told
from plant.work import Task, Work
from scheduler.requirement import Kind, Requirement, able, shortest_lag_s, words

_LEAST_LINKS = 2
"""A chain without a date is told as one from so many waits on."""


@dataclass(frozen=True)
class Chain:
    """Steps of one order each of which waits for the one before.

    Attributes
    ----------
    links
        Requirements, one fewer than tasks.
    least_s
        Clock seconds from the start of the first to the end of the last, each on its fastest machine, in open time.
    """

    tasks: tuple[Task, ...]
    links: tuple[Requirement, ...]
    least_s: float

    @property
    def order(self) -> str:
        """Whose steps they are."""
        return self.tasks[0].order


def sentences(work: Work, requirements: Sequence[Requirement], zone: tzinfo = UTC) -> tuple[Told, ...]:
    """Return what the requirements say together, in their order; moments are told in the plant's time zone."""
    found: dict[Requirement, Told] = {}
    said: set[Requirement] = set()
    for chain in (*chains(work, requirements), *_single_steps(work, requirements)):
        parts = _about(work, chain, requirements, said)
        if parts:
            new = [one for one in requirements if one in parts and one not in said]
            found[new[0]] = _sentence(work, chain, parts, zone)
            said.update(parts)
    for one in requirements:
        if one not in said:
            found[one] = words(work, one, zone)
    return tuple(found[one] for one in requirements if one in found)


def chains(work: Work, requirements: Iterable[Requirement]) -> Iterator[Chain]:
    """Yield chains of steps of one order, the longest first; every wait within an order is in one of them."""
    links = [one for one in requirements if one.kind is Kind.PREDECESSOR and _within_order(work, one)]
    while links:
        chain = _longest(work, links)
        links = [one for one in links if one not in chain.links]
        yield chain


def _single_steps(work: Work, requirements: Sequence[Requirement]) -> Iterator[Chain]:
    """Yield the one step of each order whose date cannot be met, where it is clear which and it waits for no other."""
    linked = {name for one in requirements if one.kind is Kind.PREDECESSOR for name in (one.subject, one.other)}
    for deadline in (one for one in requirements if one.kind is Kind.DEADLINE):
        steps = [task for task in work.tasks if task.order == deadline.subject]
        if any(task.id in linked for task in steps):
            continue
        about = [one for one in requirements if one.kind in {Kind.RELEASE, Kind.SKILL}]
        named = {one.subject for one in about}
        asked = [task for task in steps if task.id in named] or steps
        late = {one.subject for one in about if one.at_s >= deadline.at_s}  # no time at all: told by itself
        if len(asked) == 1 and asked[0].id not in late:
            yield Chain((asked[0],), (), _least_s(asked[0]))


def _within_order(work: Work, link: Requirement) -> bool:
    return link.other in work.by_id and work.by_id[link.other].order == work.by_id[link.subject].order


def _longest(work: Work, links: Sequence[Requirement]) -> Chain:
    """Return the chain among `links` that takes longest."""
    into: dict[str, list[Requirement]] = {}
    for link in links:
        into.setdefault(link.subject, []).append(link)
    named = {name for link in links for name in (link.subject, link.other)}
    best: dict[str, Chain] = {}
    for task in (task for task in work.tasks if task.id in named):  # each after all it waits for
        ways = [Chain((task,), (), _least_s(task))]
        for link in into.get(task.id, ()):
            before, lag_s = best[link.other], shortest_lag_s(work, task, link.other)
            ways.append(Chain((*before.tasks, task), (*before.links, link), before.least_s + lag_s + _least_s(task)))
        best[task.id] = max(ways, key=lambda chain: (chain.least_s, len(chain.links)))
    return max((chain for chain in best.values() if chain.links), key=lambda chain: chain.least_s)


def _least_s(task: Task) -> float:
    return min(task.durations_s.values()) if task.running is None else task.running.remaining_s


def _about(work: Work, chain: Chain, requirements: Sequence[Requirement], said: set[Requirement]) -> list[Requirement]:
    """Return the requirements that one sentence about a chain tells; none where each is better told by itself."""
    deadline = [one for one in requirements if one.kind is Kind.DEADLINE and one.subject == chain.order]
    if not deadline and len(chain.links) < _LEAST_LINKS:
        return []
    names = {task.id for task in chain.tasks}
    machines = {name for task in chain.tasks for name in task.durations_s} - _used_by_others(work, chain, requirements)
    about = [
        one
        for one in requirements
        if (one.kind is Kind.RELEASE and one.subject == chain.tasks[0].id)
        or (one.kind is Kind.SKILL and one.subject in names and able(work, work.by_id[one.subject]))
        or (one.kind is Kind.HOURS and one.subject in machines and one not in said)
    ]
    return [*deadline, *chain.links, *about]


def _used_by_others(work: Work, chain: Chain, requirements: Sequence[Requirement]) -> set[str]:
    """Return the machines that may take steps of other orders in the conflict: their hours concern more than one."""
    orders = {one.subject for one in requirements if one.kind is Kind.DEADLINE}
    orders |= {work.by_id[one.subject].order for one in requirements if one.subject in work.by_id}
    others = orders - {chain.order}
    return {name for task in work.tasks if task.order in others for name in task.durations_s}


def _sentence(work: Work, chain: Chain, about: Sequence[Requirement], zone: tzinfo) -> Told:
    by_kind: dict[Kind, list[Requirement]] = {}
    for one in about:
        by_kind.setdefault(one.kind, []).append(one)
    begins_s = by_kind[Kind.RELEASE][0].at_s if Kind.RELEASE in by_kind else 0.0
    ends = work.moment(by_kind[Kind.DEADLINE][0].at_s).astimezone(zone) if Kind.DEADLINE in by_kind else None
    steps = _steps(chain, work.moment(begins_s).astimezone(zone), ends)
    hours = list(_hours(work, by_kind, begins_s, zone))
    return told("{steps}, with the hours of {whose} in the way", steps=steps, whose=listed(hours)) if hours else steps


def _steps(chain: Chain, begins: datetime, ends: datetime | None) -> Told:
    """Return what steps there are, from when to when they may be done (None: no date), and what they take."""
    values = {"order": chain.order, "first": chain.tasks[0].id, "begins": begins, "least": chain.least_s}
    if not chain.links:
        return told(
            "{order} has from {begins:moment} to {ends:moment} for {first}, which takes {least:span} at least",
            ends=ends,
            **values,
        )
    values |= {"last": chain.tasks[-1].id, "n": len(chain.tasks)}
    if ends is None:
        return told(
            "{n:count} steps of {order} one after the other, {first} to {last}, begin on {begins:moment} at the "
            "earliest and take {least:span} at least",
            **values,
        )
    return told(
        "{order} has from {begins:moment} to {ends:moment} for {n:count} steps one after the other, {first} to {last}, "
        "which take {least:span} at least",
        ends=ends,
        **values,
    )


def _hours(work: Work, by_kind: dict[Kind, list[Requirement]], begins_s: float, zone: tzinfo) -> Iterator[Told]:
    """Yield whose hours stand in the way: machines, then people with the skills they are needed for."""
    opening: dict[float, list[str]] = {}
    for one in sorted(by_kind.get(Kind.HOURS, ()), key=lambda one: (one.at_s, one.subject)):
        opening.setdefault(one.at_s, []).append(one.subject)
    for at_s, machines in opening.items():
        yield _since(told("{machines:words}", machines=machines), at_s, begins_s, work, zone)
    skills = {work.by_id[one.subject].skill: one for one in reversed(by_kind.get(Kind.SKILL, []))}
    for skill, one in skills.items():
        people = [person.id for person in able(work, work.by_id[one.subject])]
        whose = told("{people:words} ({skill})", people=people, skill=skill or "–")
        yield _since(whose, one.at_s, begins_s, work, zone)


def _since(whose: Told, at_s: float, begins_s: float, work: Work, zone: tzinfo) -> Told:
    """Return whose hours they are, and when they begin if that is later than the steps could."""
    if at_s <= begins_s:
        return whose
    return told("{whose} from {at:moment} on", whose=whose, at=work.moment(at_s).astimezone(zone))
