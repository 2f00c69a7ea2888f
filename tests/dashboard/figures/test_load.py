"""The load profile's figure: columns in front of capacity, machines first; who is full stands out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import plotly.graph_objects as go

from dashboard.figures.load import load_figure
from dashboard.words import Words
from methods.load import Load, LoadProfile

SAY = Words("en", "Asia/Shanghai")
MONDAY = datetime(2026, 1, 4, 22, tzinfo=UTC)
DAY = timedelta(days=1)
PERIODS = tuple((MONDAY + n * DAY, MONDAY + (n + 1) * DAY) for n in range(3))
PROFILE = LoadProfile(
    PERIODS,
    (Load("M1", (3600.0, 0.0, 27000.0), (1800.0, 0.0, 0.0), (28800.0, 0.0, 28800.0)),),
    (Load("<weld>", (600.0, 0.0, 0.0), (0.0, 0.0, 0.0), (14400.0, 0.0, 14400.0)),),
)


def figure(profile: LoadProfile = PROFILE, say: Words = SAY) -> go.Figure:
    return load_figure(profile, {"M1": "Saw"}, say)


def test_machines_come_first_then_skills_with_what_of_their_capacity_is_planned() -> None:
    ticks = figure().layout.yaxis.ticktext
    assert ticks == ("<b>M1</b><span>  Saw</span>  56%", "<b>&lt;weld&gt;</b><span>  skill</span>  2%")


def test_a_period_in_which_nobody_works_is_left_out() -> None:
    assert figure().layout.xaxis.ticktext == ("Mon 5 Jan", "Wed 7 Jan")
    assert figure(say=Words("zh", "Asia/Shanghai")).layout.xaxis.ticktext == ("1月5日周一", "1月7日周三")


def test_setups_stand_on_the_processing_and_full_periods_stand_out() -> None:
    capacity, work, full, setup = figure().data
    assert len(capacity.y) == 4
    assert max(capacity.y) == capacity.y[0] == capacity.y[2]  # each row is scaled to itself
    assert setup.base[0] == work.y[0] > 0
    assert setup.y[0] == work.y[0] / 2
    assert len(full.y) == 1
    assert "7 h 30 min of 8 h 00 min (94%)" in full.hovertext[0]
    assert all("Wed" not in tip for tip in work.hovertext if "M1" in tip)


def test_a_plan_of_nothing_is_drawn() -> None:
    assert all(len(trace.y) == 0 for trace in figure(LoadProfile()).data)
