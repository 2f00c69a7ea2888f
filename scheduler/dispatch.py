"""A dispatching rule's pass through the shop, compiled: a plan made by choosing for the machine that is next free.

At each moment the task whose best machine (the one that would finish it first) can begin earliest fixes the machine;
among the tasks waiting for that machine the rule's index chooses. A batch machine fills up with tasks of the same
setup family that are there or arrive soon. Ties fall to the task that stands first in the work.

ATC: Vepsalainen and Morton, Management Science 33 (1987); with setups (ATCS): Lee, Bhaskaran and Pinedo,
IIE Transactions 29 (1997).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scheduler.clock import worked_at
from scheduler.compiled import Flags, Floats, Records, Whole, compiled
from scheduler.problem import Shop
from scheduler.timing import Floor, Sequence, attended, clear, leave, may_share, put, ready_at

ATC, EDD, SLACK, MOST_WORK, WSPT, RATIO, FIFO = range(7)
"""Indices: apparent tardiness cost, due date, slack, chain to go, weighted time, critical ratio, arrival."""

WAITING = np.dtype(
    [("ready", "f8"), ("begin", "f8"), ("finish", "f8"), ("machine", "i8"), ("person", "i8"), ("seen", "i8")]
)
"""A task that could begin: when it is ready, its best machine with begin, finish and person there, and the state of
both when that was looked up."""


class Index(NamedTuple):
    """What a rule looks at.

    Attributes
    ----------
    kind
        One of the indices above.
    look_ahead, setup_care
        Of ATC: how far ahead slack counts, in mean processing times, and how much setups count (0: not at all).
    batch_wait
        Share of a batch's processing time for which its machine may wait for more members.
    """

    kind: int
    look_ahead: float
    setup_care: float
    batch_wait: float


class Scales(NamedTuple):
    """What slack and setups are measured by, and the chain behind each task, in working seconds; and a bias per task.

    Attributes
    ----------
    bias
        Added to the logarithm of ATC's index.
    """

    processing: float
    setup: float
    tails: Floats
    bias: Floats


class Desk(NamedTuple):
    """What a pass works with.

    Attributes
    ----------
    leads, edges
        What opens each machine's sequence, and where each machine's leads begin; the last edge ends them.
    pending
        Per machine, how many of them are left.
    waiting
        Records of `WAITING` by task.
    there
        Tasks that wait for nothing but a machine; how many of these places are taken is counted by the pass.
    missing, bound
        Per task: predecessors that are not done (-1 when it is planned itself), and whether it is among the leads.
    seen
        How often each machine and then each person was taken; the last one counts all.
    """

    leads: Whole
    edges: Whole
    pending: Whole
    waiting: Records
    there: Whole
    missing: Whole
    bound: Flags
    seen: Whole


def new_desk(shop: Shop, leads: Whole, edges: Whole) -> Desk:
    """Return a desk with what opens the machines' sequences."""
    count = shop.tasks.size - 1
    return Desk(
        leads,
        edges,
        np.diff(edges),
        np.zeros(count, WAITING),
        np.zeros(count, np.int64),
        np.diff(shop.tasks["before"]),
        np.zeros(count, np.bool_),
        np.zeros(shop.machines.size + shop.person_free.size + 1, np.int64),
    )


@compiled
def urgency(
    shop: Shop, index: Index, scales: Scales, taken: Records, task: int, machine: int, now_s: float, ready_s: float
) -> float:
    """Return a task's index on a machine that could begin it now: the larger, the more urgent."""
    order = shop.orders[shop.tasks[task].order]
    work_s, tail_s = shop.duration[task, machine], scales.tails[task]
    setup_s = shop.setup[shop.machines[machine].matrix, taken.family, shop.tasks[task].family]
    found = -ready_s  # FIFO
    if index.kind == EDD:
        found = -order.due
    elif index.kind == MOST_WORK:
        found = tail_s
    elif index.kind == WSPT:
        found = -(work_s + setup_s) / order.weight
    elif index.kind != FIFO:
        clock = shop.clock_of[machine, 0]
        left_s = worked_at(shop.clocks, clock, order.due) - worked_at(shop.clocks, clock, now_s) + min(order.due, 0.0)
        if index.kind == SLACK:
            found = tail_s - left_s - setup_s
        elif index.kind == RATIO:
            found = -left_s / max(tail_s, 1.0) * (1.0 if left_s > 0 else order.weight)
        else:
            wait = max(left_s - tail_s, 0.0) / (index.look_ahead * scales.processing)
            if index.setup_care > 0:
                wait += setup_s / (index.setup_care * scales.setup)
            # The logarithm of the index: exp() of an order due next month would round to 0 and lose the order.
            found = np.log(order.weight / max(work_s, 1.0)) - wait + scales.bias[task]
    return found


@compiled
def look(shop: Shop, sequence: Sequence, times: Records, floor: Floor, desk: Desk, task: int) -> None:
    """Find the machine that would finish a task first, among those with nothing decided before it."""
    mine = desk.waiting[task]
    mine.begin, mine.finish, mine.machine, mine.person = np.inf, np.inf, -1, -1
    for place in range(shop.tasks[task].option, shop.tasks[task + 1].option):
        machine = shop.option[place]
        if desk.pending[machine] > 0:
            continue
        taken = floor.machines[machine]
        ready_s = max(ready_at(shop, sequence, times, task, machine)[0], taken.free)
        setup_s = shop.setup[shop.machines[machine].matrix, taken.family, shop.tasks[task].family]
        begun_s, _, _, finish_s, person = attended(shop, sequence, floor.people, task, machine, ready_s, setup_s)
        if finish_s < mine.finish:
            mine.begin, mine.finish, mine.machine, mine.person = begun_s, finish_s, machine, person
    mine.seen = stamp(shop, desk, mine.machine, mine.person)


@compiled
def stamp(shop: Shop, desk: Desk, machine: int, person: int) -> int:
    """Return a number that grows with everything that a machine or a person takes up."""
    if machine < 0:
        return int(desk.seen[desk.seen.size - 1])
    return int(desk.seen[machine] + (desk.seen[shop.machines.size + person] if person >= 0 else 0))


@compiled
def enter(shop: Shop, sequence: Sequence, times: Records, desk: Desk, count: int, task: int) -> int:
    """Let a task wait for a machine, unless it is decided already; return how many wait."""
    if desk.bound[task]:
        return count
    desk.waiting[task].ready, _ = ready_at(shop, sequence, times, task, sequence.of[task].machine)
    desk.waiting[task].seen, desk.waiting[task].machine = -1, -1
    desk.there[count] = task
    return count + 1


@compiled
def first_of(shop: Shop, sequence: Sequence, times: Records, floor: Floor, desk: Desk, count: int) -> int:
    """Return the waiting task that can begin first, -1 for none; what is known of the others is a lower bound."""
    best = -1
    for place in range(count):
        task = desk.there[place]
        mine, first = desk.waiting[task], desk.waiting[best]
        if best >= 0 and mine.machine >= 0 and mine.begin > first.begin:
            continue
        if mine.seen != stamp(shop, desk, mine.machine, mine.person):
            look(shop, sequence, times, floor, desk, task)
        if mine.machine < 0:
            continue
        if best < 0 or (mine.begin, mine.finish, task) < (first.begin, first.finish, best):
            best = task
    return best


@compiled
def lead_of(shop: Shop, index: Index, scales: Scales, floor: Floor, desk: Desk, count: int, first: int) -> int:
    """Return the most urgent of the tasks that wait for the same machine as the one that can begin first."""
    machine, now_s = desk.waiting[first].machine, desk.waiting[first].begin
    lead, best = first, -np.inf
    for place in range(count):
        task = desk.there[place]
        mine = desk.waiting[task]
        if mine.machine == machine and mine.begin <= now_s:
            found = urgency(shop, index, scales, floor.machines[machine], task, machine, now_s, mine.ready)
            if found > best or (found == best and task < lead):
                lead, best = task, found
    return lead


@compiled
def fill(
    shop: Shop, index: Index, scales: Scales, sequence: Sequence, floor: Floor, desk: Desk, count: int, lead: int
) -> None:
    """Join to a lead as many others of its family as its machine takes and are there in time, the most urgent first."""
    machine, now_s = sequence.of[lead].machine, desk.waiting[lead].begin
    until_s = now_s + index.batch_wait * shop.duration[lead, machine]
    room, end = shop.machines[machine].capacity - 1, lead
    while room > 0:
        best, most = -1, -np.inf
        for place in range(count):
            task = desk.there[place]
            alone = task == lead or sequence.of[task].lead != task or desk.waiting[task].ready > until_s
            if alone or shop.duration[task, machine] < 0 or not may_share(shop, lead, task):
                continue
            found = urgency(
                shop, index, scales, floor.machines[machine], task, machine, now_s, desk.waiting[task].ready
            )
            if found > most:
                best, most = task, found
        if best < 0:
            return
        sequence.of[end].joined, sequence.of[best].lead = best, lead
        sequence.of[best].machine = machine
        end, room = best, room - 1


@compiled
def opened(sequence: Sequence, desk: Desk) -> int:
    """Return a lead that opens a machine's sequence and has nothing left to wait for, -1 for none."""
    for machine in range(desk.pending.size):
        if desk.pending[machine] > 0:
            lead = desk.leads[desk.edges[machine + 1] - desk.pending[machine]]
            member, missing = lead, 0
            while member >= 0:
                missing += desk.missing[member]
                member = sequence.of[member].joined
            if missing == 0:
                desk.pending[machine] -= 1
                return int(lead)
    return -1


@compiled
def without_planned(desk: Desk, count: int) -> int:
    """Take out of those who wait who is planned now; return how many are left."""
    kept = 0
    for place in range(count):
        if desk.missing[desk.there[place]] >= 0:
            desk.there[kept] = desk.there[place]
            kept += 1
    return kept


@compiled
def dispatch(
    shop: Shop, index: Index, scales: Scales, desk: Desk, floor: Floor, sequence: Sequence, times: Records
) -> int:
    """Fill in the sequence a rule makes and when everything runs; return how many steps it has.

    A negative number says that what opens the machines' sequences waits for itself in a circle.

    Parameters
    ----------
    sequence
        Holds machines, members and people of what is decided already.
    """
    clear(shop, floor)
    for place in range(desk.leads.size):
        member = desk.leads[place]
        while member >= 0:
            desk.bound[member] = True
            member = sequence.of[member].joined
    count, steps, left = 0, 0, shop.tasks.size - 1
    for task in range(left):
        if desk.missing[task] == 0:
            count = enter(shop, sequence, times, desk, count, task)
    while left > 0:
        lead = opened(sequence, desk)
        if lead < 0:
            first = first_of(shop, sequence, times, floor, desk, count)
            if first < 0:
                return -1
            lead = lead_of(shop, index, scales, floor, desk, count, first)
            sequence.of[lead].machine = desk.waiting[first].machine
            fill(shop, index, scales, sequence, floor, desk, count, lead)
        sequence.steps[steps] = lead
        steps += 1
        put(shop, sequence, times, floor, lead)
        leave(shop, sequence, times, floor, lead)
        desk.seen[sequence.of[lead].machine] += 1
        desk.seen[desk.seen.size - 1] += 1
        if times[lead].person >= 0:
            desk.seen[shop.machines.size + times[lead].person] += 1
        member = lead
        while member >= 0:
            desk.missing[member] = -1
            left -= 1
            member = sequence.of[member].joined
        count = without_planned(desk, count)
        member = lead
        while member >= 0:
            for place in range(shop.tasks[member].after, shop.tasks[member + 1].after):
                after = shop.after[place]
                desk.missing[after] -= 1
                if desk.missing[after] == 0:
                    count = enter(shop, sequence, times, desk, count, after)
            member = sequence.of[member].joined
    return steps
