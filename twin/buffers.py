"""Where more slack would help an order at risk, estimated from replications that are there already."""

from __future__ import annotations

import numpy as np

from plant.verdict import Buffer
from twin.replay import Replay

TARGET = 0.95
"""Share on time from which on an order is no longer at risk, and that the slack is made for."""

MOST = 20
"""Orders that are looked at, those most at risk first."""


def buffers_of(replay: Replay) -> tuple[Buffer, ...]:
    """Return for each order at risk how much slack it needs and before which of its operations it gains most."""
    rows: dict[str, list[int]] = {}
    for row, task in enumerate(replay.work.tasks):
        rows.setdefault(task.order, []).append(row)
    on_time = {
        order: float((replay.finish_s[mine].max(axis=0) <= replay.work.orders[order].due_s).mean())
        for order, mine in rows.items()
    }
    at_risk = sorted((order for order in rows if on_time[order] < TARGET), key=lambda order: on_time[order])
    return tuple(_buffer(replay, order, rows[order], on_time[order]) for order in at_risk[:MOST])


def _buffer(replay: Replay, order: str, rows: list[int], on_time: float) -> Buffer:
    late_s = replay.finish_s[rows].max(axis=0) - replay.work.orders[order].due_s
    slack_s = float(np.quantile(late_s, TARGET, method="inverted_cdf"))
    start_s = replay.start_s[rows]
    behind_s = np.clip(start_s - np.median(start_s, axis=1, keepdims=True), 0.0, slack_s)
    gained = (late_s - behind_s <= 0).mean(axis=1)
    best = int(gained.argmax())
    task = replay.work.tasks[rows[best]]
    machine = next(node.machine for node in replay.nodes if rows[best] in node.members)
    return Buffer(order, slack_s, on_time, float((late_s <= slack_s).mean()), task.id, machine, float(gained[best]))
