"""When everything of a fixed plan finishes, over R futures at once: the fast path of the twin.

A plan fixes every machine's and every person's sequence, so it is a directed acyclic graph: a step begins when all
it waits for is finished. `twin.simulate` is the reference; both agree on the same draws because they do the same
arithmetic in the same order.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from plant.errors import NotFound
from plant.plan import Plan
from plant.work import Work
from twin.draws import Draws, Row
from twin.graph import Node, graph_of
from twin.luck import Flags, Luck, Matrix, draw
from twin.program import Program, luck_arrays, places_of, program_of


@dataclass(frozen=True)
class Busy:
    """Working seconds a machine spends per replication, each of shape (R,)."""

    setup_s: Row
    processing_s: Row
    repair_s: Row

    @property
    def total_s(self) -> Row:
        """Setup, processing and repair together."""
        return self.setup_s + self.processing_s + self.repair_s


@dataclass(frozen=True)
class Replay:
    """What R replications of a plan came to. Matrices have shape (n tasks, R), rows in the order of `Work.tasks`.

    Attributes
    ----------
    nodes
        The plan's nodes, each after all it waits for.
    start_s, finish_s
        When processing starts and ends, in clock seconds since the epoch.
    machines
        What each machine with nodes spends.
    freed_s
        By `Node.row`: when the person who attended the changeover only was free again, shape (R,).
    begun_s
        By `Node.row` of a step with a longest wait: when its changeover (or processing) began, shape (R,).
    release_s
        By `Node.row`: when the deliveries it waited for were there, shape (R,).
    done
        By `Node.row` of a rework pass: whether it was done, shape (R,).
    engine
        Who worked this out: ``"replay"`` or ``"simulate"``.
    """

    work: Work
    seed: int
    replications: int
    nodes: tuple[Node, ...]
    start_s: Matrix
    finish_s: Matrix
    machines: Mapping[str, Busy]
    freed_s: Mapping[int, Row] = field(default_factory=dict)
    begun_s: Mapping[int, Row] = field(default_factory=dict)
    release_s: Mapping[int, Row] = field(default_factory=dict)
    done: Mapping[int, Flags] = field(default_factory=dict)
    engine: str = "replay"

    def completion_s(self, order: str) -> Row:
        """Return when the last task of a customer order finishes, shape (R,).

        Raises
        ------
        NotFound
            If the work holds no task of this order.
        """
        if order not in self.rows_of:
            raise NotFound(f"the work holds no task of order {order!r}")
        completion: Row = self.finish_s[self.rows_of[order]].max(axis=0)
        return completion

    @cached_property
    def rows_of(self) -> Mapping[str, Sequence[int]]:
        """Rows of the tasks of each customer order that has any."""
        rows: dict[str, list[int]] = {}
        for row, task in enumerate(self.work.tasks):
            rows.setdefault(task.order, []).append(row)
        return rows

    def busy(self, machine: str) -> Busy:
        """Return what a machine spends on setups, processing and repairs: nothing where it has no node."""
        nothing = np.zeros(self.replications)
        return self.machines.get(machine, Busy(nothing, nothing, nothing))


def replay(work: Work, plan: Plan, draws: Draws) -> Replay:
    """Run the plan through R replications.

    Raises
    ------
    InvalidInput
        If the plan does not fit the work or is circular (see `twin.graph.graph_of`).
    """
    nodes = graph_of(work, plan)
    return run(work, nodes, program_of(work, nodes), draw(work, nodes, draws), draws.seed)


def run(work: Work, nodes: Sequence[Node], program: Program, luck: Luck, seed: int) -> Replay:
    """Run sorted nodes through drawn luck: the part of `replay` that is done again for the same draws.

    Parameters
    ----------
    program
        The same nodes as `twin.program.program_of` lays them out.
    """
    shape = luck.processing_s.shape
    start_s, finish_s = np.empty(shape), np.empty(shape)
    freed_s, begun_s = (np.empty((len(rows), shape[1])) for rows in (program.freed, program.begun_rows))
    busy = [np.zeros((len(program.machines), shape[1])) for _ in range(3)]
    results = (start_s, finish_s, freed_s, *busy)
    begun = (places_of(nodes, program.begun_rows), begun_s) if program.begun_rows else None
    _walk((program.nodes, program.maps, luck_arrays(program, luck), results, begun), shape[1])
    machines = {name: Busy(*(part[row] for part in busy)) for row, name in enumerate(program.machines)}
    freed = {row: freed_s[place] for row, place in program.freed.items()}
    return Replay(
        work,
        seed,
        shape[1],
        tuple(nodes),
        start_s,
        finish_s,
        machines,
        freed_s=freed,
        begun_s=dict(zip(program.begun_rows, begun_s, strict=True)),
        release_s=luck.release_s,
        done=luck.needed,
    )


def _walk(layout: tuple[tuple[NDArray[np.generic], ...] | None, ...], replications: int) -> None:
    """Walk all replications, on two cores where there are two: they have nothing to do with each other."""
    from twin.kernel import BLOCK, walk  # costs a second to import: only who replays pays for it

    half = replications // 2 // BLOCK * BLOCK
    if half == 0 or len(os.sched_getaffinity(0)) < 2:
        walk(*layout, 0, replications)
        return
    with ThreadPoolExecutor(1) as other:
        first = other.submit(walk, *layout, 0, half)
        walk(*layout, half, replications)
        first.result()
