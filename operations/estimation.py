"""A calibration, computed. Pure and picklable: it runs in a process pool."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from plant.calibration import Calibration
from plant.errors import InvalidInput
from plant.machine_state import StateInterval
from plant.order import JobProgress
from plant.ports import Progress, no_progress
from plant.version import PlantVersion
from twin.calibrate import calibrate
from twin.observations import observe


def estimate(
    version: PlantVersion,
    intervals: Sequence[StateInterval],
    jobs: Sequence[JobProgress],
    since: datetime,
    until: datetime,
    progress: Progress = no_progress,
) -> Calibration:
    """Return what the history between `since` and `until` says of the plant.

    Raises
    ------
    InvalidInput
        If nothing was seen in it.
    """
    progress(0.0, "reading the history")
    seen = observe(version.plant, intervals, jobs, since, until)
    if not len(seen.processing):
        raise InvalidInput(f"no job was begun between {since} and {until}: there is nothing to calibrate with yet")
    progress(0.1, f"estimating from {len(seen.processing):,} jobs")
    made = calibrate(version.plant, version.id, seen)
    progress(1.0, "estimated")
    return made
