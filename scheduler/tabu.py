"""Tabu search on the disjunctive graph of a (flexible) job shop.

Each step follows one longest path, chosen by chance, and looks at moves of its operations: within blocks where no
operation has a choice (`scheduler.blocks`), to any place on any machine otherwise (`scheduler.reinsertion`). The best
one that is not forbidden is made, and undoing it is forbidden for some steps (Glover, ORSA J. on Computing 1, 1989;
for job shops Nowicki and Smutnicki, Management Science 42, 1996).
"""

from __future__ import annotations

from scheduler.blocks import look_in_blocks
from scheduler.compiled import compiled_any
from scheduler.disjunctive import Arrays
from scheduler.disjunctive_graph import Graph, move, objective
from scheduler.reinsertion import look_elsewhere
from scheduler.trail import (
    ANY,
    BEST,
    ESTIMATE,
    FAR,
    IMPROVED,
    OPERATION,
    SEEN,
    STEP,
    TENURE,
    TIES,
    Trail,
    draw,
    slot,
)


@compiled_any
def begin(problem: Arrays, graph: Graph, trail: Trail, tenure: int) -> None:
    """Start from the graph's solution with nothing forbidden; moves will be so for `tenure` steps and more."""
    trail.pairs[:] = 0
    trail.returns[:] = 0
    trail.counts[BEST], trail.counts[TENURE] = FAR, tenure
    _keep(problem, graph, trail)


@compiled_any
def _keep(problem: Arrays, graph: Graph, trail: Trail) -> None:
    found = objective(problem, graph)
    if found < trail.counts[BEST]:
        trail.counts[BEST], trail.counts[IMPROVED] = found, trail.counts[STEP]
        trail.chosen[:] = graph.chosen[: trail.chosen.size]
        trail.order[:] = graph.order


@compiled_any
def search(problem: Arrays, graph: Graph, trail: Trail, steps: int, patience: int) -> bool:
    """Make up to `steps` steps; stop sooner `patience` steps after the last improvement.

    Returns
    -------
    Whether it is worth going on: False out of patience, or where the path leaves nothing to move.
    """
    for _ in range(steps):
        if trail.counts[STEP] - trail.counts[IMPROVED] >= patience:
            return False
        trail.counts[STEP] += 1
        if not _step(problem, graph, trail):
            return False
        _keep(problem, graph, trail)
    return True


@compiled_any
def longest_path(problem: Arrays, graph: Graph, trail: Trail) -> int:
    """Write one longest path to `trail.path`, from its end to its start; ties by chance. Return its length."""
    largest = objective(problem, graph)
    none = graph.order.size
    v, ties = none, 0
    for w in problem.last:
        if graph.end[w] + problem.tail[w] == largest:
            ties += 1
            if draw(trail.dice, ties) == 0:
                v = w
    length = 0
    while v != none:
        trail.path[length] = v
        length += 1
        start = graph.end[v] - graph.takes[v]
        behind, ties = none, 0
        if graph.previous[v] != none and graph.end[graph.previous[v]] == start:
            behind, ties = graph.previous[v], 1
        for edge in range(problem.before_edges[v], problem.before_edges[v + 1]):
            u = problem.before[edge]
            if graph.end[u] == start and u != behind:
                ties += 1
                if draw(trail.dice, ties) == 0:
                    behind = u
        v = behind
    return length


@compiled_any
def _step(problem: Arrays, graph: Graph, trail: Trail) -> bool:
    """Make the best move along a longest path; False if there is none at all."""
    choice = trail.choice
    choice[ESTIMATE], choice[TIES], choice[SEEN] = FAR, 0, 0
    length = longest_path(problem, graph, trail)
    flexible = problem.machine.size > graph.order.size
    if flexible:
        look_elsewhere(problem, graph, trail, length)
    else:
        look_in_blocks(graph, trail, length)
    if choice[SEEN] == 0:
        return False
    at = OPERATION if choice[TIES] > 0 else ANY
    v, alternative, to = choice[at], choice[at + 1], choice[at + 2]
    old, from_ = graph.chosen[v], graph.place[v]
    moved = move(problem, graph, v, alternative, to)
    until = trail.counts[STEP] + trail.counts[TENURE] + draw(trail.dice, trail.counts[TENURE])
    if flexible:
        trail.returns[old if moved else alternative] = until
    else:
        _forbid_pairs(graph, trail, v, from_, to, until, moved)
    return True


@compiled_any
def _forbid_pairs(graph: Graph, trail: Trail, v: int, from_: int, to: int, until: int, moved: int) -> None:
    """Forbid the orders with `v` that its move replaced, or, where it was impossible, those it would have made."""
    was_first = (to > from_) == moved
    for index in range(min(from_, to), max(from_, to) + 1):
        w = graph.sequence[index]
        if w != v:
            trail.pairs[slot(v, w) if was_first else slot(w, v)] = until
