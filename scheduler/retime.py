"""What a change of a sequence does, compiled: only steps that something reaches are timed anew.

The trial sequence is gone through from the first place that changed. A step keeps its times unless it was changed
itself, its machine does something else before it, or something it waits for or the step before it on its machine
begins or ends at another time or went to another machine. In shops with people every step from there on that somebody
attends is timed anew, too: who attends it depends on who is free.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scheduler.compiled import Flags, Floats, Records, Whole, compiled, inlined
from scheduler.neighbours import Known, next_of
from scheduler.problem import Shop
from scheduler.score import BROKEN, MAKESPAN, SETUP, TARDINESS, Aims, add_step, completed_at, late_cost, weighed
from scheduler.timing import Floor, Sequence, clear, leave, put


class Trace(NamedTuple):
    """What the last change reached.

    Attributes
    ----------
    counts
        How often a sequence was retimed, then how many steps were touched and how many orders seen, shape (3,).
    span
        The first and the last place at which the trial differs from the current sequence, shape (2,); the last is at
        least the number of steps where that is not known.
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
    freed
        Per machine, whether its next step may begin earlier than it did.
    rising
        Whether steps that begin later never let others begin earlier, nor make the plan cost less.
    """

    counts: Whole
    span: Whole
    touched: Whole
    ends_anew: Whole
    orders: Whole
    seen: Whole
    completed: Floats
    freed: Flags
    rising: bool


def new_trace(shop: Shop, aims: Aims) -> Trace:
    """Return a trace of nothing."""
    tasks, orders = shop.tasks.size - 1, shop.orders.size
    return Trace(
        np.zeros(3, np.int64),
        np.zeros(2, np.int64),
        np.zeros(tasks, np.int64),
        np.zeros(tasks, np.int64),
        np.zeros(orders, np.int64),
        np.zeros(orders, np.int64),
        np.zeros(orders),
        np.zeros(shop.machines.size, np.bool_),
        _is_rising(shop, aims),
    )


def _is_rising(shop: Shop, aims: Aims) -> bool:
    """Who attends a step is chosen anew, longest waits get shorter, and dear hours pass, when something is late."""
    weighs = {part for part, weight in enumerate(aims.weights) if weight > 0}
    waits = bool(np.isfinite(shop.before["most"]).any())
    return shop.person_free.size == 0 and not waits and weighs <= {BROKEN, TARDINESS, MAKESPAN, SETUP}


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
        if shop.tasks[member].is_last:
            _complete(shop, known, times, trace, shop.tasks[member].order, parts)
        member = trial.of[member].joined
    if trial.of[lead].machine != current.of[lead].machine:
        trace.ends_anew[lead] = now  # from there the way to the next machine is another one
    add_step(shop, aims, trial, times, lead, parts, 1.0)


@inlined
def _complete(shop: Shop, known: Known, times: Records, trace: Trace, order: int, parts: Floats) -> None:
    """Note when an order is done, as far as it is timed anew, and what that costs."""
    if trace.seen[order] != trace.counts[0]:
        trace.seen[order], trace.completed[order] = trace.counts[0], known.completed[order]
        trace.orders[trace.counts[2]] = order
        trace.counts[2] += 1
    before, trace.completed[order] = trace.completed[order], completed_at(shop, times, order)
    parts[TARDINESS] += late_cost(shop, order, trace.completed[order]) - late_cost(shop, order, before)


@compiled
def last_changed(current: Sequence, trial: Sequence, steps: int, first: int) -> int:
    """Return the last place at which two sequences of as many steps differ, `first` if none behind it does.

    Where a move changes the order of the steps, it changes machines of those alone that it moved.
    """
    for place in range(steps - 1, first, -1):
        if trial.steps[place] != current.steps[place]:
            return place
    for place in range(steps - 1, first, -1):
        lead = trial.steps[place]
        if trial.of[lead].machine != current.of[lead].machine:
            return place
    return first


@compiled
def _free(current: Sequence, known: Known, times: Records, floor: Floor, trace: Trace, until: int) -> int:
    """Note which machines' next steps behind the last place that changed may begin earlier; return how many."""
    count = 0
    for machine in range(floor.machines.size):
        end, last = known.last[machine], floor.machines[machine].last
        trace.freed[machine] = False
        if end >= 0 and known.place[end] > until:
            behind = next_of(current, known, last) if last >= 0 else -1
            same = behind >= 0 and known.place[behind] > until
            trace.freed[machine] = not same or times[last].finish < known.times[last].finish
        count += trace.freed[machine]
    return count


@inlined
def _freed_again(known: Known, times: Records, machine: int, lead: int, trace: Trace) -> int:
    """Note whether a step lets the next one on its machine begin earlier; return how many machines more do."""
    was = trace.freed[machine]
    trace.freed[machine] = times[lead].finish < known.times[lead].finish and known.last[machine] != lead
    return int(trace.freed[machine]) - int(was)


@inlined
def _last_eased(
    shop: Shop, current: Sequence, known: Known, trial: Sequence, times: Records, lead: int, eased: int
) -> int:
    """Return the last place at which something may begin earlier for what it waits for, of these and so far."""
    member, moved = lead, trial.of[lead].machine != current.of[lead].machine
    while member >= 0:
        if moved or times[member].finish < known.times[member].finish:
            for place in range(shop.tasks[member].after, shop.tasks[member + 1].after):
                eased = max(eased, known.place[trial.of[shop.after[place]].lead])
        member = trial.of[member].joined
    return eased


@inlined
def _least_cost(aims: Aims, known: Known, floor: Floor, parts: Floats, place: int) -> float:
    """Return what a trial costs at least when nothing behind a place begins earlier than it did."""
    makespan_s = 0.0
    for machine in range(floor.machines.size):
        end = known.last[machine]
        makespan_s = max(makespan_s, floor.machines[machine].free)
        if end >= 0 and known.place[end] > place:
            makespan_s = max(makespan_s, known.times[end].finish)
    return float(weighed(parts, aims.weights) + aims.weights[MAKESPAN] * (makespan_s - parts[MAKESPAN]))


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
    parts: Floats,
    limit: float,
) -> bool:
    """Time a trial sequence that differs from the current one where `trace.span` tells.

    Parameters
    ----------
    times
        Those of the current sequence; what the change reaches is overwritten.
    parts
        Of the current sequence's score; those of the trial's are filled in.

    Returns
    -------
    bool
        Whether all is timed. Else the trial costs more than `limit`, however it goes on.
    """
    trace.counts[0] += 1
    trace.counts[1:] = 0
    clear(shop, floor)
    first, until, freed, eased = trace.span[0], trace.span[1], 0, -1
    for place in range(steps):
        lead = trial.steps[place]
        reached = place >= first and _is_reached(shop, current, known, trial, floor, trace, lead)
        if reached:
            _touch(shop, aims, current, known, trial, times, floor, trace, lead, parts)
        leave(shop, trial, times, floor, lead)
        if not trace.rising or until >= steps:
            continue
        if reached:
            eased = _last_eased(shop, current, known, trial, times, lead, eased)
        if place == until:
            freed = _free(current, known, times, floor, trace, until)
        elif reached and place > until:
            freed += _freed_again(known, times, trial.of[lead].machine, lead, trace)
            if freed == 0 and eased <= place and _least_cost(aims, known, floor, parts, place) > limit:
                return False
    parts[MAKESPAN] = 0.0
    for machine in range(floor.machines.size):
        if floor.machines[machine].last >= 0:
            parts[MAKESPAN] = max(parts[MAKESPAN], floor.machines[machine].free)
    return True


@compiled
def accept(
    current: Sequence, known: Known, trial: Sequence, times: Records, floor: Floor, trace: Trace, steps: int
) -> None:
    """Make the trial, which has so many steps, the current sequence."""
    for place in range(trace.span[0], min(trace.span[1] + 1, steps)):
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
def undo(current: Sequence, known: Known, trial: Sequence, times: Records, trace: Trace) -> None:
    """Make the trial equal the current sequence again."""
    for place in range(trace.span[0], min(trace.span[1] + 1, current.steps.size)):
        trial.steps[place] = current.steps[place]
    for number in range(trace.counts[1]):
        member = trace.touched[number]
        while member >= 0:
            behind = trial.of[member].joined
            trial.of[member] = current.of[member]
            times[member] = known.times[member]
            member = behind
