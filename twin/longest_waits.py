"""How likely what must not wait too long does: longest waits held against what happens in every replication."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from plant.verdict import WaitVerdict
from twin.draws import Row
from twin.replay import Replay

_TOLERANCE_S = 1e-6
"""A wait exceeded by less is kept: sums of seconds are no more exact."""


def broken_waits(replay: Replay) -> tuple[WaitVerdict, ...]:
    """Return for each order that breaks a longest wait in any replication how often it does, the likeliest first."""
    over_s: dict[str, dict[tuple[int, str], Row]] = {}
    for row, before, exceeded_s in _exceeded(replay):
        if (exceeded_s > _TOLERANCE_S).any():
            over_s.setdefault(replay.work.tasks[row].order, {})[row, before] = exceeded_s
    found = (_verdict(replay, order, mine) for order, mine in over_s.items())
    return tuple(sorted(found, key=lambda one: -one.broken))


def _exceeded(replay: Replay) -> Iterator[tuple[int, str, Row]]:
    """Yield the row of a task and the name of what it must soon follow, with the seconds by which it comes too late.

    A rework pass that is left out comes in time.
    """
    rows = {task.id: row for row, task in enumerate(replay.work.tasks)}
    for node in replay.nodes:
        if node.row not in replay.begun_s:
            continue
        begun_s, done = replay.begun_s[node.row], replay.done.get(node.row, True)
        for member in node.members:
            task = replay.work.tasks[member]
            for name, wait in task.waits.items():
                if wait.most_s < math.inf:
                    ended_s = task.ended_s[name] if name in task.ended_s else replay.finish_s[rows[name]]
                    yield member, name, np.where(done, begun_s - ended_s - wait.most_s, 0.0)


def _verdict(replay: Replay, order: str, over_s: Mapping[tuple[int, str], Row]) -> WaitVerdict:
    """Return what is said of an order: in how many futures it breaks any wait, and of the one broken most often."""
    too_long = {pair: one > _TOLERANCE_S for pair, one in over_s.items()}
    (row, before) = worst = max(too_long, key=lambda pair: int(too_long[pair].sum()))
    task = replay.work.tasks[row]
    return WaitVerdict(
        order,
        broken=float(np.any([*too_long.values()], axis=0).mean()),
        job_order=task.id,
        before=before,
        most_s=task.waits[before].most_s,
        over_s=float(over_s[worst][too_long[worst]].mean()),
    )
