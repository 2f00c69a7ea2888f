"""What a change of a sequence does, compiled: only steps that something reaches are timed anew.

The trial sequence is gone through from the first place that changed. A step keeps its times unless it was changed
itself, its machine does something else before it, or something it waits for or the step before it on its machine
begins or ends at another time or went to another machine. In shops with people every step from there on that somebody
attends is timed anew, too: who attends it depends on who is free.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scheduler.compiled import Floats, Records, Whole, compiled, inlined
from scheduler.neighbours import Known
from scheduler.problem import Shop
from scheduler.score import MAKESPAN, TARDINESS, Aims, add_step, completed_at, late_cost
from scheduler.timing import Floor, Sequence, clear, leave, put


class Trace(NamedTuple):
    """What the last change reached.

    Attributes
    ----------
    counts
        How often a sequence was retimed, then how many steps were touched and how many orders seen, shape (3,).
    touched
        Leads that were timed anew.
    ends_anew
        Per lead, the number of the last retiming that let its step begin or end at another time, or on another machine.
    orders
        Orders of which a last task was touched.
    seen
        Per order, the number of the last retiming that touched it.
    completed
        Per order, when it is done; only of those seen.
    """

    counts: Whole
    touched: Whole
    ends_anew: Whole
    orders: Whole
    seen: Whole
    completed: Floats


def new_trace(tasks: int, orders: int) -> Trace:
    """Return a trace of nothing."""
    return Trace(
        np.zeros(3, np.int64),
        np.zeros(tasks, np.int64),
        np.zeros(tasks, np.int64),
        np.zeros(orders, np.int64),
        np.zeros(orders, np.int64),
        np.zeros(orders),
    )


@inlined
def _is_reached(
    shop: Shop, current: Sequence, known: Known, trial: Sequence, floor: Floor, trace: Trace, lead: int
) -> bool:
    """Tell whether a step's times may have changed."""
    now, ahead = trace.counts[0], floor.machines[trial.of[lead].machine].last
    if trial.of[lead].machine != current.of[lead].machine or current.of[lead].lead != lead:
        return True
    if ahead != known.times[lead].ahead or (ahead >= 0 and trace.ends_anew[ahead] == now):
        return True
    peopled = shop.person_free.size > 0
    member = lead
    while member >= 0:
        if trial.of[member].joined != current.of[member].joined or (peopled and shop.tasks[member].attendance > 0):
            return True
        for place in range(shop.tasks[member].before, shop.tasks[member + 1].before):
            if trace.ends_anew[trial.of[shop.before[place].task].lead] == now:
                return True
        member = trial.of[member].joined
    return False


@inlined
def _touch(
    shop: Shop,
    aims: Aims,
    current: Sequence,
    known: Known,
    trial: Sequence,
    times: Records,
    floor: Floor,
    trace: Trace,
    lead: int,
    parts: Floats,
) -> None:
    """Time a step anew, and note what that changes."""
    now = trace.counts[0]
    put(shop, trial, times, floor, lead)
    trace.touched[trace.counts[1]] = lead
    trace.counts[1] += 1
    member = lead
    while member >= 0:
        if current.of[member].lead == member:  # it was a step, be it on its own
            add_step(shop, aims, current, known.times, member, parts, -1.0)
        if known.times[member].finish != times[member].finish or known.times[member].begin != times[member].begin:
            trace.ends_anew[lead] = now
        order = shop.tasks[member].order
        if shop.tasks[member].is_last and trace.seen[order] != now:
            trace.seen[order] = now
            trace.orders[trace.counts[2]] = order
            trace.counts[2] += 1
        member = trial.of[member].joined
    if trial.of[lead].machine != current.of[lead].machine:
        trace.ends_anew[lead] = now  # from there the way to the next machine is another one
    add_step(shop, aims, trial, times, lead, parts, 1.0)


@compiled
def retime(
    shop: Shop,
    aims: Aims,
    current: Sequence,
    known: Known,
    trial: Sequence,
    times: Records,
    floor: Floor,
    trace: Trace,
    steps: int,
    first: int,
    parts: Floats,
) -> None:
    """Time a trial sequence that differs from the current one from place `first` on.

    Parameters
    ----------
    known
        Of the current sequence; stays as it is.
    times
        Those of the current sequence; what the change reaches is overwritten.
    floor, trace
        Overwritten: how machines and people stand behind the last step, and what the change reached.
    steps
        How many the trial sequence has.
    parts
        Of the current sequence's score; those of the trial's are filled in.
    """
    trace.counts[0] += 1
    trace.counts[1:] = 0
    clear(shop, floor)
    for place in range(steps):
        lead = trial.steps[place]
        if place >= first and _is_reached(shop, current, known, trial, floor, trace, lead):
            _touch(shop, aims, current, known, trial, times, floor, trace, lead, parts)
        leave(shop, trial, times, floor, lead)
    parts[MAKESPAN] = 0.0
    for machine in range(floor.machines.size):
        if floor.machines[machine].last >= 0:
            parts[MAKESPAN] = max(parts[MAKESPAN], floor.machines[machine].free)
    for number in range(trace.counts[2]):
        order = trace.orders[number]
        trace.completed[order] = completed_at(shop, times, order)
        before, after = late_cost(shop, order, known.completed[order]), late_cost(shop, order, trace.completed[order])
        parts[TARDINESS] += after - before


@compiled
def accept(
    current: Sequence, known: Known, trial: Sequence, times: Records, floor: Floor, trace: Trace, steps: int, first: int
) -> None:
    """Make the trial the current sequence."""
    for place in range(first, steps):
        lead = trial.steps[place]
        current.steps[place] = lead
        known.place[lead] = place
    for number in range(trace.counts[1]):
        lead = trace.touched[number]
        ahead = times[lead].ahead
        if ahead >= 0:
            known.behind[ahead] = lead
        member = lead
        while member >= 0:
            current.of[member] = trial.of[member]
            known.times[member] = times[member]
            member = trial.of[member].joined
    for number in range(trace.counts[2]):
        known.completed[trace.orders[number]] = trace.completed[trace.orders[number]]
    for machine in range(known.last.size):
        known.last[machine] = floor.machines[machine].last


@compiled
def undo(
    current: Sequence, known: Known, trial: Sequence, times: Records, trace: Trace, steps: int, first: int
) -> None:
    """Make the trial equal the current sequence again, which has `steps` steps or had one more or less as a trial."""
    for place in range(first, min(steps + 1, current.steps.size)):
        trial.steps[place] = current.steps[place]
    for number in range(trace.counts[1]):
        member = trace.touched[number]
        while member >= 0:
            behind = trial.of[member].joined
            trial.of[member] = current.of[member]
            times[member] = known.times[member]
            member = behind
