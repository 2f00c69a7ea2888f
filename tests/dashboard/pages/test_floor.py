"""The floor's parts: what a change of one machine changes, and where its states lie in the shift."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from dashboard.changes import changed, digests
from dashboard.pages.floor import floor_parts, segments
from dashboard.shown.floor import FloorView
from dashboard.words import Words
from plant.machine_state import MachineState, StateInterval
from tests.dashboard.factory import ANNA, START, ZONE, MemoryLive, MemoryViews, actor_now

SAY = Words("en", ZONE)


def _floor(views: MemoryViews) -> FloorView:
    async def ask() -> FloorView:
        actor_now.set(ANNA)
        return await views.floor()

    return asyncio.run(ask())


def test_a_breakdown_changes_its_card_and_the_counts() -> None:
    views = MemoryViews(MemoryLive())
    seen = {"count": 0, "parts": digests(floor_parts(_floor(views), SAY))}
    views.set_state("M05", MachineState.BREAKDOWN)
    assert set(changed(floor_parts(_floor(views), SAY), seen)) == {
        ("card", "M05"),
        ("state", "M05"),
        ("since", "M05"),
        ("strip", "M05"),
        ("count", "idle"),
        ("count", "breakdown"),
    }


def test_states_lie_where_they_were_in_the_shift() -> None:
    window = (START, START + timedelta(hours=8))
    timeline = (
        StateInterval("M01", START - timedelta(hours=1), START + timedelta(hours=2), MachineState.EXECUTING),
        StateInterval("M01", START + timedelta(hours=2), START + timedelta(hours=3), MachineState.HELD, "door"),
        StateInterval("M01", START + timedelta(hours=3), None, MachineState.SETUP, "", "CO-1/1-10"),
    )
    first, second, last = segments(timeline, window, SAY)
    assert first.style == {"left": "0.00%", "width": "25.00%"}
    assert second.style == {"left": "25.00%", "width": "12.50%"}
    assert second.title == "Held 08:00–09:00\ndoor"
    assert last.style == {"left": "37.50%", "right": "calc(100% - var(--plant-now, 100%))"}
    assert last.title == "Setup 09:00–…\nCO-1/1-10"


def test_what_ended_before_the_shift_is_left_out() -> None:
    window = (START, START + timedelta(hours=8))
    before = StateInterval("M01", START - timedelta(hours=2), START - timedelta(hours=1), MachineState.IDLE)
    assert list(segments((before,), window, SAY)) == []
