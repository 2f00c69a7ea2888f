"""`dashboard.figures.bars`: closed hours, setups in working time, and names that are no markup."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import plotly.graph_objects as go
import pytest

from dashboard.figures.bars import Bar, add_bars, closed, closed_everywhere, dress, worked_back
from dashboard.words import Words

SAY = Words("en", "Asia/Shanghai")
MONDAY = datetime(2026, 1, 5, 6, tzinfo=UTC)


def _hours(start: float, end: float) -> tuple[datetime, datetime]:
    return MONDAY + timedelta(hours=start), MONDAY + timedelta(hours=end)


@pytest.mark.parametrize(
    ("end", "work_h", "begins"),
    [
        (10, 1, 9),  # within one window
        (9, 2, 3),  # an hour of it in the window before
        (7, 1, 3),  # asked for in closed time: worked before it
        (9, 30, -25),  # longer than all windows: the rest goes before them
    ],
)
def test_setups_are_laid_back_over_closed_time(end: float, work_h: float, begins: float) -> None:
    windows = [_hours(0, 4), _hours(8, 16)]
    assert worked_back(windows, MONDAY + timedelta(hours=end), work_h * 3600) == MONDAY + timedelta(hours=begins)


def test_a_machine_is_closed_wherever_it_does_not_work() -> None:
    windows = {"M1": [_hours(-3, 4), _hours(8, 30)], "M2": []}
    assert [(bar.machine, bar.start, bar.end) for bar in closed(windows, _hours(0, 24))] == [
        ("M1", *_hours(4, 8)),
        ("M2", *_hours(0, 24)),
    ]


def test_only_long_spans_in_which_no_machine_works_are_left_out() -> None:
    windows = {"M1": [_hours(0, 4), _hours(4.5, 8)], "M2": [_hours(6, 12), _hours(20, 24)]}
    assert list(closed_everywhere(windows, _hours(0, 24))) == [_hours(12, 20)]


_PLOTLYS_STEPS_H = (0.5, 1, 2, 3, 6, 12, 24, 48, 72, 168, 336)


@pytest.mark.parametrize(
    ("length_h", "step_h"),
    [
        (1.03, 1),
        (8, 1),
        (19, 2),
        (29, 3),
        (59, 6),
        (61, 24),
        (14 * 24 - 1, 24),
        (14 * 24, 168),
        (97 * 24, 168),
        (99 * 24, 336),
    ],
)
def test_ticks_are_even_although_weekends_are_cut_out(length_h: float, step_h: float) -> None:
    figure = go.Figure()
    dress(figure, {"M1": "Saw"}, _hours(0, length_h), [], SAY)
    assert next(step for step in _PLOTLYS_STEPS_H if step > length_h / figure.layout.xaxis.nticks) == step_h


def test_names_are_no_markup_and_what_has_no_name_is_in_no_legend() -> None:
    figure = go.Figure()
    add_bars(figure, {"M1": "<b>Saw</b>"}, [Bar("M1", *_hours(0, 1))], SAY, width=0.5, color="#000000")
    add_bars(figure, {"M1": "Saw"}, [], SAY, width=0.5, name="a < b", color="#000000")
    dress(figure, {"M1": "<b>Saw</b>"}, _hours(0, 24), [_hours(12, 20)], SAY)
    assert [(trace.name, trace.showlegend, trace.hoverinfo) for trace in figure.data] == [
        ("", False, "skip"),
        ("a &lt; b", True, "skip"),
    ]
    assert figure.data[0].base == ("2026-01-05T14:00:00",)
    assert "&lt;b&gt;Saw" in figure.layout.yaxis.ticktext[0]
    assert figure.layout.xaxis.rangebreaks[0].bounds == ("2026-01-06T02:00:00", "2026-01-06T10:00:00")
