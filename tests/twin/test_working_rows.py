"""twin/working_rows.py: the same map as plant.calendar.WorkingTime, to the last bit, edges included."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from plant.calendar import WorkingTime
from twin.working_rows import WorkingRows, rows_of, worked_at

lengths = st.lists(st.integers(1, 9), min_size=2, max_size=24).filter(lambda found: len(found) % 2 == 0)
moments = st.lists(st.integers(0, 120) | st.floats(0, 120), min_size=1, max_size=6)
works = st.lists(st.integers(0, 40) | st.floats(0, 40), min_size=6, max_size=6)


@settings(max_examples=400, deadline=None, print_blob=True)
@given(
    lengths=lengths,
    closed_first=st.booleans(),
    moments=moments,
    works=works,
    setup_s=st.integers(0, 20) | st.floats(0, 20),
)
def test_rows_are_mapped_as_single_moments_are(
    lengths: list[int], closed_first: bool, moments: list[float], works: list[float], setup_s: float
) -> None:
    edges = np.cumsum(lengths).astype(float) - (0 if closed_first else lengths[0])
    single = WorkingTime.of([(float(a), float(b)) for a, b in edges.reshape(-1, 2)])
    start_s, finish_s = np.array(moments, dtype=float), np.empty(len(moments))
    work_s = np.array(works[: len(moments)], dtype=float)
    assert worked_at(single, start_s).tolist() == [single.worked_at(moment) for moment in moments]
    WorkingRows(single).run(start_s, setup_s, work_s, finish_s)
    set_up = [single.finish(moment, setup_s) for moment in moments]
    assert start_s.tolist() == [single.begin(moment) for moment in set_up]
    assert finish_s.tolist() == [single.finish(moment, work) for moment, work in zip(set_up, work_s, strict=True)]


def test_a_calendar_that_is_always_open_needs_no_map() -> None:
    assert rows_of(WorkingTime.always()) is None
    assert rows_of(WorkingTime.of([(5.0, 9.0)])) is not None
    assert rows_of(WorkingTime.of([(0.0, 9.0), (10.0, 11.0)])) is not None
