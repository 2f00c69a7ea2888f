"""twin/station.py: a step that has its own working time is written down and set up again with it."""

from __future__ import annotations

import json

import simpy

from plant.calendar import WorkingTime
from twin.shop import Step
from twin.station import Station

SHARED = WorkingTime.of([(0.0, 10.0), (30.0, 40.0), (60.0, 61.0)])


class OneStep:
    """A shop with one step to do, and luck without failures."""

    def __init__(self, step: Step | None) -> None:
        self.step, self.done_s = step, -1.0

    def offer(self, station: Station, now_s: float) -> Step | float:
        step, self.step = self.step, None
        return float("inf") if step is None else step

    def finished(self, station: Station, step: Step, now_s: float) -> None:
        self.done_s = now_s

    def between_failures_s(self, machine: str, ordinal: int) -> float:
        return float("inf")

    def began(self, *_: object) -> None: ...

    processing = piece = show = began


def test_it_goes_on_in_the_time_of_its_step_after_a_restart() -> None:
    step = Step(("A",), "red", 4.0, 11.0, setup_time=SHARED, working_time=SHARED)
    env, shop = simpy.Environment(), OneStep(step)
    station = Station(env, "M1", WorkingTime.always(), shop, shop)  # type: ignore[arg-type]
    env.run(until=20.0)
    assert (shop.done_s, station.is_open(20.0), station.done_s(20.0)) == (-1.0, False, 6.0)
    dumped = json.loads(json.dumps(station.dump(), allow_nan=False))
    again, later = OneStep(None), simpy.Environment(initial_time=20.0)
    restored = Station(later, "M1", WorkingTime.always(), again, again)  # type: ignore[arg-type]
    restored.restore(dumped)
    assert restored.step is not None
    assert restored.step.working_time is not None
    assert restored.step.working_time.finish(35.0, 100.0) == SHARED.finish(35.0, 100.0)
    later.run(until=100.0)
    env.run(until=100.0)
    assert again.done_s == shop.done_s == 35.0
