"""Energy from readings of power."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def energy_kwh(
    time_s: ArrayLike, power_kw: ArrayLike, start_s: float, end_s: float, longest_hold_s: float
) -> float | None:
    """Return the energy drawn within [start_s, end_s); None if nothing is known of any of it.

    Each reading holds until the next one, but no longer than `longest_hold_s`: of what follows nothing is known,
    and it adds nothing. So adjacent periods add up.

    Parameters
    ----------
    time_s
        When power was read, shape (n,), increasing; readings up to `longest_hold_s` before the period count.
    power_kw
        Shape (n,); NaN where the reading is not usable.
    """
    times, power = np.asarray(time_s, dtype=np.float64), np.asarray(power_kw, dtype=np.float64)
    ends = np.minimum(np.append(times[1:], np.inf)[: len(times)], times + longest_hold_s)
    held_s = np.minimum(ends, end_s) - np.maximum(times, start_s)
    known = (held_s > 0) & np.isfinite(power)
    return float(np.sum(power[known] * held_s[known])) / 3600 if known.any() else None
