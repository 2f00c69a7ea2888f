"""A first solution, fast: dispatching rules with a choice of machines, and chance in their weights.

The schedule is built forward in time (Giffler and Thompson, Operations Research 8, 1960): the operation that could end
first names a machine; of those that could start there before it ends, or within a share of that time, the one with the
highest priority goes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scheduler.compiled import Floats, compiled_any
from scheduler.disjunctive import Arrays, Ints, Times

_FAR = np.int64(1 << 62)


class Rule(NamedTuple):
    """Weights of what makes an operation urgent.

    Attributes
    ----------
    work_left
        Weight of the longest path behind the operation at shortest durations.
    duration
        Weight of its own duration; negative is shortest first.
    chance
        Weight of a random number up to the longest work left.
    delay
        0: a machine never waits while something could start on it; 1: it waits for anything that could start before the
        first end (active schedules).
    """

    work_left: float
    duration: float
    chance: float
    delay: float


RULES = (
    Rule(1.0, 0.0, 0.0, 0.0),
    Rule(1.0, 0.0, 0.0, 0.5),
    Rule(0.0, -1.0, 0.0, 0.0),
    Rule(1.0, 1.0, 0.0, 0.0),
    Rule(1.0, -1.0, 0.0, 0.0),
    Rule(0.0, 0.0, 1.0, 0.0),
    Rule(1.0, 0.0, 0.05, 0.0),
)


@compiled_any
def work_left(problem: Arrays) -> Times:
    """Return the longest path from each operation's start on, at shortest durations; shape (N,)."""
    left = np.zeros(problem.order.size, np.int64)
    for rank in range(problem.order.size - 1, -1, -1):
        v = problem.order[rank]
        behind = problem.tail[v]
        for edge in range(problem.after_edges[v], problem.after_edges[v + 1]):
            behind = max(behind, left[problem.after[edge]])
        alternatives = problem.duration[problem.alternative_edges[v] : problem.alternative_edges[v + 1]]
        left[v] = behind + alternatives.min()
    return left


@compiled_any
def lower_bound(problem: Arrays) -> int:
    """Return what the objective cannot fall below: the longest job, the fullest machine, all work over all machines."""
    left = work_left(problem)
    machines = problem.room_edges.size - 1
    ready = problem.head.copy()
    load, first, last = np.zeros(machines + 1, np.int64), np.full(machines + 1, _FAR), np.full(machines + 1, _FAR)
    longest = np.int64(0)
    for v in problem.order:
        edge, end = problem.alternative_edges[v], problem.alternative_edges[v + 1]
        shortest = problem.duration[edge:end].min()
        for before in problem.before[problem.before_edges[v] : problem.before_edges[v + 1]]:
            alternatives = problem.duration[problem.alternative_edges[before] : problem.alternative_edges[before + 1]]
            ready[v] = max(ready[v], ready[before] + alternatives.min())
        longest = max(longest, ready[v] + left[v])
        groups = (problem.machine[edge], machines) if end == edge + 1 else (machines, machines)
        for index in range(1 + (end == edge + 1)):
            group = groups[index]
            load[group] += shortest
            first[group], last[group] = min(first[group], ready[v]), min(last[group], left[v] - shortest)
    for machine in range(machines):
        if load[machine] > 0:
            longest = max(longest, first[machine] + load[machine] + last[machine])
    return int(max(longest, first[machines] + (load[machines] + machines - 1) // machines + last[machines]))


@compiled_any
def _best_machine(problem: Arrays, free: Times, ready: int, v: int) -> tuple[int, np.int64]:
    """Return the alternative that ends first, and that end."""
    best, chosen = _FAR, -1
    for alternative in range(problem.alternative_edges[v], problem.alternative_edges[v + 1]):
        end = max(ready, free[problem.machine[alternative]]) + problem.duration[alternative]
        if end < best:
            best, chosen = end, alternative
    return chosen, best


@compiled_any
def _most_urgent(
    problem: Arrays, priority: Floats, delay: float, free: Times, ready: Times, chosen: Ints, ends: Times, open_: Ints
) -> int:
    """Return the index of the open operation that goes next."""
    first = open_[np.argmin(ends[open_])]
    machine = problem.machine[chosen[first]]
    earliest = max(ready[first], free[machine])
    for v in open_:
        if problem.machine[chosen[v]] == machine:
            earliest = min(earliest, max(ready[v], free[machine]))
    limit = earliest + delay * (ends[first] - earliest)
    at = -1
    for index in range(open_.size):
        v = open_[index]
        fits = problem.machine[chosen[v]] == machine and max(ready[v], free[machine]) <= limit
        if fits and (at < 0 or priority[v] > priority[open_[at]]):
            at = index
    return at


@compiled_any
def build(problem: Arrays, priority: Floats, delay: float, chosen: Ints, order: Ints) -> None:
    """Write alternatives and starting order of the schedule that goes by this priority (shape (N,), higher first)."""
    count = order.size
    free = np.zeros(problem.room_edges.size - 1, np.int64)
    waits = problem.before_edges[1:] - problem.before_edges[:-1]
    ready = problem.head.copy()
    ends = np.zeros(count, np.int64)
    open_ = np.empty(count, np.int32)
    size = 0
    for v in range(count):
        if waits[v] == 0:
            open_[size] = v
            size += 1
            chosen[v], ends[v] = _best_machine(problem, free, ready[v], v)
    for step in range(count):
        at = _most_urgent(problem, priority, delay, free, ready, chosen, ends, open_[:size])
        v = open_[at]
        machine, end = problem.machine[chosen[v]], ends[v]
        order[step], free[machine] = v, end
        size -= 1
        open_[at] = open_[size]
        for edge in range(problem.after_edges[v], problem.after_edges[v + 1]):
            w = problem.after[edge]
            ready[w] = max(ready[w], end)
            waits[w] -= 1
            if waits[w] == 0:
                open_[size] = w
                size += 1
                chosen[w], ends[w] = _best_machine(problem, free, ready[w], w)
        for index in range(size):
            w = open_[index]
            if problem.machine[chosen[w]] == machine:
                chosen[w], ends[w] = _best_machine(problem, free, ready[w], w)


def construct(problem: Arrays, rule: Rule, dice: np.random.Generator) -> tuple[Ints, Ints]:
    """Return alternatives and a topological order of a solution by this rule."""
    left = work_left(problem)
    shortest = np.minimum.reduceat(problem.duration, problem.alternative_edges[:-1])
    priority = rule.work_left * left + rule.duration * shortest
    priority = priority + rule.chance * float(left.max()) * dice.random(left.size)
    chosen, order = np.zeros(left.size, np.int32), np.zeros(left.size, np.int32)
    build(problem, priority, rule.delay, chosen, order)
    return chosen, order
