"""`dashboard.figures.risk`: the riskiest first, the bottleneck told apart, percentages that do not flatter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dashboard.figures.risk import LATE, SAFE, TIGHT, by_risk, colour_of, order_risk, percent
from dashboard.words import Words
from plant.verdict import OrderVerdict, Verdict

DUE = datetime(2026, 1, 5, 4, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def order(name: str, on_time: float, slack_h: float = 1.0) -> OrderVerdict:
    p95 = DUE - slack_h * HOUR
    return OrderVerdict(name, DUE, on_time, on_time - 0.03, p95 - 2 * HOUR, p95 - HOUR, p95, 0.0)


def test_the_least_likely_order_is_on_top_and_slack_decides_between_equals() -> None:
    verdict = Verdict("replay", 1000, 1, (order("a", 0.9), order("b", 0.9, 0.5), order("c", 0.3)), (), 0.5, None)
    assert [one.order for one in by_risk(verdict)] == ["c", "b", "a"]
    figure = order_risk(verdict, {"a": 0.8, "b": 0.9, "c": 0.8}, Words("en", "Asia/Shanghai"))
    bars, _, due = figure.data
    assert list(bars.marker.color) == [LATE, TIGHT, SAFE]
    assert bars.x[0] == 2 * 3600 * 1000
    assert set(due.x) == {"2026-01-05T12:00:00"}
    assert figure.layout.yaxis.ticktext[0] == "c <b>30%</b>"


@pytest.mark.parametrize(
    ("share", "told"), [(1.0, "100 %"), (0.9981, "&gt; 99 %"), (0.846, "85 %"), (0.0019, "< 1 %"), (0.0, "0 %")]
)
def test_only_what_is_certain_is_told_as_certain(share: float, told: str) -> None:
    assert percent(share).replace(">", "&gt;") == told


def test_colours_follow_the_gate() -> None:
    assert colour_of(order("a", 0.84), 0.8) == SAFE
    assert colour_of(order("a", 0.82), 0.8) == TIGHT
    assert colour_of(order("a", 0.4), 0.8) == LATE
