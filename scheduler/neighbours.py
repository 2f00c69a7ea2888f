"""Where the steps of a sequence stand to each other, compiled: what every move looks at before it is made."""

from __future__ import annotations

from typing import NamedTuple

from scheduler.compiled import Flags, Floats, Records, Whole, compiled
from scheduler.problem import Shop
from scheduler.timing import Sequence


class Known(NamedTuple):
    """What is known of the current sequence.

    Attributes
    ----------
    times
        Records of `scheduler.timing.TIME`.
    place
        Each lead's place among the steps.
    behind
        The lead after each on its machine, where that one's `ahead` agrees.
    fixed
        Leads that are decided already.
    last
        Per machine its last lead, -1 for none.
    completed
        Per order, when it is done.
    """

    times: Records
    place: Whole
    behind: Whole
    fixed: Flags
    last: Whole
    completed: Floats


@compiled
def note(sequence: Sequence, known: Known, steps: int) -> None:
    """Note places and neighbours of all steps."""
    known.last[:] = -1
    for place in range(steps):
        lead = sequence.steps[place]
        known.place[lead], known.behind[lead] = place, -1
        ahead = known.times[lead].ahead
        if ahead >= 0:
            known.behind[ahead] = lead
        known.last[sequence.of[lead].machine] = lead


@compiled
def next_of(sequence: Sequence, known: Known, lead: int) -> int:
    """Return the lead behind one on its machine, -1 for none."""
    behind = known.behind[lead]
    if behind < 0 or sequence.of[behind].lead != behind or known.times[behind].ahead != lead:
        return -1
    return int(behind)


@compiled
def after_its_predecessors(shop: Shop, sequence: Sequence, known: Known, lead: int) -> int:
    """Return the first place behind all that a step's members wait for."""
    found, member = 0, lead
    while member >= 0:
        for place in range(shop.tasks[member].before, shop.tasks[member + 1].before):
            found = max(found, known.place[sequence.of[shop.before[place].task].lead] + 1)
        member = sequence.of[member].joined
    return found


@compiled
def before_its_followers(shop: Shop, sequence: Sequence, known: Known, steps: int, lead: int) -> int:
    """Return the last place before all that waits for a step's members."""
    found, member = steps - 1, lead
    while member >= 0:
        for place in range(shop.tasks[member].after, shop.tasks[member + 1].after):
            after = shop.after[place]
            if not shop.tasks[after].running:
                found = min(found, known.place[sequence.of[after].lead] - 1)
        member = sequence.of[member].joined
    return found


@compiled
def shift(steps: Whole, from_: int, to: int) -> int:
    """Move the step at one place to another; return the first place that changed."""
    lead, toward = steps[from_], -1 if to < from_ else 1
    for place in range(from_, to, toward):
        steps[place] = steps[place + toward]
    steps[to] = lead
    return min(from_, to)


@compiled
def fits(shop: Shop, sequence: Sequence, lead: int, machine: int) -> bool:
    """Tell whether a machine can take all members of a step at once."""
    member, room = lead, shop.machines[machine].capacity
    while member >= 0:
        if shop.duration[member, machine] < 0 or room == 0:
            return False
        member, room = sequence.of[member].joined, room - 1
    return True


@compiled
def waits_for(shop: Shop, sequence: Sequence, lead: int, other: int) -> bool:
    """Tell whether a member of a step waits for a member of another."""
    member = lead
    while member >= 0:
        for place in range(shop.tasks[member].before, shop.tasks[member + 1].before):
            if sequence.of[shop.before[place].task].lead == other:
                return True
        member = sequence.of[member].joined
    return False
