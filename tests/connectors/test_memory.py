"""Where a gap begins: after the last reading that is stored, before the first that is not."""

from __future__ import annotations

from connectors.memory import INSTANT, Memory
from plant.reading import BAD_NO_COMMUNICATION, Reading, Signal
from tests.connectors.shop import at, tag


def state_reading(second: float, quality: int = 0) -> Reading:
    return Reading(tag("M01", Signal.PACKML_STATE), at(second), None if quality else 6.0, quality)


def test_nothing_stored_means_nothing_lost() -> None:
    memory = Memory([Reading(tag("M01", Signal.POWER), at(5), 1.0)])
    assert memory.state_at("M01") is None
    assert memory.gap_at("M01") is None
    assert memory.lost_at("M01") is None


def test_a_gap_begins_after_the_last_reading_of_any_signal() -> None:
    memory = Memory([state_reading(1), Reading(tag("M01", Signal.POWER), at(30), 1.0)])
    assert memory.gap_at("M01") == at(30) + INSTANT
    assert memory.gap_at("M01", before=at(31)) == at(30) + INSTANT


def test_a_state_older_than_other_readings_leaves_the_gap_before_itself() -> None:
    memory = Memory([state_reading(1), Reading(tag("M01", Signal.POWER), at(30), 1.0)])
    assert memory.gap_at("M01", before=at(20)) == at(1) + INSTANT
    assert memory.gap_at("M01", before=at(1) + INSTANT) is None


def test_a_bad_state_is_lost_until_a_later_good_one() -> None:
    memory = Memory([state_reading(1), state_reading(5, BAD_NO_COMMUNICATION)])
    assert memory.lost_at("M01") == at(5)
    assert memory.state_at("M01") == at(1)
    memory.commit([state_reading(3)])
    assert memory.lost_at("M01") == at(5), "what came late and lies before does not end it"
    memory.commit([state_reading(6)])
    assert memory.lost_at("M01") is None


def test_a_copy_goes_its_own_way() -> None:
    memory = Memory([state_reading(1)])
    twin = memory.copy()
    twin.commit([state_reading(9)])
    assert memory.state_at("M01") == at(1)
    assert twin.state_at("M01") == at(9)
