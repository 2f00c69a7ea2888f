"""A machine's stop is planned on the page Health in a real browser, shown there, and called off."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from plant.plant import PlannedStop
from tests.dashboard.conftest import Tab
from tests.dashboard.serving import Served
from tests.dashboard.test_browser import text_of

_FILL = "([name, value]) => dash_clientside.set_props(name, { value })"


def test_a_stop_is_planned_shown_and_called_off(
    served: Served, anna: Tab, keep_screenshot: Callable[[Any, str], None]
) -> None:
    page = anna.turn_to("health", ".stops")
    page.get_by_role("button", name="Plan stop").click()
    page.get_by_text("Choose a machine, and from when until when it is stopped.").wait_for()
    page.get_by_label("Machine").first.click()
    page.get_by_role("option").filter(has_text="M08").click()
    for name, value in (("stop-from", "2026-01-06 08:00:00"), ("stop-until", "2026-01-06 10:30:00")):
        page.evaluate(_FILL, [name, value])
    page.get_by_role("button", name="Plan stop").click()
    text_of(page, ".stops .row", "from Tue 6 Jan 08:00 until Tue 6 Jan 10:30")
    start, end = datetime(2026, 1, 6, 0, tzinfo=UTC), datetime(2026, 1, 6, 2, 30, tzinfo=UTC)
    assert served.views.stops == {"M08": PlannedStop(start, end)}
    keep_screenshot(page, "health-stops")
    page.get_by_role("button", name="Call off").click()
    page.locator(".stops .row").wait_for(state="detached")
    assert served.views.stops == {}


def test_who_may_not_plan_stops_is_offered_no_form(anna: Tab) -> None:
    anna.become("vic")
    page = anna.turn_to("health", ".stops")
    assert not page.get_by_role("button", name="Plan stop").is_visible()
