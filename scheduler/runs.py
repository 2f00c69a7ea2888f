"""Moves of a whole run of one family, compiled: its changeovers go with it, where single steps would break it up."""

from __future__ import annotations

from scheduler.compiled import Dice, below, compiled, draw
from scheduler.neighbours import Known, after_its_predecessors, fits, next_of, shift
from scheduler.problem import Shop
from scheduler.timing import Sequence

_LONGEST = 12
"""Steps of a run that are looked at."""

_WHOLE = 0.7
"""Chance that a run moves from its beginning on; else from the step on that was asked for."""


@compiled
def first_of_run(shop: Shop, known: Known, lead: int) -> int:
    """Return the lead that opens the run of one family in which a step stands."""
    found = lead
    for _ in range(_LONGEST):
        ahead = known.times[found].ahead
        if ahead < 0 or known.fixed[ahead] or shop.tasks[ahead].family != shop.tasks[lead].family:
            break
        found = ahead
    return found


@compiled
def run_earlier(shop: Shop, trial: Sequence, known: Known, dice: Dice, lead: int) -> int:
    """Put the run from a step on before one of the runs before it on its machine."""
    one = first_of_run(shop, known, lead) if draw(dice) < _WHOLE else lead
    target = known.times[one].ahead
    if target < 0 or known.fixed[target]:
        return -1
    target = first_of_run(shop, known, target)
    for _ in range(below(dice, 3)):
        ahead = known.times[target].ahead
        if ahead < 0 or known.fixed[ahead]:
            break
        target = first_of_run(shop, known, ahead)
    family, first, to = shop.tasks[one].family, -1, known.place[target]
    for moved in range(_LONGEST):
        behind, from_ = next_of(trial, known, one), known.place[one]
        to = min(max(to, after_its_predecessors(shop, trial, known, one) + moved), from_)
        if first < 0 and to == from_:
            return -1
        shift(trial.steps, from_, to)
        first = to if first < 0 else first
        to, one = to + 1, behind
        if one < 0 or shop.tasks[one].family != family:
            break
    return first


@compiled
def run_elsewhere(shop: Shop, trial: Sequence, known: Known, dice: Dice, lead: int) -> int:
    """Let the run from a step on go to another machine, at the time at which it stands."""
    one = first_of_run(shop, known, lead) if draw(dice) < _WHOLE else lead
    machine = other_machine(shop, trial, dice, one)
    first, family = -1, shop.tasks[one].family
    if machine < 0:
        return -1
    decided = last_fixed(known, machine)
    for _ in range(_LONGEST):
        if known.fixed[one] or known.place[one] < decided or not fits(shop, trial, one, machine):
            break
        behind = next_of(trial, known, one)
        trial.of[one].machine = machine
        first = known.place[one] if first < 0 else first
        one = behind
        if one < 0 or shop.tasks[one].family != family:
            break
    return first


@compiled
def last_fixed(known: Known, machine: int) -> int:
    """Return the place of the last step of a machine that is decided already, -1 for none."""
    lead = known.last[machine]
    while lead >= 0 and not known.fixed[lead]:
        lead = known.times[lead].ahead
    return int(known.place[lead]) if lead >= 0 else -1


@compiled
def other_machine(shop: Shop, trial: Sequence, dice: Dice, lead: int) -> int:
    """Return another machine that can take a task, -1 for none."""
    first = shop.tasks[lead].option
    count = shop.tasks[lead + 1].option - first
    if count < 2:
        return -1
    machine = shop.option[first + below(dice, count)]
    return int(machine) if machine != trial.of[lead].machine else -1
