"""`plant.calendar.WorkingTime` over rows: the same map with the same arithmetic, R moments at a time."""

from __future__ import annotations

import numpy as np

from plant.calendar import WorkingTime
from twin.draws import Row


def worked_at(working_time: WorkingTime, clock_s: Row) -> Row:
    """Return the working seconds that have passed at moments anywhere on the clock, shape as `clock_s`."""
    starts, worked = np.array(working_time.starts), np.array(working_time.worked)
    ends = np.array([*working_time.ends[:-1], np.inf])
    index = np.maximum(starts.searchsorted(clock_s, side="right") - 1, 0)
    passed: Row = worked[index] + np.maximum(np.minimum(clock_s, ends[index]) - starts[index], 0.0)
    return passed
