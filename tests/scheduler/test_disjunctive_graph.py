"""Mending heads, tails and order after a move gives what computing all of them anew gives."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scheduler.construct import RULES, construct
from scheduler.disjunctive_graph import Graph, empty_graph, load, move
from tests.scheduler.job_shops import random_problem


@given(st.integers(0, 2**32), st.booleans())
def test_mended_and_computed_anew_are_equal(seed: int, flexible: bool) -> None:
    problem, dice = random_problem(seed, flexible=flexible), np.random.default_rng(seed)
    arrays, count = problem.arrays, problem.operations
    graph, anew = empty_graph(arrays), empty_graph(arrays)
    load(arrays, graph, *construct(arrays, RULES[0], dice))
    for _ in range(30):
        v = int(dice.integers(count))
        alternative = int(dice.integers(arrays.alternative_edges[v], arrays.alternative_edges[v + 1]))
        machine = arrays.machine[alternative]
        others = graph.length[machine] - (machine == graph.on[v])
        place = arrays.room_edges[machine] + int(dice.integers(others + 1))
        before = _copied(graph)
        if move(arrays, graph, v, alternative, place):
            assert (graph.chosen[v], graph.place[v]) == (alternative, place)
            load(arrays, anew, graph.chosen[:count], graph.order)
            _assert_equal(graph, anew, count)
        else:
            _assert_equal(graph, before, count)
        assert not graph.marked.any()


def _copied(graph: Graph) -> Graph:
    return Graph(*(values.copy() for values in graph))


def _assert_equal(one: Graph, other: Graph, count: int) -> None:
    for name in ("chosen", "on", "takes", "place", "previous", "following", "rank", "ready", "end", "rest", "late"):
        assert (getattr(one, name)[:count] == getattr(other, name)[:count]).all(), name
    assert (one.length == other.length).all()
    assert (one.busy == other.busy).all()
    assert (one.order == other.order).all()
