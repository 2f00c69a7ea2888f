"""twin/working_rows.py: the same map as plant.calendar.WorkingTime, to the last bit, edges included."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from plant.calendar import WorkingTime
from twin.working_rows import AlwaysOpen, rows_of

lengths = st.lists(st.integers(1, 9), min_size=2, max_size=24).filter(lambda found: len(found) % 2 == 0)
moments = st.lists(st.integers(0, 120) | st.floats(0, 120), min_size=1, max_size=6)
works = st.lists(st.integers(0, 40) | st.floats(0, 40), min_size=6, max_size=6)


@settings(max_examples=400, deadline=None, print_blob=True)
@given(lengths=lengths, closed_first=st.booleans(), moments=moments, works=works)
def test_rows_are_mapped_as_single_moments_are(
    lengths: list[int], closed_first: bool, moments: list[float], works: list[float]
) -> None:
    edges = np.cumsum(lengths).astype(float) - (0 if closed_first else lengths[0])
    single = WorkingTime.of([(float(a), float(b)) for a, b in edges.reshape(-1, 2)])
    rows = rows_of(single)
    begun = np.array(moments, dtype=float)
    rows.begin(begun, begun)
    assert begun.tolist() == [single.begin(moment) for moment in moments]
    work_s = np.array(works[: len(moments)], dtype=float)
    finished = np.empty_like(begun)
    rows.finish(begun, work_s, finished)
    assert finished.tolist() == [single.finish(moment, work) for moment, work in zip(moments, work_s, strict=True)]
    rows.finish(begun, works[0], begun)
    assert begun.tolist() == [single.finish(moment, works[0]) for moment in moments]


def test_a_calendar_that_is_always_open_costs_one_addition() -> None:
    rows = rows_of(WorkingTime.always())
    assert isinstance(rows, AlwaysOpen)
    out = np.empty(2)
    rows.begin(np.array([1.0, 2.0]), out)
    rows.finish(out, np.array([0.5, 0.0]), out)
    assert out.tolist() == [1.5, 2.0]
