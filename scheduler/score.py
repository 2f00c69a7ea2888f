"""What a plan costs, part by part, compiled: what each step adds, and what each order does."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scheduler.compiled import Floats, Records, Whole, compiled, inlined
from scheduler.meter import read
from scheduler.problem import NONE, Shop
from scheduler.timing import Sequence

BROKEN, TARDINESS, MAKESPAN, SETUP, WAITING, OVERTIME, ENERGY, MOVED = range(8)
"""Where the parts of a score stand in an array of them."""

_OTHER_MACHINE_S = 4 * 3600.0
"""A task on another machine is as far from the plan in force as one that starts so much later."""

NEAR = np.dtype([("machine", "i8"), ("start", "f8")])
"""Where a task is in the plan to stay near to: its machine, -1 if it is not in it, and its start."""


class Score(NamedTuple):
    """What a plan costs, in seconds where nothing else is said.

    Attributes
    ----------
    broken
        By how much waits are too long and locked starts are missed.
    tardiness
        Weighted, over orders.
    makespan
        When the last step is done.
    setup
        Working seconds of changeovers.
    waiting
        Between operations: the sum over tasks of the time from the end of what they follow to their own. Work in
        process is this over the makespan (Little's law).
    overtime
        Machine seconds that are paid extra.
    energy
        Money.
    moved
        By how much starts differ from those in the plan to stay near to; another machine counts as four hours.
    """

    broken: float = 0.0
    tardiness: float = 0.0
    makespan: float = 0.0
    setup: float = 0.0
    waiting: float = 0.0
    overtime: float = 0.0
    energy: float = 0.0
    moved: float = 0.0


class Aims(NamedTuple):
    """What a search is after.

    Attributes
    ----------
    weights
        Of the parts of a score, shape (8,); waiting, overtime, energy and moved are added up only where they weigh.
    near
        Records of `NEAR` by task.
    """

    weights: Floats
    near: Records


def everything(tasks: int) -> Aims:
    """Return aims under which every part is looked at; there is no plan to stay near to."""
    near = np.zeros(tasks, NEAR)
    near["machine"] = NONE
    return Aims(np.ones(len(Score._fields)), near)


@inlined
def weighed(parts: Floats, weights: Floats) -> float:
    """Return the weighted score."""
    found = 0.0
    for part in range(weights.size):
        found += weights[part] * parts[part]
    return found


@inlined
def _broken_by(shop: Shop, times: Records, lead: int, member: int) -> float:
    broken_s = max(times[lead].begin - shop.tasks[member].latest, 0.0)
    if shop.tasks[member].lock >= 0:
        broken_s += times[lead].begin - shop.tasks[member].lock
    for place in range(shop.tasks[member].before, shop.tasks[member + 1].before):
        waits_s = times[lead].begin - times[shop.before[place].task].finish
        broken_s += max(waits_s - shop.before[place].most, 0.0)
    return float(broken_s)


@inlined
def _waiting(shop: Shop, times: Records, member: int) -> float:
    waiting_s = 0.0
    for place in range(shop.tasks[member].before, shop.tasks[member + 1].before):
        waiting_s += times[member].finish - times[shop.before[place].task].finish
    return waiting_s


@inlined
def add_step(shop: Shop, aims: Aims, sequence: Sequence, times: Records, lead: int, parts: Floats, sign: float) -> None:
    """Add what a step costs to the parts, or take it off with a negative sign."""
    weights, time, machine = aims.weights, times[lead], sequence.of[lead].machine
    parts[SETUP] += sign * time.setup
    if weights[OVERTIME] > 0 and shop.overtime_of[machine] >= 0:
        meter = shop.overtime_of[machine]
        parts[OVERTIME] += sign * (read(shop.meters, meter, time.finish) - read(shop.meters, meter, time.begin))
    if weights[ENERGY] > 0 and shop.energy_of[machine] >= 0:
        meter = shop.energy_of[machine]
        parts[ENERGY] += sign * (read(shop.meters, meter, time.finish) - read(shop.meters, meter, time.begin))
    member = lead
    while member >= 0:
        parts[BROKEN] += sign * _broken_by(shop, times, lead, member)
        if weights[WAITING] > 0:
            parts[WAITING] += sign * _waiting(shop, times, member)
        if weights[MOVED] > 0 and aims.near[member].machine >= 0:
            far_s = abs(time.start - aims.near[member].start)
            parts[MOVED] += sign * (far_s + (_OTHER_MACHINE_S if aims.near[member].machine != machine else 0.0))
        member = sequence.of[member].joined


@inlined
def completed_at(shop: Shop, times: Records, order: int) -> float:
    """Return when the last task of an order is done, minus infinity if it has none."""
    found = -np.inf
    for place in range(shop.last_edge[order], shop.last_edge[order + 1]):
        found = max(found, times[shop.last[place]].finish)
    return float(found)


@inlined
def late_cost(shop: Shop, order: int, completed_s: float) -> float:
    """Return an order's weighted tardiness."""
    return float(shop.orders[order].weight * max(completed_s - shop.orders[order].due, 0.0))


@compiled
def score_all(
    shop: Shop, aims: Aims, sequence: Sequence, times: Records, steps: int, completed: Floats, parts: Floats
) -> None:
    """Fill in when each order is done, and the parts of the score of a timed sequence."""
    parts[:] = 0.0
    for place in range(steps):
        lead = sequence.steps[place]
        add_step(shop, aims, sequence, times, lead, parts, 1.0)
        parts[MAKESPAN] = max(parts[MAKESPAN], times[lead].finish)
    for order in range(shop.orders.size):
        completed[order] = completed_at(shop, times, order)
        parts[TARDINESS] += late_cost(shop, order, completed[order])


def near_of(machines: Whole, starts: Floats) -> Records:
    """Return records of `NEAR` from each task's machine and start."""
    near = np.zeros(len(machines), NEAR)
    near["machine"], near["start"] = machines, starts
    return near
