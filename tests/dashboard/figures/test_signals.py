"""A machine's signals: a row each, gaps left open, limits drawn."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from dashboard.figures.signals import label, signals, unit
from dashboard.shown.health import SignalsView
from dashboard.words import Words
from operations.health import SignalHistory
from tests.dashboard.factory import ANNA, NOW, ZONE, MemoryLive, MemoryViews, actor_now


def _view() -> SignalsView:
    async def ask() -> SignalsView:
        actor_now.set(ANNA)
        return await MemoryViews(MemoryLive()).signals("M04", 8)

    return asyncio.run(ask())


def test_a_row_each_in_plant_time() -> None:
    view = _view()
    figure = signals(view, Words("en", ZONE), hours=8)
    assert len(figure.data) == len(view.columns) == 3
    assert [trace.yaxis for trace in figure.data] == ["y", "y2", "y3"]
    assert str(figure.data[0].x[-1]) == "2026-01-05 11:20:00"
    assert None in figure.data[0].y
    assert not figure.data[0].connectgaps
    limits = [limit for column in view.columns for limit in (column.low, column.high) if limit is not None]
    assert [shape.y0 for shape in figure.layout.shapes] == limits


def test_no_line_is_drawn_where_nothing_came() -> None:
    def drawn(*minutes: float) -> list[float | None]:
        times = tuple(NOW + timedelta(minutes=at) for at in minutes)
        view = replace(_view(), columns=(SignalHistory("power_kw", times, minutes),))
        return list(signals(view, Words("en", ZONE), hours=8).data[0].y)

    assert drawn(0, 0.5, 1, 16, 16.5) == [0, 0.5, 1, None, 16, 16.5]
    assert drawn(0, 0.5, 1, 10.5) == [0, 0.5, 1, 10.5]
    assert drawn(0, 15, 30, 45, 105) == [0, 15, 30, 45, None, 105]
    assert drawn(5) == [5]


def test_a_signal_nobody_named_keeps_its_own_name() -> None:
    say = Words("zh", ZONE)
    assert [label("power_kw", say), unit("power_kw")] == ["功率", "kW"]
    assert [label("torque_nm", say), unit("torque_nm")] == ["torque_nm", ""]
    column = SignalHistory("torque_nm", (), ())
    assert len(signals(replace(_view(), columns=(column,)), say, hours=8).data) == 1


def test_a_machine_without_signals_is_drawn() -> None:
    assert len(signals(replace(_view(), columns=()), Words("en", ZONE), hours=8).data) == 0
