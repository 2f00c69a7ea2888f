"""A SimPy environment in which things happen at exact moments, and all of one instant before anything is decided."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappush
from typing import Any

import simpy


class Moment(simpy.Event):
    """Something that will happen, unless it is called off."""

    def __init__(self, env: simpy.Environment, happen: Callable[[Any], None], subject: Any = None) -> None:
        self.env = env
        self.callbacks = [happen]
        self._ok = True
        self._value = self.subject = subject

    def call_off(self) -> None:
        """Have nothing happen."""
        if self.callbacks:
            self.callbacks.clear()


class Clock(simpy.Environment):
    """SimPy's environment, scheduling by moments instead of delays: adding a delay to now may miss a float."""

    def at(self, moment_s: float, happen: Callable[[Any], None], subject: Any = None) -> Moment:
        """Have ``happen(moment)`` called at exactly `moment_s`; those of one instant in the order of asking."""
        moment = Moment(self, happen, subject)
        heappush(self._queue, (moment_s, simpy.events.NORMAL, next(self._eid), moment))
        return moment

    def run_until(self, until_s: float, decide: Callable[[], bool]) -> None:
        """Run up to `until_s` while moments are left and `decide`, called after the last of each instant, agrees."""
        queue, step = self._queue, self.step
        while queue and queue[0][0] <= until_s:
            now = queue[0][0]
            step()
            if (not queue or queue[0][0] > now) and not decide():
                return
