"""Simulated annealing on sequences, compiled: one burst of moves from the current sequence at one temperature.

A move that makes the plan worse is kept with the chance ``exp(-worse / temperature)`` (Kirkpatrick, Gelatt and Vecchi,
Science 220, 1983). One number is drawn for it, which says how much the plan may cost at most after the move.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scheduler.compiled import Dice, Floats, Records, Whole, below, compiled, draw
from scheduler.moves import blocked, change, late_task
from scheduler.neighbours import Known, note
from scheduler.problem import Shop
from scheduler.retime import Trace, accept, last_changed, retime, undo
from scheduler.score import BROKEN, Aims, score_all, weighed
from scheduler.shares import Shares
from scheduler.timing import Floor, Sequence, decode

CURRENT, BEST = 0, 1

_SORTED_AFTER = 300
"""Moves taken after which the steps are put into the order in which they begin."""


class Walk(NamedTuple):
    """Where a walk is, and the best it has seen.

    Attributes
    ----------
    current, trial, best
        Sequences; between moves `trial` equals `current`.
    known, trial_times
        What is known of `current`, and the times of `trial`; between moves these equal those in `known`.
    steps
        How many steps `current` and `best` have, shape (2,).
    cost
        Of `current` and `best`, shape (2,).
    parts, trial_parts
        Of the scores of `current` and `trial`.
    taken
        Moves taken, shape (1,).
    dice, shares
        What chance is drawn from, and with what chances moves are chosen.
    floor, trace
        Working space: machines and people while steps are put behind each other, and what the last move reached.
    """

    current: Sequence
    known: Known
    trial: Sequence
    trial_times: Records
    best: Sequence
    steps: Whole
    cost: Floats
    parts: Floats
    trial_parts: Floats
    taken: Whole
    dice: Dice
    shares: Shares
    floor: Floor
    trace: Trace


@compiled
def begin(shop: Shop, walk: Walk, aims: Aims) -> None:
    """Time the current sequence, which becomes the best."""
    adopt(shop, walk, aims)
    keep_best(walk)


@compiled
def adopt(shop: Shop, walk: Walk, aims: Aims) -> None:
    """Time the current sequence and note all there is to know of it."""
    steps = walk.steps[CURRENT]
    decode(shop, walk.current, walk.known.times, walk.floor, steps)
    score_all(shop, aims, walk.current, walk.known.times, steps, walk.known.completed, walk.parts)
    walk.cost[CURRENT] = weighed(walk.parts, aims.weights)
    note(walk.current, walk.known, steps)
    copy(walk.current, walk.trial)
    for task in range(walk.trial_times.size):
        walk.trial_times[task] = walk.known.times[task]


@compiled
def copy(source: Sequence, target: Sequence) -> None:
    """Make a sequence equal another."""
    for place in range(source.steps.size):
        target.steps[place], target.of[place] = source.steps[place], source.of[place]


@compiled
def copy_parts(source: Floats, target: Floats) -> None:
    """Make the parts of a score equal those of another."""
    for part in range(source.size):  # a slice would be copied twice
        target[part] = source[part]


@compiled
def keep_best(walk: Walk) -> None:
    """Keep the current sequence as the best."""
    copy(walk.current, walk.best)
    walk.steps[BEST], walk.cost[BEST] = walk.steps[CURRENT], walk.cost[CURRENT]


@compiled
def target(shop: Shop, walk: Walk) -> int:
    """Return the lead of the step to change."""
    if draw(walk.dice) < walk.shares.critical:
        task = late_task(shop, walk.known, walk.dice)
        if task < 0:
            for last in walk.known.last:
                if last >= 0 and (task < 0 or walk.known.times[last].finish > walk.known.times[task].finish):
                    task = last
        found = blocked(walk.current, walk.known, walk.dice, task)
        if found >= 0:
            return found
    return int(walk.current.steps[below(walk.dice, walk.steps[CURRENT])])


@compiled
def in_time(shop: Shop, walk: Walk, aims: Aims) -> None:
    """Put the steps into the order in which they begin; the sequences stay, but for people who might be chosen anew."""
    steps = walk.steps[CURRENT]
    for place in range(steps):
        lead, to = walk.trial.steps[place], place
        while to > 0 and walk.known.times[walk.trial.steps[to - 1]].begin > walk.known.times[lead].begin:
            walk.trial.steps[to] = walk.trial.steps[to - 1]
            to -= 1
        walk.trial.steps[to] = lead
    decode(shop, walk.trial, walk.trial_times, walk.floor, steps)
    score_all(shop, aims, walk.trial, walk.trial_times, steps, walk.trace.completed, walk.trial_parts)
    if weighed(walk.trial_parts, aims.weights) <= walk.cost[CURRENT] * (1 + 1e-9):
        copy(walk.trial, walk.current)
    adopt(shop, walk, aims)


@compiled
def tried(shop: Shop, walk: Walk, aims: Aims, limit: float) -> tuple[int, float]:
    """Make a move on the trial sequence and time it.

    Returns
    -------
    tuple of int and float
        How many steps the trial has, -1 where there was nothing to change, and what it costs: infinite where it turned
        out on the way that it costs more than `limit`.
    """
    before, lead = walk.steps[CURRENT], target(shop, walk)
    first, steps = change(shop, walk.trial, walk.known, walk.dice, walk.shares, before, lead)
    if first < 0:
        return -1, np.inf
    copy_parts(walk.parts, walk.trial_parts)
    walk.trace.span[0] = first
    walk.trace.span[1] = last_changed(walk.current, walk.trial, steps, first) if steps == before else steps
    timed = retime(
        shop,
        aims,
        walk.current,
        walk.known,
        walk.trial,
        walk.trial_times,
        walk.floor,
        walk.trace,
        steps,
        walk.trial_parts,
        limit,
    )
    return steps, weighed(walk.trial_parts, aims.weights) if timed else np.inf


@compiled
def take_back(walk: Walk) -> None:
    """Make the trial equal the current sequence again."""
    undo(walk.current, walk.known, walk.trial, walk.trial_times, walk.trace)


@compiled
def worsenings(shop: Shop, walk: Walk, aims: Aims, found: Floats) -> int:
    """Fill in by how much moves from the current sequence make it worse; return how many did.

    As many moves are tried as there is room for, and all are taken back. Those that break a wait or a lock are left
    out: no search should go that way.
    """
    count = 0
    for _ in range(found.size):
        steps, cost = tried(shop, walk, aims, np.inf)
        if steps < 0:
            continue
        worse = cost - walk.cost[CURRENT]
        if worse > 0 and walk.trial_parts[BROKEN] <= walk.parts[BROKEN]:
            found[count] = worse
            count += 1
        take_back(walk)
    return count


@compiled
def burst(shop: Shop, walk: Walk, aims: Aims, moves: int, temperature: float) -> int:
    """Make so many moves; return how many could be made at all."""
    made = 0
    for _ in range(moves):
        limit = walk.cost[CURRENT] - temperature * np.log(max(draw(walk.dice), 1e-300))
        steps, cost = tried(shop, walk, aims, limit)
        if steps < 0:
            continue
        made += 1
        if cost > limit:
            take_back(walk)
            continue
        accept(walk.current, walk.known, walk.trial, walk.trial_times, walk.floor, walk.trace, steps)
        walk.steps[CURRENT], walk.cost[CURRENT] = steps, cost
        copy_parts(walk.trial_parts, walk.parts)
        walk.taken[0] += 1
        if cost < walk.cost[BEST]:
            keep_best(walk)
        if walk.taken[0] % _SORTED_AFTER == 0:
            in_time(shop, walk, aims)
    return made
