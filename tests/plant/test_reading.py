"""Tags, qualities, and what a reading refuses."""

from __future__ import annotations

import pytest

from plant.errors import InvalidInput
from plant.reading import BAD, BAD_NO_COMMUNICATION, GOOD, UNCERTAIN, Reading, is_good
from tests.plant.shops import MONDAY


def test_a_tag_tells_its_machine_and_signal() -> None:
    reading = Reading("site/hall/cell/M01/part_count", MONDAY, 5.0)
    assert (reading.machine, reading.signal, reading.quality) == ("M01", "part_count", GOOD)


@pytest.mark.parametrize(
    ("quality", "good"),
    [(GOOD, True), (0x0000_0480, True), (UNCERTAIN, False), (BAD, False), (BAD_NO_COMMUNICATION, False)],
)
def test_the_two_highest_bits_tell_good(quality: int, good: bool) -> None:
    assert is_good(quality) is good


def test_a_reading_has_a_tag_and_a_zone() -> None:
    with pytest.raises(InvalidInput, match="tag must be a non-empty text"):
        Reading("", MONDAY, 1.0)
    with pytest.raises(InvalidInput, match="time must be a UTC datetime"):
        Reading("a/b/c/d/e", MONDAY.replace(tzinfo=None), 1.0)
