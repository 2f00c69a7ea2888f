"""What an order waited for: the chain of steps that set its completion, walked back from its end.

In each replication an order's last step began when the last thing it waited for was done: the step before it on
its machine, or a predecessor of its own. Going back so from step to step, until one waited for no other, gives the
chain; the machine on which most of the chain's time was spent is what the order's completion hung on.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from twin.replay import Replay

SAMPLE = 200
"""Replications that are walked: the share of a machine is known within 7 points then, and each walk costs."""

_NONE = -1


def critical_shares(replay: Replay, sample: int = SAMPLE) -> dict[str, float]:
    """Return per machine the share of (order, replication) pairs whose completion hung on it.

    The shares sum up to 1 where every order has a task; at most `sample` replications, the first ones, are walked.
    """
    machines = list(dict.fromkeys(node.machine for node in replay.nodes))
    if not machines:
        return {}
    taken = min(sample, replay.replications)
    chains = _Chains(replay, machines, taken)
    ends = _last_rows(replay, taken)
    spent_s = chains.spent_s(ends)
    share = np.bincount(spent_s.argmax(axis=1), minlength=len(machines)) / len(spent_s)
    return dict(zip(machines, share.tolist(), strict=True))


class _Chains:
    """Binding predecessors of every node in the walked replications."""

    def __init__(self, replay: Replay, machines: Sequence[str], taken: int) -> None:
        count = len(replay.work.tasks)
        self._finish_s = replay.finish_s[:, :taken]
        self._binding = np.full((count, taken), _NONE)
        self._floor_s = np.zeros(count)
        self._machine = np.zeros(count, dtype=np.intp)
        self._machines = len(machines)
        number = {name: index for index, name in enumerate(machines)}
        for node in replay.nodes:
            for member in node.members:
                self._machine[member] = number[node.machine]
                self._floor_s[member] = node.floor_s
            self._bind(node.row, node.preceding, node.floor_s)
            for member in node.members[1:]:
                self._binding[member] = self._binding[node.row]

    def _bind(self, row: int, preceding: tuple[int, ...], floor_s: float) -> None:
        if not preceding:
            return
        before = self._finish_s[list(preceding)]
        bound = np.array(preceding)[before.argmax(axis=0)]
        self._binding[row] = np.where(before.max(axis=0) > floor_s, bound, _NONE)

    def spent_s(self, ends: NDArray[np.intp]) -> NDArray[np.float64]:
        """Seconds of each chain per machine, shape (chains, machines); `ends` holds rows, shape (orders, taken)."""
        now = ends.ravel()
        future = np.tile(np.arange(ends.shape[1]), len(ends))
        chain = np.arange(len(now))
        spent = np.zeros((len(now), self._machines))
        while len(now):
            before = self._binding[now, future]
            finish = self._finish_s[now, future]
            began = np.where(before == _NONE, self._floor_s[now], self._finish_s[before, future])
            spent[chain, self._machine[now]] += finish - began
            on = before != _NONE
            now, future, chain = before[on], future[on], chain[on]
        return spent


def _last_rows(replay: Replay, taken: int) -> NDArray[np.intp]:
    """Row of the task that finishes last, per order with tasks and replication."""
    rows: dict[str, list[int]] = {}
    for row, task in enumerate(replay.work.tasks):
        rows.setdefault(task.order, []).append(row)
    return np.array(
        [np.array(mine)[replay.finish_s[mine, :taken].argmax(axis=0)] for mine in rows.values()], dtype=np.intp
    )
