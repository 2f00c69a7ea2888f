"""The inner loop of `twin.replay`, compiled: every node in every replication, in the arithmetic of `plant.calendar`.

Importing it takes a second and the first call compiles it (some seconds, kept on disk), so `twin.replay` imports it
when something is replayed. Replications are taken block by block: what a block's nodes read and write stays in the
processor's cache.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numba
import numpy as np

from plant.compiled_code import inherit

BLOCK = 256
"""Replications that are walked together."""

_SETUP = 1

_at = np.uintp
"""An index that is not negative: nothing need be counted from an array's end."""


def _inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    found: Callable[..., Any] = numba.njit(function, inline="always")
    return found


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function` compiled by numba at its first call."""
    try:
        kept: Any = numba.njit(function, cache=True, nogil=True)
        inherit(function.__code__.co_filename, kept.stats.cache_path)
    except RuntimeError:  # no folder to keep it in: compiled anew by every process
        kept = numba.njit(function, nogil=True)
    return cast(Callable[..., Any], kept)


@_inlined
def _window(maps, k, clock_s):  # type: ignore[no-untyped-def]
    """Find the last window of map `k` that has begun, or its first one.

    The grid knows it within a window or so. Nearly all the rest is one step that needs no branch: where moments fall
    by chance, a processor that guesses is wrong as often as right.
    """
    edges, starts, _, _, grid_edges, grid, pitches = maps
    place = int(max(clock_s - starts[_at(edges[k])], 0.0) * pitches[k])
    window = grid[_at(min(grid_edges[k] + place, grid_edges[k + 1] - 1))]
    window += starts[_at(window + 1)] <= clock_s
    while starts[_at(window + 1)] <= clock_s:
        window += 1
    while window > edges[k] and starts[_at(window)] > clock_s:
        window -= 1
    return window


@_inlined
def _begin(maps, k, clock_s):  # type: ignore[no-untyped-def]
    """As `WorkingTime.begin`; returns the window, too."""
    return _open(maps, _window(maps, k, clock_s), clock_s)


@_inlined
def _open(maps, window, clock_s):  # type: ignore[no-untyped-def]
    """As `_begin` where the last window that has begun is known."""
    window += clock_s >= maps[2][_at(window)]
    return max(clock_s, maps[1][_at(window)]), window


@_inlined
def _finish(maps, k, window, begun_s, work_s):  # type: ignore[no-untyped-def]
    """As `WorkingTime.finish` of work begun in open time, in `window`; returns the window it ends in, too."""
    edges, starts, worked = maps[0], maps[1], maps[3]
    done_s = worked[_at(window)] + (begun_s - starts[_at(window)]) + work_s
    window += worked[_at(window + 1)] < done_s
    while worked[_at(window + 1)] < done_s:
        window += 1
    while window > edges[k] and worked[_at(window)] >= done_s:
        window -= 1
    ended_s = starts[_at(window)] + (done_s - worked[_at(window)])
    return (ended_s if work_s > 0 else begun_s), window


@compiled
def _first_fit(maps, changing, working, ready_s, setup_s, work_s):  # type: ignore[no-untyped-def]
    """As `twin.fitting.first_fit`; both maps are the same where there is no changeover."""
    starts = maps[1]
    begun_s, window = _begin(maps, changing, ready_s)
    while True:
        open_ = _window(maps, working, begun_s)
        fits, set_up_s, at = True, begun_s, open_
        if setup_s > 0:
            ended_s, at = _finish(maps, changing, window, begun_s, setup_s)
            fits = at <= window
            set_up_s, at = _begin(maps, working, ended_s)
            fits = fits and at == open_
        if work_s > 0:
            _, at = _finish(maps, working, open_, set_up_s, work_s)
        if fits and at <= open_:
            return begun_s
        window += 1
        begun_s = starts[window]


@_inlined
def _draw_work(  # type: ignore[no-untyped-def]
    m, base, count, work, processing, busy_work, busy_repair, operated, next_point, passed,
    point_row, points, repair_row, repairs,
):  # fmt: skip
    """Write what the machine has to work, repairs included, and count it."""
    for b in range(count):
        work[b] = processing[b]
        busy_work[b] += work[b]
    if point_row[m] >= 0:
        for b in range(count):
            operated[b] += work[b]
        for b in range(count):
            if next_point[b] <= operated[b]:
                repair_s = 0.0
                while next_point[b] <= operated[b]:
                    each = repairs[_at(repair_row[m] + passed[b]), _at(base + b)]
                    repair_s += each
                    busy_repair[b] += each
                    passed[b] += 1
                    next_point[b] = points[_at(point_row[m] + passed[b]), _at(base + b)]
                work[b] += repair_s


@_inlined
def _gather(n, base, count, ready, finish, after_edges, after, lags):  # type: ignore[no-untyped-def]
    """Let a node wait for the nodes before it, and as long after each as it must."""
    for j in range(after_edges[n], after_edges[n + 1]):
        before, lag_s = finish[after[j], base : base + count], lags[j]
        if lag_s > 0:
            for b in range(count):
                ready[b] = max(ready[b], before[b] + lag_s)
        else:
            for b in range(count):
                ready[b] = max(ready[b], before[b])


@compiled
def walk(nodes, maps, luck, results, begun, low, high):  # type: ignore[no-untyped-def]
    """Walk all nodes in the replications from `low` to below `high`; arrays as `twin.program` lays them out.

    Where it is asked when steps begin, `begun` is each node's row in the matrix of those moments, and the matrix.
    """
    (rows, machines, people, attended, floors, setups, families, whole, after_edges, after, lags,
     member_edges, members, release_row, needed_row, freed_row, change_map, work_map, first_family,
     setup_table) = nodes  # fmt: skip
    edges, starts = maps[0], maps[1]
    always = np.empty(edges.size - 1, np.bool_)
    for k in range(always.size):  # each map ends with a window that never begins
        always[k] = edges[k + 1] - edges[k] == 2 and starts[edges[k]] == 0
    processing, releases, needed, point_row, points, repair_row, repairs, factor_row, factors = luck
    start, finish, freed, busy_setup, busy_work, busy_repair = results
    machine_free = np.empty((first_family.size, BLOCK))
    person_free = np.empty((people.max() + 1 if people.size else 0, BLOCK))
    operated = np.empty((first_family.size, BLOCK))
    next_point = np.empty((first_family.size, BLOCK))
    passed = np.empty((first_family.size, BLOCK), np.int64)
    family = np.empty((first_family.size, BLOCK), np.int64)
    ready, known, work = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    varied = factors.shape[0] > 0
    open_setup = varied or setup_table.size > 1
    for base in range(low, high, BLOCK):
        count = min(BLOCK, high - base)
        machine_free[:], person_free[:], operated[:], passed[:] = 0.0, 0.0, 0.0, 0
        for m in range(first_family.size):
            family[m] = first_family[m]
            if point_row[m] >= 0:
                next_point[m, :count] = points[point_row[m], base : base + count]
        for n in range(rows.size):
            m, p = machines[n], people[n]
            machine = machine_free[m]
            for b in range(count):
                ready[b] = machine[b]
            if p >= 0:
                person = person_free[p]
                for b in range(count):
                    ready[b] = max(ready[b], person[b])
            optional = needed_row[n] >= 0
            if optional:  # left out, it is done once that is known: nothing dries and nothing is carried
                for b in range(count):
                    known[b] = ready[b]
                for j in range(after_edges[n], after_edges[n + 1]):
                    before = finish[after[j], base : base + count]
                    for b in range(count):
                        known[b] = max(known[b], before[b])
            _gather(n, base, count, ready, finish, after_edges, after, lags)
            if floors[n] > 0:
                for b in range(count):
                    ready[b] = max(ready[b], floors[n])
            if release_row[n] >= 0:
                release = releases[release_row[n], base : base + count]
                for b in range(count):
                    ready[b] = max(ready[b], release[b])

            _draw_work(
                m, base, count, work, processing[rows[n], base : base + count], busy_work[m, base : base + count],
                busy_repair[m, base : base + count], operated[m], next_point[m], passed[m],
                point_row, points, repair_row, repairs,
            )  # fmt: skip
            changing, working, setup_s, after_family = change_map[n], work_map[n], setups[n], families[n]
            clock_is_working = always[changing] and always[working]
            begins, ended = start[rows[n], base : base + count], finish[rows[n], base : base + count]
            kept = freed_row[n]
            for b in range(count):
                if optional and not needed[needed_row[n], _at(base + b)]:
                    first_s = begun_s = ended_s = free_s = known[b]
                else:
                    begun_s = ready[b]
                    if open_setup:
                        setup_s = setups[n]
                        if setup_s < 0:
                            setup_s = setup_table[m, family[m, b], after_family]
                        if varied:
                            factor = factor_row[m, family[m, b], after_family]
                            if factor >= 0:
                                setup_s *= factors[factor, _at(base + b)]
                        family[m, b] = after_family
                    if setup_s > 0:
                        busy_setup[m, _at(base + b)] += setup_s
                    if clock_is_working:
                        first_s = begun_s
                        begun_s += setup_s
                        free_s = begun_s
                        ended_s = begun_s + work[b]
                    else:
                        if whole[n]:
                            clock = changing if setup_s > 0 else working
                            begun_s = _first_fit(maps, clock, working, begun_s, setup_s, work[b])
                        if setup_s > 0:
                            first_s, window = _begin(maps, changing, begun_s)
                            begun_s, window = _finish(maps, changing, window, first_s, setup_s)
                        free_s = begun_s
                        if setup_s > 0 and changing == working:
                            begun_s, window = _open(maps, window, begun_s)
                        else:
                            begun_s, window = _begin(maps, working, begun_s)
                        ended_s, window = _finish(maps, working, window, begun_s, work[b])
                        if setup_s <= 0:
                            first_s = free_s = begun_s
                begins[b] = begun_s
                ended[b] = ended_s
                machine[b] = ended_s
                if p >= 0:
                    person_free[p, b] = free_s if attended[n] == _SETUP else ended_s
                if kept >= 0:
                    freed[kept, _at(base + b)] = free_s
                if begun is not None and begun[0][n] >= 0:  # compiled apart: the others are not to pay for it
                    begun[1][begun[0][n], _at(base + b)] = first_s
            for j in range(member_edges[n] + 1, member_edges[n + 1]):
                start[members[j], base : base + count] = begins
                finish[members[j], base : base + count] = ended
