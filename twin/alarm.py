"""Waiting in a SimPy environment for exact moments, in a fixed order among the things of one instant."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Generator
from typing import Any

import simpy

from plant.calendar import WorkingTime

Life = Generator[simpy.Event, Any, None]


class Alarm(simpy.Event):
    """A timeout with a rank among the things that happen at one instant."""

    def __init__(self, env: simpy.Environment, delay_s: float, rank: int) -> None:
        super().__init__(env)
        self._ok = True
        self._value = None
        env.schedule(self, simpy.events.EventPriority(rank), delay_s)


def alarms_until(env: simpy.Environment, moment_s: float, rank: int) -> Life:
    """Wait until the environment's clock shows exactly `moment_s`, which adding one delay to it may miss."""
    while env.now < moment_s:
        delay_s = moment_s - env.now
        if env.now + delay_s > moment_s:
            delay_s = math.nextafter(delay_s, 0.0)
        yield Alarm(env, delay_s, rank)


def closing_s(working_time: WorkingTime, clock_s: float) -> float:
    """Return when the working window that is open at `clock_s` closes; inf for the last one."""
    index = bisect_right(working_time.starts, clock_s) - 1
    return working_time.ends[index] if index < len(working_time.starts) - 1 else math.inf
