"""Sequences to times, compiled: the one place in this package where it is worked out when a step runs.

The steps stand in one list, predecessors first. Each is put behind what its machine has done so far, as early as it
goes; that fixes the sequence of every machine and of every person. The arithmetic is the twin's: at planned durations
its engines find the same times, to the last bit.

Who attends a step that needs somebody: of those who can do it the one with whom it is done first, of several the one
who can do least, so that the others stay free.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scheduler.clock import Clocks, ends, fits_from, opens
from scheduler.compiled import Records, Whole, compiled, inlined
from scheduler.problem import ALL, NONE, SETUP, Shop

RELEASE, MACHINE, BEFORE, PERSON = 0, 1, 2, 3
"""What a step waited for last."""


PLACE = np.dtype([("machine", "i8"), ("joined", "i8"), ("lead", "i8"), ("asked", "i8")])
"""What is decided of a task: where its step goes, the next member of the same step (-1 behind the last), the step's
lead, and who is to attend it (-1: whoever suits best); machine and person are told by the lead alone."""

TIME = np.dtype(
    [
        ("begin", "f8"),
        ("start", "f8"),
        ("finish", "f8"),
        ("setup", "f8"),
        ("freed", "f8"),
        ("person", "i8"),
        ("ahead", "i8"),
        ("cause", "i8"),
        ("waited", "i8"),
    ]
)
"""When a task runs; what follows `finish` is told by the lead alone.

begin, start, finish
    When the step's changeover (or processing) begins, processing starts, and it is done.
setup
    Working seconds of the changeover.
freed
    When who attends it is free again.
person
    Who attends it, -1 for nobody.
ahead
    The lead before it on its machine, -1 for none.
cause, waited
    A task of the step it waited for last, -1 for none, and why. Its lead is looked up when it is asked for: who leads
    that step may change while all times stay.
"""

TAKEN = np.dtype([("free", "f8"), ("family", "i8"), ("last", "i8")])
"""A machine or a person while steps are put behind each other: until when taken, set up for what, the last lead."""


class Sequence(NamedTuple):
    """What is decided.

    Attributes
    ----------
    steps
        Leads in the order in which they are put behind each other; beyond the number of steps it means nothing.
    of
        Records of `PLACE` by task.
    """

    steps: Whole
    of: Records


class Floor(NamedTuple):
    """Machines and people, records of `TAKEN`."""

    machines: Records
    people: Records


def new_sequence(tasks: int) -> Sequence:
    """Return a sequence of nothing."""
    of = np.full(tasks, NONE, np.int64).astype(PLACE)
    of["lead"] = np.arange(tasks)
    return Sequence(np.zeros(tasks, np.int64), of)


def new_times(tasks: int) -> Records:
    """Return times of nothing, records of `TIME`."""
    return np.zeros(tasks, TIME)


def new_floor(shop: Shop) -> Floor:
    """Return machines and people, to be cleared."""
    return Floor(np.empty(shop.machines.size, TAKEN), np.empty(shop.person_free.size, TAKEN))


@compiled
def clear(shop: Shop, floor: Floor) -> None:
    """Set machines and people to how they stand at the epoch."""
    for machine in range(shop.machines.size):
        floor.machines[machine].free = shop.machines[machine].free
        floor.machines[machine].family = shop.machines[machine].family
        floor.machines[machine].last = -1
    for person in range(shop.person_free.size):
        floor.people[person].free = shop.person_free[person]
        floor.people[person].last = -1


@inlined
def ready_at(shop: Shop, sequence: Sequence, times: Records, lead: int, machine: int) -> tuple[float, int]:
    """Return when all members of a step are at a machine, and the task it waits for last (-1: materials)."""
    ready_s, cause = 0.0, -1
    member = lead
    while member >= 0:
        ready_s = max(ready_s, shop.tasks[member].release)
        member = sequence.of[member].joined
    member = lead
    while member >= 0:
        for place in range(shop.tasks[member].before, shop.tasks[member + 1].before):
            before = shop.before[place]
            from_ = sequence.of[sequence.of[before.task].lead].machine
            there_s = times[before.task].finish + max(before.least, shop.way[from_, machine])
            if there_s > ready_s or (cause < 0 and there_s == ready_s):
                ready_s, cause = there_s, before.task
        member = sequence.of[member].joined
    return ready_s, cause


@inlined
def work_of(shop: Shop, sequence: Sequence, lead: int, machine: int) -> tuple[float, int, bool]:
    """Return the working seconds a step takes, how it is attended, and whether no break may interrupt it."""
    work_s, attendance, whole = 0.0, 0, False
    member = lead
    while member >= 0:
        work_s = max(work_s, shop.duration[member, machine])
        attendance = max(attendance, shop.tasks[member].attendance)
        whole = whole or shop.tasks[member].whole
        member = sequence.of[member].joined
    return work_s, attendance, whole


@inlined
def is_able(shop: Shop, sequence: Sequence, lead: int, person: int) -> bool:
    """Tell whether somebody can do all that a step needs."""
    member = lead
    while member >= 0:
        if not shop.able[shop.tasks[member].skill, person]:
            return False
        member = sequence.of[member].joined
    return True


@compiled
def runs(
    clocks: Clocks, changing: int, working: int, whole: bool, ready_s: float, setup_s: float, work_s: float
) -> tuple[float, float, float, float]:
    """Return when a step begins, its changeover is done, its processing starts and it is done."""
    begun_s = ready_s
    if whole:
        begun_s = fits_from(clocks, changing if setup_s > 0 else working, working, begun_s, setup_s, work_s)
    if setup_s > 0:
        begun_s, window = opens(clocks, changing, begun_s)
        set_up_s, window = ends(clocks, changing, window, begun_s, setup_s)
        start_s, window = opens(clocks, working, set_up_s)
    else:
        begun_s, window = opens(clocks, working, begun_s)
        set_up_s = start_s = begun_s
    finish_s, _ = ends(clocks, working, window, start_s, work_s)
    return begun_s, set_up_s, start_s, finish_s


@compiled
def attended(
    shop: Shop, sequence: Sequence, people: Records, lead: int, machine: int, ready_s: float, setup_s: float
) -> tuple[float, float, float, float, int]:
    """Return a step's times (as `runs`) on a machine from `ready_s` on, and who attends it."""
    work_s, attendance, whole = work_of(shop, sequence, lead, machine)
    alone = shop.clock_of[machine, 0]
    best_s, best_from_s, best_clock, who = np.inf, ready_s, -1, -1
    if attendance == ALL or (attendance == SETUP and setup_s > 0):
        asked = sequence.of[lead].asked
        for person in shop.turn:
            if (asked >= 0 and person != asked) or not is_able(shop, sequence, lead, person):
                continue
            changing = shop.clock_of[machine, person + 1]
            from_s = max(ready_s, people[person].free)
            if changing == best_clock and from_s >= best_from_s:
                continue
            working = changing if attendance == ALL else alone
            found = runs(shop.clocks, changing, working, whole, from_s, setup_s, work_s)
            if found[3] < best_s:
                best_s, best_from_s, best_clock, who = found[3], from_s, changing, person
    changing = alone if who < 0 else best_clock  # nobody: not needed, or nobody can and it runs already
    working = changing if attendance == ALL else alone
    begun_s, set_up_s, start_s, finish_s = runs(shop.clocks, changing, working, whole, best_from_s, setup_s, work_s)
    return begun_s, set_up_s, start_s, finish_s, who


@inlined
def put(shop: Shop, sequence: Sequence, times: Records, floor: Floor, lead: int) -> None:
    """Put a step behind what its machine and who attends it have done so far."""
    machine, time = sequence.of[lead].machine, times[lead]
    ready_s, cause = ready_at(shop, sequence, times, lead, machine)
    waited = RELEASE if cause < 0 else BEFORE
    taken = floor.machines[machine]
    if taken.free > ready_s or (taken.free == ready_s and taken.last >= 0):
        ready_s, cause, waited = taken.free, taken.last, MACHINE
    setup_s = 0.0
    if not shop.tasks[lead].running:
        setup_s = shop.setup[shop.machines[machine].matrix, taken.family, shop.tasks[lead].family]
    begun_s, set_up_s, start_s, finish_s, person = attended(
        shop, sequence, floor.people, lead, machine, ready_s, setup_s
    )
    if person >= 0 and floor.people[person].free > ready_s:
        cause, waited = floor.people[person].last, PERSON
    _, attendance, _ = work_of(shop, sequence, lead, machine)
    time.freed = set_up_s if attendance == SETUP else finish_s
    time.setup, time.person = setup_s, person
    time.ahead, time.cause, time.waited = taken.last, cause, waited
    member = lead
    while member >= 0:
        times[member].begin, times[member].start, times[member].finish = begun_s, start_s, finish_s
        member = sequence.of[member].joined


@inlined
def leave(shop: Shop, sequence: Sequence, times: Records, floor: Floor, lead: int) -> None:
    """Note what a step leaves behind: its machine is set up for its family, and free when it is done."""
    taken, person = floor.machines[sequence.of[lead].machine], times[lead].person
    taken.free, taken.family, taken.last = times[lead].finish, shop.tasks[lead].family, lead
    if person >= 0:
        floor.people[person].free, floor.people[person].last = times[lead].freed, lead


@compiled
def may_share(shop: Shop, one: int, other: int) -> bool:
    """Tell whether two tasks may go into one batch: of one family and skill, and neither is locked or a rework pass."""
    first, second = shop.tasks[one], shop.tasks[other]
    return bool(first.family == second.family and first.skill == second.skill and not (first.alone or second.alone))


@compiled
def decode(shop: Shop, sequence: Sequence, times: Records, floor: Floor, steps: int) -> None:
    """Time all steps."""
    clear(shop, floor)
    for place in range(steps):
        lead = sequence.steps[place]
        put(shop, sequence, times, floor, lead)
        leave(shop, sequence, times, floor, lead)
