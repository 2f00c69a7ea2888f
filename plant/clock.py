"""The plant clock: stamps what happens on the floor and in plans. Wall time rules everything else."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from plant.calendar import WorkingTime
from plant.checks import require, require_aware, require_not_negative
from plant.plant import Plant

_HORIZON = timedelta(days=400)


def wall_now() -> datetime:
    """Return the wall clock's time in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Anchor:
    """At wall time `wall` the plant clock showed `plant`; from then on it runs `rate` times as fast (0: paused)."""

    plant: datetime
    wall: datetime
    rate: float

    def __post_init__(self) -> None:
        require_aware("plant", self.plant)
        require_aware("wall", self.wall)
        require_not_negative("rate", self.rate)


class WallPlantClock:
    """The clock of a real plant: the wall's."""

    def now(self) -> datetime:
        """Return the plant time."""
        return wall_now()

    @property
    def anchor(self) -> Anchor:
        """Now is now, and goes on at its own rate."""
        now = wall_now()
        return Anchor(now, now, 1.0)


class EmulatedPlantClock:
    """A plant clock that runs n times the wall's through open hours and jumps over closed ones.

    Deterministic in its anchor: every process that knows the anchor and the plant tells the same time.
    """

    def __init__(self, plant: Plant, anchor: Anchor, wall: Callable[[], datetime] = wall_now) -> None:
        self._plant = plant
        self._wall = wall
        self.set_anchor(anchor)

    @property
    def anchor(self) -> Anchor:
        """The anchor in force."""
        return self._anchor

    def set_anchor(self, anchor: Anchor) -> None:
        """Run from another anchor from now on."""
        self._open = self._open_time(anchor, _HORIZON)
        self._anchor = anchor
        self._horizon = _HORIZON

    def _open_time(self, anchor: Anchor, horizon: timedelta) -> WorkingTime:
        """Lay out the open windows from the anchor to the horizon."""
        windows = self._plant.open_windows(anchor.plant, anchor.plant + horizon)
        require(
            bool(windows),
            f"no machine of {self._plant.name} has any working time within {horizon.days} days",
        )
        return WorkingTime.of(
            [((s - anchor.plant).total_seconds(), (e - anchor.plant).total_seconds()) for s, e in windows]
        )

    def now(self) -> datetime:
        """Return the plant time."""
        return self.at(self._wall())

    def at(self, wall: datetime) -> datetime:
        """Return the plant time at a wall time not before the anchor's."""
        elapsed = max((wall - self._anchor.wall).total_seconds(), 0.0) * self._anchor.rate
        if elapsed == 0:
            return self._anchor.plant
        while elapsed >= self._open.worked[-1] + (self._open.ends[-1] - self._open.starts[-1]):
            # It has run to the end of the windows laid out; those already passed stay the same in a longer layout.
            self._horizon *= 2
            self._open = self._open_time(self._anchor, self._horizon)
        # The window that is running after `elapsed` open seconds: at its closing the clock is already in the next.
        index = max(bisect_right(self._open.worked, elapsed) - 1, 0)
        return self._anchor.plant + timedelta(seconds=self._open.starts[index] + elapsed - self._open.worked[index])
