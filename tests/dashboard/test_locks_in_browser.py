"""An operation is dragged in a real browser, or chosen in the form, and locked once that was confirmed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from plant.long_job import LongJobState
from tests.dashboard.conftest import Tab
from tests.dashboard.serving import Served
from tests.dashboard.test_browser import PLAN, choose_the_ninth, text_of

JOB = "CO-1010/1-20"
"""On M01 from 11:05 on Tuesday, with its changeover; M12 could take it, too."""

_PLACE = """([job, machine]) => {
  const graph = document.querySelector(".gantt .js-plotly-plot");
  const { xaxis, yaxis } = graph._fullLayout;
  const box = graph.getBoundingClientRect();
  for (const trace of graph.data) {
    const n = (trace.customdata || []).indexOf(job);
    if (n < 0 || trace.name === "Setup") continue;
    const row = machine ? graph.layout.meta.machines.indexOf(machine) : trace.y[n];
    const middle = Date.parse(trace.base[n] + "Z") + trace.x[n] / 2;
    return [box.left + xaxis._offset + xaxis.c2p(middle), box.top + yaxis._offset + yaxis.c2p(row)];
  }
}"""
_HOUR_PX = "() => { const x = document.querySelector('.gantt .js-plotly-plot')._fullLayout.xaxis; "
_HOUR_PX += "return x.c2p(Date.UTC(2026, 0, 6, 13)) - x.c2p(Date.UTC(2026, 0, 6, 12)); }"


@pytest.fixture
def page(anna: Tab) -> Any:
    page = anna.turn_to("plan", PLAN)
    page.wait_for_function("(document.querySelector('.gantt .js-plotly-plot') || {})._fullLayout?.meta?.able")
    return page


def drag(page: Any, hours: float, machine: str = "", *, let_go: bool = True) -> None:
    """Drag the operation so many hours later, and to a machine's row."""
    x, y = page.evaluate(_PLACE, [JOB, ""])
    there = page.evaluate(_PLACE, [JOB, machine])
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 20, y, steps=3)
    page.mouse.move(x + hours * page.evaluate(_HOUR_PX), there[1], steps=5)
    if let_go:
        page.mouse.up()


def test_dragging_asks_shows_from_where_to_where_locks_and_plans_around_it(
    served: Served, page: Any, keep_screenshot: Callable[[Any, str], None]
) -> None:
    drag(page, 2, "M12", let_go=False)
    assert page.locator(".drag-ghost").get_attribute("data-told").startswith("M12 · Tue")
    assert "unable" not in page.locator(".drag-ghost").get_attribute("class")
    keep_screenshot(page, "plan-dragging")
    page.mouse.up()
    text_of(page, ".lock-told .way", "M01, Tue 6 Jan 11:05 → M12, Tue 6 Jan 13:05")
    keep_screenshot(page, "plan-lock")
    assert served.views.locks == {}  # nothing happens before it is confirmed
    page.get_by_role("button", name="Lock and plan").click()
    text_of(page, ".locks .row", "on M12 from Tue 6 Jan 13:05")
    lock = served.views.locks[JOB]
    assert (lock.machine, lock.start_at, lock.locked_by) == ("M12", datetime(2026, 1, 6, 5, 5, tzinfo=UTC), "anna")
    text_of(page, ".long-job", "waiting for its turn")
    page.wait_for_function(
        "document.querySelector('.gantt .js-plotly-plot').data.some((one) => one.name === 'Locked' && one.x.length)"
    )
    served.views.step_job(1.0, "", LongJobState.DONE)
    page.wait_for_url("**/plan?plan=plan-3")  # the plan around it is shown, to be judged like any other
    page.get_by_role("button", name="Unlock").click()
    page.locator(".locks .row").wait_for(state="detached")
    assert served.views.locks == {}


def test_where_it_cannot_go_is_shown_while_dragging_and_told_before_anything_is_locked(
    served: Served, page: Any
) -> None:
    drag(page, 2, "M05", let_go=False)
    assert "unable" in page.locator(".drag-ghost").get_attribute("class")
    page.mouse.up()
    text_of(page, ".lock-told .impossible", f"M05 cannot take {JOB}; M01, M12 can")
    assert page.get_by_role("button", name="Lock and plan").is_disabled()
    page.get_by_role("button", name="Close").click()
    assert served.views.locks == {}


def test_escape_and_a_mere_click_lock_nothing_and_empty_ground_moves_the_picture(page: Any) -> None:
    drag(page, 2, let_go=False)
    page.keyboard.press("Escape")
    assert page.locator(".drag-ghost").count() == 0
    page.mouse.up()
    x, y = page.evaluate(_PLACE, [JOB, ""])
    page.mouse.click(x, y)
    seen = "document.querySelector('.gantt .js-plotly-plot')._fullLayout.xaxis.range[0]"
    before = page.evaluate(seen)
    page.keyboard.down("Shift")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 90, y, steps=5)
    page.mouse.up()
    page.keyboard.up("Shift")
    page.wait_for_function(f"{seen} !== {before!r}")
    assert page.get_by_role("dialog").count() == 0


def test_the_calendar_of_the_form_opens_at_the_plants_month(page: Any) -> None:
    page.get_by_role("button", name="Lock an operation").click()
    choose_the_ninth(page, "#plan-lock-start")
    page.keyboard.press("Escape")
    page.locator(".lock-form").wait_for(state="detached")


def test_who_cannot_drag_chooses_in_the_form(served: Served, page: Any) -> None:
    page.get_by_role("button", name="Lock an operation").press("Enter")
    dialog = page.get_by_role("dialog")
    assert dialog.get_by_role("button", name="Lock and plan").is_disabled()
    dialog.get_by_label("Job order").first.fill(JOB)
    page.get_by_role("option").filter(has_text=JOB).click()
    text_of(page, ".lock-told .way", "M01, Tue 6 Jan 11:05 → M01, Tue 6 Jan 11:05")
    dialog.get_by_label("Machine").first.click()
    page.get_by_role("option").filter(has_text="M12").click()
    text_of(page, ".lock-told .way", "M01, Tue 6 Jan 11:05 → M12, Tue 6 Jan 11:05")
    dialog.get_by_role("button", name="Lock and plan").press("Enter")
    text_of(page, ".locks .row", "on M12 from Tue 6 Jan 11:05")
    assert set(served.views.locks) == {JOB}


def test_the_line_of_now_is_where_the_plants_clock_is(page: Any) -> None:
    line = "document.querySelector('.gantt .js-plotly-plot').layout.shapes[0].x0"
    page.wait_for_function(f"{line} >= '2026-01-05 11:20'")


def test_who_may_not_plan_is_offered_nothing_to_drag(served: Served, anna: Tab) -> None:
    anna.become("vic")
    page = anna.turn_to("plan", PLAN)
    page.wait_for_function("(document.querySelector('.gantt .js-plotly-plot') || {})._fullLayout")
    assert page.evaluate("document.querySelector('.gantt .js-plotly-plot').layout.meta === undefined")
    assert not page.get_by_role("button", name="Lock an operation").is_visible()
