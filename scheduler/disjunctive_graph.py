"""One solution of a disjunctive problem as a graph, and what keeps its longest paths true while operations move.

Every operation stands on one machine, in a sequence. Heads (the longest path to an operation's start) and tails (the
longest path behind its end) are kept for all operations, and a topological order of them, which is mended only where
a move broke it (after Pearce and Kelly, ACM Journal of Experimental Algorithmics 11, 2007).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scheduler.compiled import compiled_any, inlined_any
from scheduler.disjunctive import Arrays, Ints, Times


class Graph(NamedTuple):
    """The mutable arrays of a solution of N operations; operation N stands for "none" at the ends of sequences.

    Attributes
    ----------
    chosen, on, takes
        The alternative each operation is made by, its machine and duration; shape (N + 1,).
    sequence, place, length
        Machine m's operations lie from ``sequence[room_edges[m]]`` on, ``length[m]`` of them; each one's index there.
    busy
        How long each machine's operations take; shape (M,).
    previous, following
        Neighbours on the machine; shape (N + 1,).
    order, rank
        A topological order and each operation's place in it.
    ready, end
        When what precedes it in its job (or its release) lets an operation start; when it ends. Shape (N + 1,).
    rest, late
        The longest path behind its end through its job; the longest path from its start on. Shape (N + 1,).
    marked, spare
        Working space; marks are all False between calls.
    """

    chosen: Ints
    on: Ints
    takes: Times
    sequence: Ints
    place: Ints
    length: Ints
    busy: Times
    previous: Ints
    following: Ints
    order: Ints
    rank: Ints
    ready: Times
    end: Times
    rest: Times
    late: Times
    marked: NDArray[np.bool_]
    spare: Ints


def empty_graph(problem: Arrays) -> Graph:
    """Return a graph to `load` a solution into."""
    count, machines = problem.head.size, problem.room_edges.size - 1

    def numbers(size: int) -> Ints:
        return np.zeros(size, np.int32)

    def times(size: int = count + 1) -> Times:
        return np.zeros(size, np.int64)

    return Graph(
        numbers(count + 1),
        numbers(count + 1),
        times(),
        numbers(problem.machine.size),
        numbers(count + 1),
        numbers(machines),
        times(machines),
        numbers(count + 1),
        numbers(count + 1),
        numbers(count),
        numbers(count + 1),
        times(),
        times(),
        times(),
        times(),
        np.zeros(count + 1, np.bool_),
        numbers(count),
    )


@compiled_any
def load(problem: Arrays, graph: Graph, chosen: Ints, order: Ints) -> None:
    """Set the graph to these alternatives, each machine taking its operations in this topological order."""
    none = order.size
    graph.length[:] = 0
    graph.busy[:] = 0
    for rank in range(none):
        v = order[rank]
        alternative = chosen[v]
        machine = problem.machine[alternative]
        graph.chosen[v], graph.on[v], graph.takes[v] = alternative, machine, problem.duration[alternative]
        place = problem.room_edges[machine] + graph.length[machine]
        before = graph.sequence[place - 1] if graph.length[machine] > 0 else none
        graph.sequence[place], graph.place[v] = v, place
        graph.length[machine] += 1
        graph.busy[machine] += graph.takes[v]
        graph.previous[v], graph.following[v], graph.following[before] = before, none, v
        graph.order[rank], graph.rank[v] = v, rank
    forward(problem, graph, 0)
    backward(problem, graph, none - 1)


@compiled_any
def forward(problem: Arrays, graph: Graph, first: int) -> None:
    """Compute heads anew from this rank on."""
    edges, before, end = problem.before_edges, problem.before, graph.end
    for rank in range(first, graph.order.size):
        v = graph.order[rank]
        ready = problem.head[v]
        for edge in range(edges[v], edges[v + 1]):
            ready = max(ready, end[before[edge]])
        graph.ready[v] = ready
        end[v] = max(ready, end[graph.previous[v]]) + graph.takes[v]


@compiled_any
def backward(problem: Arrays, graph: Graph, last: int) -> None:
    """Compute tails anew from this rank back."""
    edges, after, late = problem.after_edges, problem.after, graph.late
    for rank in range(last, -1, -1):
        v = graph.order[rank]
        rest = problem.tail[v]
        for edge in range(edges[v], edges[v + 1]):
            rest = max(rest, late[after[edge]])
        graph.rest[v] = rest
        late[v] = max(rest, late[graph.following[v]]) + graph.takes[v]


@compiled_any
def objective(problem: Arrays, graph: Graph) -> np.int64:
    """Return the largest end plus tail."""
    largest = np.int64(0)
    for v in problem.last:
        largest = max(largest, graph.end[v] + problem.tail[v])
    return largest


@compiled_any
def move(problem: Arrays, graph: Graph, v: int, alternative: int, place: int) -> bool:
    """Put `v` by `alternative` at this index of its machine's sequence without `v`; tell whether that was possible.

    Where it would close a circle, nothing is changed.
    """
    left, right = _neighbours(problem, graph, v, problem.machine[alternative], place)
    before, behind = graph.previous[v], graph.following[v]
    _unlink(graph, v)
    _link(graph, left, v, right)
    low = high = graph.rank[v]
    none = graph.order.size
    possible = True
    if right != none and graph.rank[right] < low:
        low = graph.rank[right]
        possible = _mend_earlier(problem, graph, v, low, high)
    elif left != none and graph.rank[left] > high:
        high = graph.rank[left]
        possible = _mend_later(problem, graph, v, low, high)
    if not possible:
        _unlink(graph, v)
        _link(graph, before, v, behind)
        return False
    _seat(problem, graph, v, alternative, place)
    forward(problem, graph, low)
    backward(problem, graph, high)
    return True


@inlined_any
def _neighbours(problem: Arrays, graph: Graph, v: int, machine: int, place: int) -> tuple[int, int]:
    """Return what stands before and at this index of the machine's sequence without `v`."""
    first = problem.room_edges[machine]
    here, last = machine == graph.on[v], first + graph.length[machine]
    left, right = place - 1, place
    if here:
        left += left >= graph.place[v]
        right += right >= graph.place[v]
    none = graph.order.size
    return graph.sequence[left] if left >= first else none, graph.sequence[right] if right < last else none


@inlined_any
def _unlink(graph: Graph, v: int) -> None:
    before, behind = graph.previous[v], graph.following[v]
    graph.following[before], graph.previous[behind] = behind, before


@inlined_any
def _link(graph: Graph, before: int, v: int, behind: int) -> None:
    graph.previous[v], graph.following[v] = before, behind
    graph.following[before], graph.previous[behind] = v, v


@compiled_any
def _seat(problem: Arrays, graph: Graph, v: int, alternative: int, place: int) -> None:
    """Carry the move over to the sequences."""
    old, machine = graph.on[v], problem.machine[alternative]
    graph.length[old] -= 1
    graph.busy[old] -= graph.takes[v]
    for index in range(graph.place[v], problem.room_edges[old] + graph.length[old]):
        w = graph.sequence[index + 1]
        graph.sequence[index], graph.place[w] = w, index
    for index in range(problem.room_edges[machine] + graph.length[machine], place, -1):
        w = graph.sequence[index - 1]
        graph.sequence[index], graph.place[w] = w, index
    graph.length[machine] += 1
    graph.sequence[place], graph.place[v] = v, place
    graph.chosen[v], graph.on[v], graph.takes[v] = alternative, machine, problem.duration[alternative]
    graph.busy[machine] += graph.takes[v]


@compiled_any
def _mend_earlier(problem: Arrays, graph: Graph, v: int, low: int, high: int) -> bool:
    """Bring `v`, at rank `high`, and what leads to it in front of what stands at `low`; False if that leads to `v`."""
    graph.marked[v] = True
    for rank in range(high - 1, low - 1, -1):
        u = graph.order[rank]
        found = graph.marked[graph.following[u]]
        for edge in range(problem.after_edges[u], problem.after_edges[u + 1]):
            found |= graph.marked[problem.after[edge]]
        graph.marked[u] = found
    possible = not graph.marked[graph.order[low]]
    _reorder(graph, low, high, True, possible)
    return possible


@compiled_any
def _mend_later(problem: Arrays, graph: Graph, v: int, low: int, high: int) -> bool:
    """Bring `v`, at rank `low`, and what follows from it behind what stands at `high`; False if that follows, too."""
    graph.marked[v] = True
    for rank in range(low + 1, high + 1):
        u = graph.order[rank]
        found = graph.marked[graph.previous[u]]
        for edge in range(problem.before_edges[u], problem.before_edges[u + 1]):
            found |= graph.marked[problem.before[edge]]
        graph.marked[u] = found
    possible = not graph.marked[graph.order[high]]
    _reorder(graph, low, high, False, possible)
    return possible


@compiled_any
def _reorder(graph: Graph, low: int, high: int, first: bool, changing: bool) -> None:
    """Put operations with mark `first` before the others, each group in its order, if `changing`; unmark all."""
    kept, waiting = low, 0
    for rank in range(low, high + 1):
        u = graph.order[rank]
        if not changing:
            graph.marked[u] = False
        elif graph.marked[u] == first:
            graph.order[kept], graph.rank[u] = u, kept
            kept += 1
        else:
            graph.spare[waiting] = u
            waiting += 1
    if changing:
        for index in range(waiting):
            u = graph.spare[index]
            graph.order[kept + index], graph.rank[u] = u, kept + index
        for rank in range(low, high + 1):
            graph.marked[graph.order[rank]] = False
