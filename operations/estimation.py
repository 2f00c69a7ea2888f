"""A calibration, computed. Pure and picklable: it runs in a process pool."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from plant.calibration import Calibration
from plant.errors import InvalidInput
from plant.machine_state import StateInterval
from plant.order import JobProgress
from plant.ports import Progress, no_progress
from plant.text import told
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
    progress(0.0, told("reading the history"))
    seen = observe(version.plant, intervals, jobs, since, until)
    if not len(seen.processing):
        raise InvalidInput(
            told(
                "no job was begun between {since:moment} and {until:moment}: there is nothing to calibrate with yet",
                since=since,
                until=until,
            )
        )
    progress(0.1, told("estimating from {n:count} jobs", n=len(seen.processing)))
    made = calibrate(version.plant, version.id, seen)
    progress(1.0, told("estimated"))
    return made
