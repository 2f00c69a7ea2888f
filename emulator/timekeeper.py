"""The emulated plant's clock over restarts: it stands still while the process is away and never goes back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from plant.clock import Anchor, EmulatedPlantClock, wall_now
from plant.plant import Plant

LEASE = timedelta(seconds=1)
"""Wall time for which the clock may run on before its time has to be saved again."""


class Timekeeper:
    """The plant clock: it shows `start` until `run` lets it go, `rate` times as fast as the wall's.

    A process that is killed cannot save when. So what is saved lies up to `LEASE` ahead of the clock: the next start
    begins there, later than anything this one can have shown.
    """

    def __init__(self, plant: Plant, start: datetime, rate: float, wall: Callable[[], datetime] = wall_now) -> None:
        self._wall, self._rate = wall, rate
        self._clock = EmulatedPlantClock(plant, Anchor(start, wall(), 0.0), wall)
        self._latest = start
        self._leased_until = start

    @property
    def anchor(self) -> Anchor:
        """From it every other process tells the same time."""
        return self._clock.anchor

    def run(self) -> None:
        """Let the clock go from where it stands."""
        self._clock.set_anchor(Anchor(self.now(), self._wall(), self._rate))

    def now(self) -> datetime:
        """Return the plant time; it never goes back, even when the wall clock is set back."""
        self._latest = max(self._latest, self._clock.now())
        return self._latest

    def lease(self) -> datetime:
        """Return the plant time to save: the clock is free to run up to it."""
        self._leased_until = max(self.now(), self._clock.at(self._wall() + LEASE))
        return self._leased_until

    def must_renew(self) -> bool:
        """Tell whether less than half of the lease is left."""
        return self._clock.at(self._wall() + LEASE / 2) > self._leased_until
