"""When everything of a fixed plan finishes, over R futures at once: the fast path of the twin.

A plan fixes every machine's sequence, so it is a directed acyclic graph of steps: a step begins when all it waits
for is finished. One numpy row holds a moment in all R replications. `twin.simulate` is the reference; both agree
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
from twin.luck import Failures, Luck, Matrix, draw
from twin.graph import Step, steps_of
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
    steps
        The plan's steps, each after all it waits for.
    start_s, finish_s
        When processing starts and ends, in clock seconds since the epoch.
    repair_s
        Working seconds of repairs by `Step.row`; a step that no failure hits is left out.
    """

    work: Work
    seed: int
    replications: int
    steps: tuple[Step, ...]
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
        steps = [step for step in self.steps if step.machine == machine]
        processing_s: Row = self.luck.processing_s[[step.row for step in steps]].sum(axis=0)
        repair_s = np.zeros(self.replications)
        for step in steps:
            if step.row in self.repair_s:
                repair_s += self.repair_s[step.row]
        setup_s = np.full(self.replications, float(sum(step.setup_s for step in steps)))
        return Busy(setup_s, processing_s, repair_s)


def replay(work: Work, plan: Plan, draws: Draws) -> Replay:
    """Run the plan through R replications.

    Raises
    ------
    InvalidInput
        If the plan does not fit the work or is circular (see `twin.graph.steps_of`).
    """
    steps = steps_of(work, plan)
    return run(work, steps, draw(work, steps, draws), draws.seed)


def run(work: Work, steps: Sequence[Step], luck: Luck, seed: int) -> Replay:
    """Run sorted steps through drawn luck: the part of `replay` that is done again for the same draws."""
    shape = luck.processing_s.shape
    start_s, finish_s = np.empty(shape), np.empty(shape)
    repair_s: dict[int, Row] = {}
    clocks = {name: rows_of(outlook.working_time) for name, outlook in work.machines.items()}
    wears = {name: _Wear(failures, shape[1]) for name, failures in luck.failures.items()}
    starts, finishes, processings = list(start_s), list(finish_s), list(luck.processing_s)
    least_s = _least_begins(steps)
    for step in steps:
        row, clock = step.row, clocks[step.machine]
        start, work_s = starts[row], processings[row]
        _begin([finishes[before] for before in step.preceding], least_s[row], start)
        clock.begin(start, start)
        if step.setup_s > 0:
            clock.finish(start, step.setup_s, start)
            clock.begin(start, start)
        if step.machine in wears and (repairs := wears[step.machine].repairs_s(work_s)) is not None:
            repair_s[row] = repairs
            work_s = work_s + repairs
        clock.finish(start, work_s, finishes[row])
        for member in step.members[1:]:
            starts[member][:], finishes[member][:] = start, finishes[row]
    return Replay(work, seed, shape[1], tuple(steps), luck, start_s, finish_s, repair_s)


def _least_begins(steps: Sequence[Step]) -> dict[int, float]:
    """Per step its `floor_s`, or 0 where a step before it cannot begin earlier than that anyway."""
    reached: dict[int, float] = {}
    least: dict[int, float] = {}
    for step in steps:
        known = max((reached[before] for before in step.preceding), default=-1.0)
        least[step.row] = step.floor_s if step.floor_s > known else 0.0
        reached[step.row] = max(known, step.floor_s)
    return least


def _begin(before: list[Row], floor_s: float, out: Row) -> None:
    """Write the moment at which all of `before` are finished, but not earlier than `floor_s`."""
    if not before:
        out.fill(floor_s)
        return
    if len(before) == 1:
        np.copyto(out, before[0])
    else:
        np.maximum(before[0], before[1], out=out)
        for row in before[2:]:
            np.maximum(out, row, out=out)
    if floor_s > 0:
        np.maximum(out, floor_s, out=out)


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
