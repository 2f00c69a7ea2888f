"""Random job shops, and whether a result is one: checked from the problem alone, by other code than what searches."""

from __future__ import annotations

import itertools
import random

from scheduler.disjunctive import DisjunctiveProblem
from scheduler.job_shop_search import Result

FT06 = """6 6
2 1 0 3 1 6 3 7 5 3 4 6
1 8 2 5 4 10 5 10 0 10 3 4
2 5 3 4 5 8 0 9 1 1 4 7
1 5 0 5 2 5 3 3 4 8 5 9
2 9 1 3 4 5 5 4 0 3 3 1
1 3 3 3 5 9 0 10 4 4 2 1
"""
"""Fisher and Thompson, 1963; the optimum is 55."""


def random_problem(seed: int, *, flexible: bool, most: int = 40) -> DisjunctiveProblem:
    """Return a problem of up to `most` operations on an acyclic graph; heads, tails and durations may be 0."""
    dice = random.Random(seed)
    count, machines = dice.randint(1, most), dice.randint(1, 6)
    alternatives = []
    for _ in range(count):
        choice = dice.sample(range(machines), dice.randint(1, machines) if flexible else 1)
        alternatives.append([(machine, dice.randint(0, 9)) for machine in choice])
    predecessors = [dice.sample(range(v), min(v, dice.choice((0, 1, 1, 1, 2)))) for v in range(count)]
    heads = [dice.choice((0, 0, dice.randint(0, 30))) for _ in range(count)]
    tails = [dice.choice((0, 0, dice.randint(0, 30))) for _ in range(count)]
    return DisjunctiveProblem.of(machines, alternatives, predecessors, heads, tails)


def faults(problem: DisjunctiveProblem, result: Result) -> list[str]:
    """Return everything that makes a result impossible, or its objective untrue."""
    arrays, found = problem.arrays, []
    start, end, machine = result.start.tolist(), result.end.tolist(), result.machine.tolist()
    largest = 0
    for v in range(problem.operations):
        chosen = range(arrays.alternative_edges[v], arrays.alternative_edges[v + 1])
        if (machine[v], end[v] - start[v]) not in {(arrays.machine[a], arrays.duration[a]) for a in chosen}:
            found.append(f"{v} is not one of its alternatives")
        if start[v] < arrays.head[v]:
            found.append(f"{v} starts before its release")
        waits = arrays.before[arrays.before_edges[v] : arrays.before_edges[v + 1]].tolist()
        found += [f"{v} starts before {before} ends" for before in waits if start[v] < end[before]]
        largest = max(largest, end[v] + int(arrays.tail[v]))
    for number, sequence in enumerate(result.sequences):
        found += [f"{v} stands on {number}" for v in sequence if machine[v] != number]
        found += [f"{v} overlaps {w}" for v, w in itertools.pairwise(sequence) if start[w] < end[v]]
    if sorted(v for sequence in result.sequences for v in sequence) != list(range(problem.operations)):
        found.append("the sequences do not hold every operation once")
    if largest != result.objective or result.objective < result.bound:
        found.append(f"the objective is {largest}, not {result.objective}; the bound is {result.bound}")
    return found
