"""What an order waited for: the chain of steps that set its completion, walked back from its end.

In each replication an order's last step began when the last thing it waited for was there: a predecessor of its own,
the step before it on its machine, or the person who attends it. Going back so from step to step, until one waited
for no other, gives the chain. The machine on which most of the chain's time was spent is what the order's completion
hung on.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.graph import Node
from twin.luck import Matrix
from twin.replay import Replay

SAMPLE = 200
"""Replications that are walked: the share of a machine is known within 7 points then, and each walk costs."""

_NONE = -1


@dataclass(frozen=True)
class Critical:
    """Shares of (order, replication) pairs, each in [0, 1].

    Attributes
    ----------
    machines
        By machine, pairs whose completion hung on it; they sum up to 1 where there is any task.
    operations
        By row of `Replay.work.tasks`, pairs whose chain it is on; members of a batch share their node's.
    people
        By person, pairs whose chain waited for them at least once.
    """

    machines: dict[str, float]
    operations: NDArray[np.float64]
    people: dict[str, float]


def critical_of(replay: Replay, sample: int = SAMPLE, orders: Collection[str] | None = None) -> Critical:
    """Return what completions hung on: those of `orders` (None: of all).

    At most `sample` replications, the first ones, are walked.
    """
    machines = list(dict.fromkeys(node.machine for node in replay.nodes))
    people = list(dict.fromkeys(node.person for node in replay.nodes if node.person is not None))
    if not machines:
        return Critical({}, np.zeros(0), {})
    taken = min(sample, replay.replications)
    chains = _Chains(replay, machines, people, taken)
    spent_s, on_chain, waited = chains.walked(_last_rows(replay, taken, orders))
    hung = np.bincount(spent_s.argmax(axis=1), minlength=len(machines)) / len(spent_s)
    operations = on_chain / len(spent_s)
    for node in replay.nodes:
        operations[list(node.members)] = operations[node.row]
    return Critical(
        dict(zip(machines, hung.tolist(), strict=True)),
        operations,
        dict(zip(people, waited.mean(axis=0).tolist(), strict=True)),
    )


def critical_shares(replay: Replay, sample: int = SAMPLE) -> dict[str, float]:
    """Return `Critical.machines`."""
    return critical_of(replay, sample).machines


class _Chains:
    """What every node waited for last in the walked replications, and since when it did so no longer."""

    def __init__(self, replay: Replay, machines: Sequence[str], people: Sequence[str], taken: int) -> None:
        count = len(replay.work.tasks)
        self._replay, self._taken = replay, taken
        self._finish_s = replay.finish_s[:, :taken]
        self._before = np.full((count, taken), _NONE)
        self._bound_s = np.zeros((count, taken))
        self._waited = np.zeros((count, taken), dtype=bool)
        self._machine, self._person = np.zeros(count, dtype=np.intp), np.full(count, _NONE)
        self._shape = len(machines), len(people)
        numbers = {name: index for index, name in enumerate(machines)}
        persons = {name: index for index, name in enumerate(people)}
        for node in replay.nodes:
            self._bind(node)
            for member in node.members:
                self._machine[member] = numbers[node.machine]
                self._person[member] = _NONE if node.person is None else persons[node.person]
                self._before[member], self._bound_s[member] = self._before[node.row], self._bound_s[node.row]
                self._waited[member] = self._waited[node.row]

    def _bind(self, node: Node) -> None:
        """Note of a node what it waited for last; of things done at once, predecessors come before resources."""
        bound_s = self._bound_s[node.row]
        bound_s[:] = self._floor_s(node)
        rows = [*node.after, *(() if node.before is None else (node.before,))]
        for row in rows:
            later = self._finish_s[row] > bound_s
            np.copyto(self._before[node.row], row, where=later)
            np.maximum(bound_s, self._finish_s[row], out=bound_s)
        if node.behind is not None:
            free_s = self._free_s(node.behind)
            self._waited[node.row] = free_s > bound_s
            np.copyto(self._before[node.row], node.behind, where=self._waited[node.row])
            np.maximum(bound_s, free_s, out=bound_s)

    def _floor_s(self, node: Node) -> Matrix | float:
        """Return the earliest begin for causes other than nodes; a rework pass left out has none."""
        floor_s: Matrix | float = node.floor_s
        if node.row in self._replay.release_s:
            floor_s = np.maximum(floor_s, self._replay.release_s[node.row][: self._taken])
        if node.row in self._replay.done:
            floor_s = np.where(self._replay.done[node.row][: self._taken], floor_s, 0.0)
        return floor_s

    def _free_s(self, row: int) -> Matrix:
        freed: Matrix = self._replay.freed_s.get(row, self._replay.finish_s[row])[: self._taken]
        return freed

    def walked(self, ends: NDArray[np.intp]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
        """Walk the chains that end in rows `ends`, shape (orders, taken).

        Returns
        -------
        Seconds per machine, shape (chains, machines); chains through each row, shape (n tasks,); and whether the
        chain waited for each person, shape (chains, people).
        """
        now, future = ends.ravel(), np.tile(np.arange(ends.shape[1]), len(ends))
        chain, until_s = np.arange(len(now)), self._finish_s[now, future]
        spent = np.zeros((len(now), self._shape[0]))
        through = np.zeros(len(self._machine))
        waited = np.zeros((len(now), self._shape[1]), dtype=bool)
        while len(now):
            before, bound_s = self._before[now, future], self._bound_s[now, future]
            spent[chain, self._machine[now]] += until_s - bound_s
            through += np.bincount(now[until_s > bound_s], minlength=len(through))
            late = self._waited[now, future]
            waited[chain[late], self._person[now[late]]] = True
            on = before != _NONE
            now, future, chain, until_s = before[on], future[on], chain[on], bound_s[on]
        return spent, through, waited


def _last_rows(replay: Replay, taken: int, orders: Collection[str] | None) -> NDArray[np.intp]:
    """Row of the task that finishes last, per order with tasks and replication."""
    rows: dict[str, list[int]] = {}
    for row, task in enumerate(replay.work.tasks):
        if orders is None or task.order in orders:
            rows.setdefault(task.order, []).append(row)
    return np.array(
        [np.array(mine)[replay.finish_s[mine, :taken].argmax(axis=0)] for mine in rows.values()], dtype=np.intp
    )
