"""twin/working_rows.py, twin/kernel.py: the map of plant.calendar.WorkingTime, to the last bit, edges included."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from plant.calendar import WorkingTime
from plant.plan import Plan, PlannedOperation
from plant.plant import SetupMatrix
from plant.work import MachineOutlook, OrderDemand, Task, Work
from twin.draws import Draws
from twin.fitting import first_fit
from twin.replay import replay
from twin.working_rows import worked_at

EPOCH = datetime(2026, 1, 5, 5, tzinfo=UTC)
lengths = st.lists(st.integers(1, 9) | st.just(400), min_size=2, max_size=24).filter(lambda found: len(found) % 2 == 0)
moments = st.lists(st.integers(0, 120) | st.floats(0, 2000), min_size=1, max_size=6)
works = st.lists(st.integers(0, 40) | st.floats(0, 900), min_size=6, max_size=6)


@settings(max_examples=200, deadline=None, print_blob=True)
@given(
    lengths=lengths,
    closed_first=st.booleans(),
    moments=moments,
    works=works,
    setup_s=st.integers(0, 20) | st.floats(0, 20),
    interruptible=st.booleans(),
)
def test_moments_are_mapped_as_the_calendar_maps_them(
    lengths: list[int],
    closed_first: bool,
    moments: list[float],
    works: list[float],
    setup_s: float,
    interruptible: bool,
) -> None:
    edges = np.cumsum(lengths).astype(float) - (0 if closed_first else lengths[0])
    single = WorkingTime.of([(float(a), float(b)) for a, b in edges.reshape(-1, 2)])
    assert worked_at(single, np.array(moments, dtype=float)).tolist() == [single.worked_at(one) for one in moments]
    ready = [float(moment) for moment in moments]
    work_s = [float(work) for work in works[: len(moments)]]
    result = replay(*apart(single, ready, work_s, float(setup_s), interruptible), Draws(1, 2))
    if not interruptible:
        ready = [
            first_fit(single, single, moment, float(setup_s), work) for moment, work in zip(ready, work_s, strict=True)
        ]
    set_up = [single.finish(moment, setup_s) for moment in ready]
    assert result.start_s[:, 1].tolist() == [single.begin(moment) for moment in set_up]
    assert result.finish_s[:, 1].tolist() == [
        single.finish(moment, work) for moment, work in zip(set_up, work_s, strict=True)
    ]


def apart(
    working_time: WorkingTime, ready: list[float], work_s: list[float], setup_s: float, interruptible: bool
) -> tuple[Work, Plan]:
    """One machine for each moment at which something is ready."""
    names = [f"M{number}" for number in range(len(ready))]
    machines = {name: MachineOutlook(name, working_time, SetupMatrix("m", setup_s)) for name in names}
    tasks = tuple(
        Task(f"A-{name}", "A", "i", "1", 1, (), {name: work}, "red", release_s=moment, interruptible=interruptible)
        for name, moment, work in zip(names, ready, work_s, strict=True)
    )
    plan = Plan(EPOCH, tuple(PlannedOperation(f"A-{name}", name, 0, 0.0, 0.0) for name in names))
    return Work(EPOCH, tasks, machines, {"A": OrderDemand("A", 0.0)}), plan


def test_what_may_not_be_interrupted_begins_at_the_first_moment_from_which_it_is_not() -> None:
    shifts = WorkingTime.of([(0.0, 10.0), (20.0, 35.0), (50.0, 60.0), (70.0, 71.0)])
    person = WorkingTime.of([(0.0, 10.0), (24.0, 27.0), (50.0, 52.0), (70.0, 71.0)])
    assert first_fit(shifts, shifts, 3.0, 0.0, 7.0) == 3.0
    assert first_fit(shifts, shifts, 3.5, 0.0, 7.0) == 20.0
    assert first_fit(shifts, shifts, 21.0, 0.0, 15.0) == 70.0
    # The changeover must end while the person is there, the work before the machine closes.
    both = shifts.common(person)
    assert first_fit(both, shifts, 11.0, 3.0, 8.0) == 24.0
    assert first_fit(both, shifts, 24.5, 3.0, 2.0) == 70.0
    assert first_fit(both, shifts, 11.0, 2.0, 10.0) == 70.0
