"""Simulated annealing on sequences, compiled: one burst of moves from the current sequence at one temperature.

A move that makes the plan worse is kept with the chance ``exp(-worse / temperature)`` (Kirkpatrick, Gelatt and Vecchi,
Science 220, 1983). The chance is drawn first, so that the timing of a move may end as soon as it is too bad.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scheduler.compiled import Dice, Floats, Records, Whole, below, compiled, draw
from scheduler.moves import Known, blocked, change, late_task, note
from scheduler.problem import Shop
from scheduler.timing import Floor, Sequence, Weights, decode, weighed

CURRENT, BEST = 0, 1

_CRITICAL = 0.8
"""Share of moves made on the chain behind a late order, or behind the end of the plan."""

_SORTED_AFTER = 300
"""Moves taken after which the steps are put into the order in which they begin."""


class Walk(NamedTuple):
    """Where a walk is, and the best it has seen.

    Attributes
    ----------
    current, trial, best
        Sequences; between moves `trial` equals `current`, and `trial_times` the times in `known`.
    steps
        How many steps `current` and `best` have, shape (2,).
    cost
        Of `current` and `best`, shape (2,).
    taken
        Moves taken, and moves made when the best was found, shape (2,).
    """

    current: Sequence
    known: Known
    trial: Sequence
    trial_times: Records
    best: Sequence
    steps: Whole
    cost: Floats
    taken: Whole
    dice: Dice
    floor: Floor


@compiled
def begin(shop: Shop, walk: Walk, weights: Weights) -> None:
    """Time the current sequence, which becomes the best."""
    steps = walk.steps[CURRENT]
    score, _ = decode(shop, walk.current, walk.known.times, walk.floor, steps, 0, weights, np.inf)
    walk.cost[CURRENT] = weighed(score, weights)
    walk.known.last[:] = -1
    note(walk.current, walk.known, steps, 0)
    copy_steps(walk.current, walk.known.times, walk.trial, walk.trial_times, 0, steps)
    keep_best(walk)


@compiled
def keep_best(walk: Walk) -> None:
    """Keep the current sequence as the best."""
    for place in range(walk.current.steps.size):
        walk.best.steps[place], walk.best.of[place] = walk.current.steps[place], walk.current.of[place]
    walk.steps[BEST], walk.cost[BEST] = walk.steps[CURRENT], walk.cost[CURRENT]


@compiled
def copy_steps(
    source: Sequence, source_times: Records, target: Sequence, target_times: Records, first: int, end: int
) -> None:
    """Copy the steps from place `first` to below `end`, with their members and times."""
    for place in range(first, end):
        lead = source.steps[place]
        target.steps[place] = lead
        member = lead
        while member >= 0:
            target.of[member] = source.of[member]
            target_times[member] = source_times[member]
            member = source.of[member].joined


@compiled
def target(shop: Shop, walk: Walk) -> int:
    """Return the lead of the step to change."""
    steps, task = walk.steps[CURRENT], -1
    if draw(walk.dice) < _CRITICAL:
        task = late_task(shop, walk.known, walk.dice)
        if task < 0:
            for place in range(steps):
                lead = walk.current.steps[place]
                if task < 0 or walk.known.times[lead].finish > walk.known.times[task].finish:
                    task = lead
        found = blocked(walk.current, walk.known, walk.dice, task)
        if found >= 0:
            return found
    return int(walk.current.steps[below(walk.dice, steps)])


@compiled
def take(walk: Walk, first: int, steps: int, cost: float) -> None:
    """Make the trial the current sequence; from place `first` on it is another one."""
    copy_steps(walk.trial, walk.trial_times, walk.current, walk.known.times, first, steps)
    walk.steps[CURRENT], walk.cost[CURRENT] = steps, cost
    for machine in range(walk.known.last.size):
        last = walk.known.last[machine]
        if last >= 0 and walk.known.place[last] >= first:
            walk.known.last[machine] = -1
    for place in range(first):
        walk.known.last[walk.current.of[walk.current.steps[place]].machine] = walk.current.steps[place]
    note(walk.current, walk.known, steps, first)


@compiled
def in_time(shop: Shop, walk: Walk, weights: Weights) -> None:
    """Put the steps into the order in which they begin; the sequences stay, but for people who might be chosen anew."""
    steps = walk.steps[CURRENT]
    for place in range(steps):
        lead, to = walk.trial.steps[place], place
        while to > 0 and walk.known.times[walk.trial.steps[to - 1]].begin > walk.known.times[lead].begin:
            walk.trial.steps[to] = walk.trial.steps[to - 1]
            to -= 1
        walk.trial.steps[to] = lead
    score, _ = decode(shop, walk.trial, walk.trial_times, walk.floor, steps, 0, weights, np.inf)
    cost = weighed(score, weights)
    if cost <= walk.cost[CURRENT] * (1 + 1e-9):
        take(walk, 0, steps, cost)
    else:
        copy_steps(walk.current, walk.known.times, walk.trial, walk.trial_times, 0, steps)


@compiled
def burst(shop: Shop, walk: Walk, weights: Weights, moves: int, temperature: float) -> int:
    """Make so many moves; return how many could be made at all."""
    made = 0
    for move in range(moves):
        steps = walk.steps[CURRENT]
        lead = target(shop, walk)
        first, new_steps = change(shop, walk.trial, walk.known, walk.dice, steps, lead)
        if first < 0:
            continue
        made += 1
        limit = walk.cost[CURRENT] - temperature * np.log(max(draw(walk.dice), 1e-300))
        score, timed = decode(shop, walk.trial, walk.trial_times, walk.floor, new_steps, first, weights, limit)
        cost = weighed(score, weights)
        if cost <= limit:
            take(walk, first, new_steps, cost)
            walk.taken[0] += 1
            if cost < walk.cost[BEST]:
                keep_best(walk)
                walk.taken[1] = move
            if walk.taken[0] % _SORTED_AFTER == 0:
                in_time(shop, walk, weights)
        else:
            restore(walk, first, timed, steps, new_steps)
    return made


@compiled
def restore(walk: Walk, first: int, timed: int, steps: int, new_steps: int) -> None:
    """Make the trial equal the current sequence again."""
    for place in range(first, timed):
        member = walk.trial.steps[place]
        while member >= 0:
            walk.trial_times[member] = walk.known.times[member]
            member = walk.trial.of[member].joined
    for place in range(first, max(steps, new_steps)):
        walk.trial.steps[place] = walk.current.steps[place]
        if place < steps:
            member = walk.current.steps[place]
            while member >= 0:
                walk.trial.of[member] = walk.current.of[member]
                member = walk.current.of[member].joined
