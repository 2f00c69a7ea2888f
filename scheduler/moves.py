"""Small changes of a sequence, compiled. Each is made where it can help: at a step that somebody waits for.

A move changes a trial sequence that equals the current one, and returns the first place that changed, -1 where there
was nothing to change. No move touches what is decided already, or puts anything before it on its machine.
"""

from __future__ import annotations

from scheduler.compiled import Dice, below, compiled, draw
from scheduler.neighbours import (
    Known,
    after_its_predecessors,
    before_its_followers,
    fits,
    next_of,
    shift,
    waits_for,
)
from scheduler.problem import Shop
from scheduler.runs import run_earlier, run_elsewhere
from scheduler.score import late_cost
from scheduler.shares import Shares
from scheduler.timing import MACHINE, PERSON, Sequence, may_share, ready_at

_FAR = 40
"""Steps of a machine that are looked at from where a step stands."""

_RUN_EARLIER = 2 / 3
"""Of the moves of a whole run, those that stay on its machine."""


@compiled
def earlier(shop: Shop, trial: Sequence, known: Known, dice: Dice, lead: int) -> int:
    """Put a step before others of its machine: most often just one."""
    ahead = known.times[lead].ahead
    if ahead < 0 or known.fixed[ahead]:
        return -1
    passed, target = 1 if draw(dice) < 0.5 else 1 + below(dice, 1 + below(dice, _FAR)), ahead
    while passed > 1 and known.times[target].ahead >= 0 and not known.fixed[known.times[target].ahead]:
        target, passed = known.times[target].ahead, passed - 1
    to = max(known.place[target], after_its_predecessors(shop, trial, known, lead))
    return shift(trial.steps, known.place[lead], to) if to <= known.place[ahead] else -1


@compiled
def later(shop: Shop, trial: Sequence, known: Known, dice: Dice, steps: int, lead: int) -> int:
    """Put a step behind others of its machine, at first those right behind it."""
    target, passed = lead, 1 if draw(dice) < 0.5 else 1 + below(dice, 1 + below(dice, _FAR))
    while passed > 0:
        behind = next_of(trial, known, target)
        if behind < 0:
            break
        target, passed = behind, passed - 1
    if target == lead:
        return -1
    to = min(known.place[target], before_its_followers(shop, trial, known, steps, lead))
    first = next_of(trial, known, lead)
    return shift(trial.steps, known.place[lead], to) if to >= known.place[first] else -1


@compiled
def gather(shop: Shop, trial: Sequence, known: Known, dice: Dice, steps: int, lead: int) -> int:
    """Put a step next to another of its family on its machine: the nearest one before it, or behind it."""
    family = shop.tasks[lead].family
    if draw(dice) < 0.5:
        found, next_ = known.times[lead].ahead, lead
        for _ in range(_FAR):
            if found < 0 or known.fixed[next_]:
                return -1
            if shop.tasks[found].family == family and next_ != lead:
                to = max(known.place[next_], after_its_predecessors(shop, trial, known, lead))
                passes = to <= known.place[known.times[lead].ahead]
                return shift(trial.steps, known.place[lead], to) if passes else -1
            found, next_ = known.times[found].ahead, found
        return -1
    found, passed = lead, lead
    for _ in range(_FAR):
        behind = next_of(trial, known, found)
        if behind < 0:
            return -1
        passed, found = found, behind
        if shop.tasks[found].family == family and passed != lead:
            to = min(known.place[passed], before_its_followers(shop, trial, known, steps, lead))
            return shift(trial.steps, known.place[lead], to) if to >= known.place[known.behind[lead]] else -1
    return -1


@compiled
def elsewhere(shop: Shop, trial: Sequence, known: Known, dice: Dice, steps: int, lead: int) -> int:
    """Put a step on another machine that can take it, near the time at which it is ready."""
    first = shop.tasks[lead].option
    count = shop.tasks[lead + 1].option - first
    if count < 2:
        return -1
    machine = shop.option[first + below(dice, count)]
    if machine == trial.of[lead].machine or not fits(shop, trial, lead, machine):
        return -1
    ready_s, _ = ready_at(shop, trial, known.times, lead, machine)
    last, to, skip = known.last[machine], -1, below(dice, 3)
    while last >= 0 and not known.fixed[last] and (known.times[last].begin >= ready_s or skip > 0):
        if known.times[last].begin < ready_s:
            skip -= 1
        to, last = known.place[last], known.times[last].ahead
    from_, behind = known.place[lead], known.place[last] + 1 if last >= 0 else 0
    to = max(to, behind, after_its_predecessors(shop, trial, known, lead))
    to = min(to - 1 if to > from_ else to, before_its_followers(shop, trial, known, steps, lead))
    if last >= 0 and known.fixed[last] and to < (behind - 1 if from_ < behind else behind):
        return -1
    trial.of[lead].machine = machine
    return shift(trial.steps, from_, to)


@compiled
def split(shop: Shop, trial: Sequence, known: Known, dice: Dice, steps: int, lead: int) -> int:
    """Let the last member of a batch go alone, right behind it; there is one step more then."""
    member = lead
    while trial.of[trial.of[member].joined].joined >= 0:
        member = trial.of[member].joined
    alone, place = trial.of[member].joined, known.place[lead]
    trial.of[member].joined = -1
    trial.of[alone].lead, trial.of[alone].machine = alone, trial.of[lead].machine
    trial.steps[steps] = alone
    return shift(trial.steps, steps, place + 1) - 1


@compiled
def join(shop: Shop, trial: Sequence, known: Known, dice: Dice, steps: int, lead: int) -> int:
    """Let a task go with a step of its family before it on its machine that has room; there is one step less then."""
    found = known.times[lead].ahead
    skip = below(dice, 3)
    for _ in range(_FAR):
        if found < 0 or known.fixed[found]:
            return -1
        if may_join(shop, trial, lead, found):
            if skip == 0:
                break
            skip -= 1
        found = known.times[found].ahead
    else:
        return -1
    place, to = known.place[lead], known.place[found]
    place_of_both = max(to, after_its_predecessors(shop, trial, known, lead) - 1)
    if place_of_both > before_its_followers(shop, trial, known, steps, found) or place_of_both >= place:
        return -1
    shift(trial.steps, place, steps - 1)
    end = found
    while trial.of[end].joined >= 0:
        end = trial.of[end].joined
    trial.of[end].joined = lead
    member = lead
    while member >= 0:
        trial.of[member].lead = found
        member = trial.of[member].joined
    return int(min(shift(trial.steps, to, place_of_both), place))


@compiled
def may_join(shop: Shop, sequence: Sequence, lead: int, other: int) -> bool:
    """Tell whether the members of two steps on one machine may go together."""
    room = shop.machines[sequence.of[other].machine].capacity
    if not may_share(shop, lead, other) or waits_for(shop, sequence, lead, other):
        return False
    for first in (lead, other):
        member = first
        while member >= 0:
            member, room = sequence.of[member].joined, room - 1
    return bool(room >= 0)


@compiled
def change(
    shop: Shop, trial: Sequence, known: Known, dice: Dice, shares: Shares, steps: int, lead: int
) -> tuple[int, int]:
    """Change the sequence at a step; return the first place that changed (-1: none) and how many steps there are."""
    if known.fixed[lead]:
        return -1, steps
    chance, capacity = draw(dice), shop.machines[trial.of[lead].machine].capacity
    if capacity > 1:
        if trial.of[lead].joined >= 0 and chance < shares.split:
            return split(shop, trial, known, dice, steps, lead), steps + 1
        if chance < shares.join:
            found = join(shop, trial, known, dice, steps, lead)
            return found, steps - 1 if found >= 0 else steps
    chance = draw(dice)
    if chance < shares.run:
        if draw(dice) < _RUN_EARLIER:
            return run_earlier(shop, trial, known, dice, lead), steps
        return run_elsewhere(shop, trial, known, dice, lead), steps
    chance = draw(dice)
    if chance < shares.earlier:
        return earlier(shop, trial, known, dice, lead), steps
    if chance < shares.ahead:
        ahead = known.times[lead].ahead
        if ahead < 0 or known.fixed[ahead]:
            return -1, steps
        return later(shop, trial, known, dice, steps, ahead), steps
    if chance < shares.gather:
        return gather(shop, trial, known, dice, steps, lead), steps
    if chance < shares.elsewhere:
        return elsewhere(shop, trial, known, dice, steps, lead), steps
    return later(shop, trial, known, dice, steps, lead), steps


@compiled
def blocked(sequence: Sequence, known: Known, dice: Dice, task: int) -> int:
    """Return a step that waited for its machine or for somebody, on the chain that ends with a task; -1 for none.

    Each one on the chain is as likely as any other.
    """
    lead, found, count = sequence.of[task].lead, -1, 0
    while lead >= 0:
        if known.times[lead].waited in (MACHINE, PERSON) and not known.fixed[lead]:
            count += 1
            if below(dice, count) == 0:
                found = lead
        cause = known.times[lead].cause
        lead = sequence.of[cause].lead if cause >= 0 else -1
    return found


@compiled
def late_task(shop: Shop, known: Known, dice: Dice) -> int:
    """Return the last task of a late order, chosen by what its lateness costs; -1 where none is late."""
    total, found = 0.0, -1
    for order in range(shop.orders.size):
        cost = late_cost(shop, order, known.completed[order])
        if cost > 0:
            total += cost
            if draw(dice) * total < cost:
                found = order
    if found < 0:
        return -1
    place, end = shop.last_edge[found], shop.last_edge[found + 1]
    while place + 1 < end and known.times[shop.last[place]].finish < known.completed[found]:
        place += 1
    return int(shop.last[place])
