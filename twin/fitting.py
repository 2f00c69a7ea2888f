"""Where work begins that no break may interrupt: at the first moment from which it fits into its window."""

from __future__ import annotations

from plant.calendar import WorkingTime


def first_fit(
    setup_time: WorkingTime, working_time: WorkingTime, ready_s: float, setup_s: float, work_s: float
) -> float:
    """Return the first moment at or after `ready_s` from which changeover and work run without an interruption.

    The last window goes on for ever, so there always is one. Work that may be interrupted would begin at
    ``begin(ready_s)``; this asks window by window whether changeover and work both end in it.

    Parameters
    ----------
    setup_time, working_time
        When the changeover and when the work may run; the first lies within the second.
    setup_s, work_s
        Working seconds of the changeover, and of the work with the repairs in it.
    """
    clock = setup_time if setup_s > 0 else working_time
    begun_s = clock.begin(ready_s)
    while not _fits(setup_time, working_time, begun_s, setup_s, work_s):
        begun_s = clock.starts[clock.window_at(begun_s) + 1]
    return begun_s


def _fits(setup_time: WorkingTime, working_time: WorkingTime, begun_s: float, setup_s: float, work_s: float) -> bool:
    set_up_s = begun_s
    if setup_s > 0:
        if not setup_time.holds(begun_s, setup_s):
            return False
        set_up_s = working_time.begin(setup_time.finish(begun_s, setup_s))
        if working_time.window_at(set_up_s) != working_time.window_at(begun_s):
            return False
    return working_time.holds(set_up_s, work_s)
