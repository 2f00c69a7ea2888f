"""Moves of a longest path's operations to any place on any of their machines, with exact estimates.

After Mastrolilli and Gambardella (Journal of Scheduling 3, 2000): the operation is taken out, heads and tails are
computed without it, and it is offered the places among which the best is, none of which closes a circle. The estimate
is the objective itself: the longest path without the operation, or the longest through it. (Estimates from heads and
tails with the operation in place are three times as fast and lead to worse solutions in the same time.)

In a full shop many paths are longest at once, and hardly a move shortens them all. Of moves that do not better the
objective that one leads on which evens the machines out: the sum of the squares of what they have to do falls most.
(Beside the shortest path through the operation, in equal steps: mk05, mk07, mk10 and behnke17 better, mk06 equal.)
"""

from __future__ import annotations

import numpy as np

from scheduler.compiled import compiled_any, inlined_any
from scheduler.disjunctive import Arrays
from scheduler.disjunctive_graph import Graph, objective
from scheduler.trail import STEP, Trail, draw, offer

_LOOKS = 400_000
"""Operations whose heads and tails may be computed for one step: of a long path in a big shop only a part is tried."""


@compiled_any
def look_elsewhere(problem: Arrays, graph: Graph, trail: Trail, length: int) -> None:
    """Offer each operation of the path its places on each machine."""
    tried = max(1, _LOOKS // graph.order.size)
    now = objective(problem, graph)
    for index in range(length):
        if length > tried and draw(trail.dice, length) >= tried:
            continue
        v = trail.path[index]
        longest = _without(problem, graph, trail, v)
        for alternative in range(problem.alternative_edges[v], problem.alternative_edges[v + 1]):
            _look_at(problem, graph, trail, v, alternative, longest, now)


@compiled_any
def _without(problem: Arrays, graph: Graph, trail: Trail, v: int) -> np.int64:
    """Compute when everything ends, and how late it is, if `v` took no time and no machine; return the objective."""
    end, late, order = trail.end, trail.late, graph.order
    end[:] = graph.end
    late[:] = graph.late
    before, behind = graph.previous[v], graph.following[v]
    graph.following[before], graph.previous[behind] = behind, before
    end[v], late[v] = graph.ready[v], graph.rest[v]
    for rank in range(graph.rank[v] + 1, order.size):
        u = order[rank]
        start = max(problem.head[u], end[graph.previous[u]])
        for edge in range(problem.before_edges[u], problem.before_edges[u + 1]):
            start = max(start, end[problem.before[edge]])
        end[u] = start + graph.takes[u]
    for rank in range(graph.rank[v] - 1, -1, -1):
        u = order[rank]
        rest = max(problem.tail[u], late[graph.following[u]])
        for edge in range(problem.after_edges[u], problem.after_edges[u + 1]):
            rest = max(rest, late[problem.after[edge]])
        late[u] = rest + graph.takes[u]
    graph.following[before], graph.previous[behind] = v, v
    longest = np.int64(0)
    for u in problem.last:
        longest = max(longest, end[u] + problem.tail[u])
    return longest


@inlined_any
def _standing(graph: Graph, skipped: int, place: int) -> int:
    """Return what stands at this index of a sequence, where the one at `skipped` is taken out."""
    found: int = graph.sequence[place + (place >= skipped)]
    return found


@compiled_any
def _first_ending_after(graph: Graph, trail: Trail, low: int, high: int, skipped: int, moment: int) -> int:
    """Return the first index from `low` to `high` whose operation ends after this moment."""
    while low < high:
        middle = (low + high) // 2
        if trail.end[_standing(graph, skipped, middle)] > moment:
            high = middle
        else:
            low = middle + 1
    return low


@compiled_any
def _first_not_later(graph: Graph, trail: Trail, low: int, high: int, skipped: int, rest: int) -> int:
    """Return the first index from `low` to `high` from whose operation on no more than `rest` is left."""
    while low < high:
        middle = (low + high) // 2
        if trail.late[_standing(graph, skipped, middle)] > rest:
            low = middle + 1
        else:
            high = middle
    return low


@inlined_any
def _unevenness(graph: Graph, v: int, machine: int, takes: int) -> float:
    """Return by how much the sum of squares grows where `v` goes to another machine."""
    there, here, took = float(graph.busy[machine]), float(graph.busy[graph.on[v]]), float(graph.takes[v])
    return takes * (2 * there + takes) - took * (2 * here - took)


@compiled_any
def _look_at(problem: Arrays, graph: Graph, trail: Trail, v: int, alternative: int, longest: int, now: int) -> None:
    """Offer the places of one alternative.

    What ends after `v` is ready cannot precede it in its job; what has more behind it than `v` cannot follow from it.
    Between the first of the former and the last of the latter any place is possible; where these do not meet, `v` fits
    between them without waiting or being waited for.
    """
    machine, takes = problem.machine[alternative], problem.duration[alternative]
    ready, rest, none = graph.ready[v], graph.rest[v], graph.order.size
    here = machine == graph.on[v]
    first = problem.room_edges[machine]
    end = first + graph.length[machine] - here
    skipped = graph.place[v] if here else graph.sequence.size
    earliest = _first_ending_after(graph, trail, first, end, skipped, ready)
    latest = _first_not_later(graph, trail, first, end, skipped, rest)
    if earliest >= latest:
        latest = earliest = latest + draw(trail.dice, earliest - latest + 1)
    forbidden = trail.returns[alternative] > trail.counts[STEP]
    unevenness = 0.0 if here else _unevenness(graph, v, machine, takes)
    for place in range(earliest, latest + 1):
        if place != skipped:
            before = _standing(graph, skipped, place - 1) if place > first else none
            behind = _standing(graph, skipped, place) if place < end else none
            through = max(ready, trail.end[before]) + takes + max(rest, trail.late[behind])
            estimate = max(longest, through)
            second = unevenness if estimate >= now else float(through)
            offer(trail, estimate, second, v, alternative, place, forbidden)
