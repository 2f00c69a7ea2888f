"""Message ids: UUIDv7, valid and in the order of their making."""

from __future__ import annotations

import time
import uuid

import pytest

from plant import message
from plant.message import new_message_id


@pytest.fixture(autouse=True)
def _as_if_none_was_made_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message, "_last_tick", -1)


def test_ids_are_valid_uuids_of_version_7_and_all_different() -> None:
    ids = [new_message_id() for _ in range(5000)]
    assert len(set(ids)) == len(ids)
    for text in ids:
        parsed = uuid.UUID(text)
        assert str(parsed) == text
        assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)


def test_they_carry_the_millisecond_and_sort_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = [0, 1, 999, 1_700_000_000_000, 1_795_000_000_000, 2**47, 2**48 - 1]
    ids = []
    for milliseconds in moments:
        monkeypatch.setattr(time, "time_ns", lambda value=milliseconds: value * 1_000_000 + 999_999)
        ids.append(new_message_id())
    assert [uuid.UUID(text).int >> 80 for text in ids] == moments
    assert ids == sorted(ids)


def test_every_random_bit_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """62 bits are random; over many ids each must be seen set and unset (chance of failing by luck: 62 * 2^-199)."""
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    values = [uuid.UUID(new_message_id()).int for _ in range(200)]
    ever = never = 0
    for value in values:
        ever |= value
        never |= ~value
    varying = ever & never & (2**62 - 1)
    assert varying.bit_count() == 62


def test_message_ids_sort_in_the_order_they_were_made_even_when_the_clock_goes_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ids = [new_message_id() for _ in range(5_000)]
    monkeypatch.setattr("time.time_ns", lambda: 1_000_000_000)
    ids += [new_message_id() for _ in range(5_000)]
    assert ids == sorted(set(ids))
