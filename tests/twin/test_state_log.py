"""Simulated seconds and recorded moments meet on one grid of microseconds."""

from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from twin.state_log import OPEN, micros, micros_of_seconds

EPOCH = datetime(2026, 1, 5, 5, tzinfo=UTC)


@given(st.floats(min_value=-1e8, max_value=1e8, allow_nan=False))
@example(140891.5968535)  # times a million, this falls to the other side of the half
@example(0.5e-6)
@example(1.5e-6)
def test_seconds_are_rounded_as_moments_are(seconds: float) -> None:
    assert micros_of_seconds([seconds], EPOCH)[0] == micros(EPOCH + timedelta(seconds=seconds))


def test_what_never_comes_stays_open() -> None:
    assert micros_of_seconds([np.inf, np.nan], EPOCH).tolist() == [OPEN, OPEN]
