"""When everything of a fixed plan finishes, over R futures at once: the fast path of the twin.

A plan fixes every machine's sequence, so it is a directed acyclic graph: a step begins when all it waits for is
finished. One numpy row holds a moment in all R replications. `twin.simulate` is the reference; both agree
on the same draws because they do the same arithmetic in the same order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from plant.errors import NotFound
from plant.plan import Plan
from plant.work import Work
from twin.draws import Draws, Row
from twin.graph import Node, graph_of
from twin.luck import Failures, Luck, Matrix, draw
from twin.working_rows import rows_of


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
    repair_s
        Working seconds of repairs by `Node.row`; a node that no failure hits is left out.
    """

    work: Work
    seed: int
    replications: int
    nodes: tuple[Node, ...]
    luck: Luck
    start_s: Matrix
    finish_s: Matrix
    repair_s: dict[int, Row]

    def completion_s(self, order: str) -> Row:
        """Return when the last task of a customer order finishes, shape (R,).

        Raises
        ------
        NotFound
            If the work holds no task of this order.
        """
        rows = [row for row, task in enumerate(self.work.tasks) if task.order == order]
        if not rows:
            raise NotFound(f"the work holds no task of order {order!r}")
        completion: Row = self.finish_s[rows].max(axis=0)
        return completion

    def busy(self, machine: str) -> Busy:
        """Return what a machine spends on setups, processing and repairs."""
        nodes = [node for node in self.nodes if node.machine == machine]
        processing_s = np.zeros(self.replications)
        repair_s = np.zeros(self.replications)
        for node in nodes:
            processing_s += self.luck.processing_s[node.row]
            if node.row in self.repair_s:
                repair_s += self.repair_s[node.row]
        setup_s = np.full(self.replications, float(sum(node.setup_s for node in nodes)))
        return Busy(setup_s, processing_s, repair_s)


def replay(work: Work, plan: Plan, draws: Draws) -> Replay:
    """Run the plan through R replications.

    Raises
    ------
    InvalidInput
        If the plan does not fit the work or is circular (see `twin.graph.graph_of`).
    """
    nodes = graph_of(work, plan)
    return run(work, nodes, draw(work, nodes, draws), draws.seed)


def run(work: Work, nodes: Sequence[Node], luck: Luck, seed: int) -> Replay:
    """Run sorted nodes through drawn luck: the part of `replay` that is done again for the same draws."""
    shape = luck.processing_s.shape
    start_s, finish_s = np.empty(shape), np.empty(shape)
    repair_s: dict[int, Row] = {}
    clocks = {name: rows_of(outlook.working_time) for name, outlook in work.machines.items()}
    wears = {name: _Wear(failures, shape[1]) for name, failures in luck.failures.items()}
    starts, finishes, processings = list(start_s), list(finish_s), list(luck.processing_s)
    for node in nodes:
        row, machine = node.row, node.machine
        start, finish, work_s, clock = starts[row], finishes[row], processings[row], clocks[machine]
        _begin(node, finishes, start)
        if machine in wears and (repairs := wears[machine].repairs_s(work_s)) is not None:
            repair_s[row] = repairs
            work_s = work_s + repairs
        if clock is None:  # always open: working time is clock time
            if node.setup_s > 0:
                np.add(start, node.setup_s, out=start)
            np.add(start, work_s, out=finish)
        else:
            clock.run(start, node.setup_s, work_s, finish)
        for member in node.members[1:]:
            starts[member][:], finishes[member][:] = start, finish
    return Replay(work, seed, shape[1], tuple(nodes), luck, start_s, finish_s, repair_s)


def _begin(node: Node, finishes: Sequence[Row], out: Row) -> None:
    """Write when all the node waits for is done, but not earlier than its floor."""
    before = node.preceding
    if len(before) == 2:
        np.maximum(finishes[before[0]], finishes[before[1]], out=out)
    elif before:
        np.copyto(out, finishes[before[0]])
        for row in before[1:]:
            np.maximum(out, finishes[row], out=out)
    else:
        out.fill(node.floor_s)
        return
    if node.floor_s > 0:
        np.maximum(out, node.floor_s, out=out)


class _Wear:
    """Operating time of one machine, and the failures it still has before it."""

    def __init__(self, failures: Failures, replications: int) -> None:
        self._failures = failures
        self._operating_s = np.zeros(replications)
        self._passed = np.zeros(replications, dtype=np.intp)
        self._next_s = failures.points_s[0].copy()

    def repairs_s(self, processing_s: Row) -> Row | None:
        """Operate for `processing_s` more; return the repairs this takes, None if no replication fails."""
        np.add(self._operating_s, processing_s, out=self._operating_s)
        failing = np.flatnonzero(self._next_s <= self._operating_s)
        if not len(failing):
            return None
        repairs = np.zeros(len(processing_s))
        while len(failing):
            passed = self._passed[failing]
            repairs[failing] += self._failures.repairs_s[passed, failing]
            self._passed[failing] = passed + 1
            self._next_s[failing] = self._failures.points_s[passed + 1, failing]
            failing = failing[self._next_s[failing] <= self._operating_s[failing]]
        return repairs
