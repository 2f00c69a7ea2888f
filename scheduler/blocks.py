"""Moves within the blocks of a longest path: operations that follow one another on a machine without a gap.

An inner operation goes to the block's front or end, the first or last one to its inside: neighbourhood N7 of Zhang,
Li, Guan and Rao (Computers & Operations Research 34, 2007), which holds N6 of Balas and Vazacopoulos (Management
Science 44, 1998). The objective after a move is estimated as the latter do: along the moved operations, with the heads
and tails of jobs from before the move. A move is offered where it closes no circle while durations are above 0.
"""

from __future__ import annotations

from scheduler.compiled import compiled_any
from scheduler.disjunctive_graph import Graph
from scheduler.trail import ESTIMATE, STEP, Trail, offer, slot


@compiled_any
def look_in_blocks(graph: Graph, trail: Trail, length: int) -> None:
    """Offer the moves in all blocks of the path."""
    i = 0
    while i < length - 1:
        j = i
        while j < length - 1 and graph.previous[trail.path[j]] == trail.path[j + 1]:
            j += 1
        if j > i:
            _look_in_block(graph, trail, graph.place[trail.path[j]], graph.place[trail.path[i]])
        i = j + 1


@compiled_any
def _look_in_block(graph: Graph, trail: Trail, first: int, last: int) -> None:
    """Offer the moves of N7 in the block between these places."""
    for place in range(first, last):
        _later(graph, trail, place, last)
    for place in range(first + 1, last + (last - first > 1)):
        _earlier(graph, trail, place, first)
    for place in range(first + 2, last):
        _later(graph, trail, first, place)
    for place in range(first + 1, last - 1):
        _earlier(graph, trail, last, place)


@compiled_any
def _later(graph: Graph, trail: Trail, from_: int, to: int) -> None:
    """Offer to put what stands at `from_` behind what stands at `to`."""
    v, last = graph.sequence[from_], graph.sequence[to]
    if graph.late[last] < graph.rest[v]:
        return
    ended = graph.end[graph.previous[v]]
    for place in range(from_ + 1, to + 1):
        w = graph.sequence[place]
        trail.starts[place] = max(graph.ready[w], ended)
        ended = trail.starts[place] + graph.takes[w]
    start = max(graph.ready[v], ended)
    late = max(graph.rest[v], graph.late[graph.following[last]]) + graph.takes[v]
    estimate = start + late
    forbidden = False
    for place in range(to, from_, -1):
        w = graph.sequence[place]
        late = max(graph.rest[w], late) + graph.takes[w]
        estimate = max(estimate, trail.starts[place] + late)
        if estimate > trail.choice[ESTIMATE]:
            forbidden = True
            break
        forbidden |= trail.pairs[slot(w, v)] > trail.counts[STEP]
    offer(trail, estimate, estimate, v, graph.chosen[v], to, forbidden)


@compiled_any
def _earlier(graph: Graph, trail: Trail, from_: int, to: int) -> None:
    """Offer to put what stands at `from_` in front of what stands at `to`."""
    v, first = graph.sequence[from_], graph.sequence[to]
    if graph.end[first] < graph.ready[v]:
        return
    late = graph.late[graph.following[v]]
    for place in range(from_ - 1, to - 1, -1):
        w = graph.sequence[place]
        trail.starts[place] = late = max(graph.rest[w], late) + graph.takes[w]
    start = max(graph.ready[v], graph.end[graph.previous[first]])
    estimate = start + graph.takes[v] + max(graph.rest[v], late)
    ended = start + graph.takes[v]
    forbidden = False
    for place in range(to, from_):
        w = graph.sequence[place]
        start = max(graph.ready[w], ended)
        estimate = max(estimate, start + trail.starts[place])
        ended = start + graph.takes[w]
        if estimate > trail.choice[ESTIMATE]:
            forbidden = True
            break
        forbidden |= trail.pairs[slot(v, w)] > trail.counts[STEP]
    offer(trail, estimate, estimate, v, graph.chosen[v], to, forbidden)
