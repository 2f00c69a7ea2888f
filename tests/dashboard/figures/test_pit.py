"""The histogram of where completions fell: a bar per tenth that is known of, against a level line."""

from __future__ import annotations

from dashboard.figures.pit import pit
from dashboard.words import Words
from tests.dashboard.factory import fidelity_report


def test_it_shows_what_is_known_of_each_tenth() -> None:
    found = fidelity_report()
    figure = pit(found.orders.pit, found.job_orders.pit, Words("zh"))
    jobs, orders = figure.data
    assert (jobs.name, orders.name) == ("作业单", "订单")
    assert list(jobs.x) == list(range(1, 11))
    assert tuple(jobs.y) == found.job_orders.pit.mass
    assert tuple(orders.y)[5:] == (None,) * 5
    assert jobs.hovertext[9] == "<b>作业单</b> 14.0%<br>70 个中有 60 个落在此处"
    (level,) = figure.layout.shapes
    assert (level.y0, level.y1) == (0.1, 0.1)
