"""A stored history: a lathe that is slower than planned."""

from __future__ import annotations

from historian import states
from historian.database import Historian
from plant.actor import SYSTEM
from plant.machine_state import MachineState, StateInterval
from tests.operations.shop import Clock, at, order, report, response, with_orders

PLANNED_S = 2460.0
"""What turning four shafts on L1 is planned to take."""


async def with_history(historian: Historian, slowness: float = 1.5, orders: int = 7) -> Clock:
    """L1 turns six lots, each `slowness` times as long as planned; return the clock after that."""
    await with_orders(historian, *(order(f"CO-{number}") for number in range(1, orders + 1)))
    intervals, now_s = [], 0.0
    for number in range(1, orders):
        job, end_s = f"CO-{number}/1-10", now_s + slowness * PLANNED_S * (0.95 + 0.02 * number)
        await report(historian, response(job, "started", now_s))
        await report(historian, response(job, "completed", end_s, good=4))
        intervals.append(StateInterval("L1", at(now_s), at(end_s), MachineState.EXECUTING, "", job))
        intervals.append(StateInterval("L1", at(end_s), at(end_s + 60), MachineState.IDLE))
        now_s = end_s + 60
    async with historian.transaction(SYSTEM, "test") as tx:
        await states.lock(tx, ["L1"])
        await states.replace_from(tx, "L1", intervals)
    return Clock(at(now_s))
