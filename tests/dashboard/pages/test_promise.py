"""The promise page in both languages: what it asks, what it answers, and what it refuses to ask."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from dashboard.pages import promise
from dashboard.shown.promise import PromiseQuestion
from dashboard.words import Words
from plant.errors import InvalidInput
from tests.dashboard.factory import ANNA, ZONE, MemoryLive, MemoryViews, actor_now
from tests.dashboard.pages.test_plan import texts


def asked(language: str, **other: Any) -> str:
    """Return all that is shown of an answer."""

    async def answer() -> str:
        actor_now.set(ANNA)
        question = PromiseQuestion(**{"item": "SH-20", "quantity": 3, "due_at": None, **other})
        return texts(promise.answer_parts(await MemoryViews(MemoryLive()).promise(question), Words(language, ZONE)))

    return asyncio.run(answer())


def test_dates_and_what_they_hang_on_are_told_in_the_readers_language() -> None:
    assert "Four in five (P80)" in asked("en")
    assert "M04 decides the date in 72% of the futures." in asked("en")
    assert "八成把握（P80）" in asked("zh")
    assert "72% 的推演中由 M04 决定交期。" in asked("zh")


def test_a_second_way_and_why_a_date_is_impossible_are_shown_where_there_are_any() -> None:
    assert "Planned anew" not in asked("en")
    early = datetime(2020, 1, 1, tzinfo=UTC)
    shown = asked("en", due_at=early, replan=True)
    assert "Planned anew" in shown
    assert "cannot be kept" in shown
    assert "(new) must be done by" in shown


def test_the_form_asks_in_the_plants_time() -> None:
    say = Words("en", ZONE)
    found = promise.question("SH-20", 2, "2026-01-09 15:00:00", True, False, say)
    assert found.due_at is not None
    assert (found.due_at, found.due_at.tzinfo) == (datetime(2026, 1, 9, 7, tzinfo=UTC), UTC)
    assert (found.item, found.quantity, found.high, found.replan) == ("SH-20", 2, True, False)


@pytest.mark.parametrize(
    ("item", "quantity"), [(None, 1), ("SH-20", None), ("SH-20", ""), ("SH-20", 0), ("SH-20", 1.5)]
)
def test_what_is_missing_is_asked_for(item: str | None, quantity: float | str | None) -> None:
    with pytest.raises(InvalidInput):
        promise.question(item, quantity, None, False, False, Words("en", ZONE))
