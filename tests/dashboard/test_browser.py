"""The dashboard in a real browser: what people see, what is pushed to them, and what they may do."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dashboard.views import Topic
from plant.long_job import LongJobState
from plant.machine_state import MachineState
from plant.plan import PlanState
from tests.dashboard.conftest import OpenTab, Tab
from tests.dashboard.factory import LEARNED, fidelity_report
from tests.dashboard.serving import Served

LISTENERS_DEADLINE_S = 10


def eventually(holds: Callable[[], bool], what: str) -> None:
    """Wait for something that happens in the server's thread."""
    deadline = time.monotonic() + LISTENERS_DEADLINE_S
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def text_of(page: Any, selector: str, text: str) -> None:
    """Wait until an element shows `text`."""
    page.locator(selector).filter(has_text=text).first.wait_for()


def choose_the_ninth(page: Any, picker: str) -> None:
    """Choose a day in a calendar that is to open at the plant's month and to tell it in one way only."""
    page.locator(picker).click()
    text_of(page, ".mantine-DateTimePicker-calendarHeaderLevel", "January 2026")
    page.locator(".mantine-DateTimePicker-day:not([data-outside])").get_by_text("9", exact=True).click()
    assert re.fullmatch(r"2026-01-09 \d\d:\d\d", page.locator(picker).inner_text())


PAGES = {
    "floor": "article .strip > div",
    "plan": ".verdicts .ag-row",
    "promise": ".promise .form button.button",
    "health": ".machines .row",
    "twin": ".verdicts .ag-row",
}
PLAN = PAGES["plan"]


def choose(page: Any, reason: str) -> None:
    """Choose the plan made for this reason and wait until the address names it."""
    page.locator("input.mantine-Select-input").click()
    page.get_by_role("option").filter(has_text=reason).click()
    page.wait_for_url("**/plan?plan=plan-1")
    text_of(page, ".gate.passed h3", "let this plan out")


@pytest.mark.parametrize(("language", "width", "dark"), [("en", 1440, False), ("zh", 1440, True), ("en", 390, False)])
def test_pages_are_drawn(
    tab: OpenTab, keep_screenshot: Callable[[Any, str], None], language: str, width: int, dark: bool
) -> None:
    opened = tab(language=language, width=width, dark=dark)
    page = opened.open("/")
    assert page.get_attribute("html", "lang") == language
    assert page.get_attribute("html", "data-mantine-color-scheme") == ("dark" if dark else "light")
    for name, landmark in PAGES.items():
        opened.turn_to(name, landmark)
        if name in {"plan", "health"}:
            page.locator(".js-plotly-plot .main-svg").first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        keep_screenshot(page, f"{name}-{language}-{width}")


_OVERLAPS = """() => {
  const boxes = [...document.querySelectorAll(".top nav a > *, .clock > *, .languages button, .who, .user form")]
    .map((one) => [one.textContent || one.className, one.getBoundingClientRect()])
    .filter(([, box]) => box.width && box.height);
  const over = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  return boxes.flatMap(([name, box], n) =>
    boxes.slice(n + 1).filter(([, other]) => over(box, other)).map(([other]) => `${name} over ${other}`));
}"""
_CUT_OFF = """() => [...document.querySelectorAll(".facts b, .gate, .changes ul, .top nav a")]
  .filter((one) => one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 1)
  .map((one) => one.textContent)"""


@pytest.mark.parametrize("language", ["en", "zh"])
def test_nothing_in_the_header_or_on_a_plan_is_cut_off_or_lies_over_another(tab: OpenTab, language: str) -> None:
    one = tab(language=language)
    one.open("/plan")
    for landmark in (PLAN, ".who b", "#plant-name"):
        one.page.locator(landmark).first.wait_for()
    for width in (1440, 1100, 1024, 1001, 941, 801, 390):
        one.page.set_viewport_size({"width": width, "height": 900})
        one.page.wait_for_function(
            "document.documentElement.scrollWidth <= innerWidth"
        )  # figures follow a moment later
        assert one.page.evaluate(_OVERLAPS) == [], width
        assert one.page.evaluate(_CUT_OFF) == [], width
    one.page.set_viewport_size({"width": 1440, "height": 900})


def test_the_floor_says_what_is_known(served: Served, anna: Tab) -> None:
    page = anna.page
    card = page.locator("article[data-machine=M12]")
    assert card.locator(".name").inner_text().split("\n") == ["M12", "Inspection <CMM>"]
    assert "Offline" in card.inner_text()
    assert page.locator("article").count() == len(served.views.machines)
    text_of(page, "article[data-machine=M09]", "+2 in batch")
    text_of(page, "#clock .plant-name", "Machine shop")
    page.wait_for_function("document.querySelector('#clock .time').textContent >= '11:20'")


def test_a_breakdown_is_pushed_and_touches_nothing_else(
    served: Served, anna: Tab, keep_screenshot: Callable[[Any, str], None]
) -> None:
    page = anna.page
    page.evaluate(
        """() => {
          window.touched = [];
          const other = document.querySelector("article[data-machine=M01]");
          for (const part of other.querySelectorAll(".job, .figures, .strip, header")) {
            new MutationObserver((changes) => window.touched.push(...changes.map((c) => c.target.className)))
              .observe(part, { childList: true, subtree: true, attributes: true, characterData: true });
          }
        }"""
    )
    served.views.set_state("M05", MachineState.BREAKDOWN, "spindle <b>blocked</b>")
    text_of(page, "article[data-machine=M05].state-breakdown .state-badge", "Breakdown")
    text_of(page, "article[data-machine=M05] .reason", "spindle <b>blocked</b>")
    text_of(page, ".chip.state-breakdown b", "1")
    assert page.evaluate("window.touched") == []
    keep_screenshot(page, "floor-breakdown")


def test_the_page_catches_up_after_many_changes(served: Served, anna: Tab) -> None:
    page = anna.page
    for state in [MachineState.EXECUTING, MachineState.HELD] * 20:
        served.views.set_state("M02", state)
    served.views.set_state("M02", MachineState.SETUP)
    text_of(page, "article[data-machine=M02].state-setup", "Setup")
    served.live.announce(Topic.FLOOR)
    assert page.locator("article[data-machine=M02] .strip > div").count() > 40


def test_a_machine_that_is_new_appears(served: Served, anna: Tab) -> None:
    page = anna.page
    first = served.views.machines.pop("M01")
    served.live.announce(Topic.FLOOR)
    page.locator("article[data-machine=M01]").wait_for(state="detached")
    served.views.machines["M01"] = first
    served.live.announce(Topic.FLOOR)
    page.locator("article[data-machine=M01]").wait_for()


def test_every_tab_listens_by_itself_and_stops_when_it_closes(served: Served, tab: OpenTab) -> None:
    before = served.live.listeners  # the tab that stays open
    one, two = tab(), tab()
    one.open("/")
    two.open("/")
    eventually(lambda: served.live.listeners == before + 2, "each tab listens")
    two.open("/health")
    eventually(lambda: served.live.listeners == before + 2, "a page that was left does not listen on")
    served.views.set_state("M05", MachineState.BREAKDOWN)
    text_of(one.page, "article[data-machine=M05]", "Breakdown")
    one.page.close()
    eventually(lambda: served.live.listeners == before + 1, "a closed tab does not listen on")
    two.page.close()
    eventually(lambda: served.live.listeners == before, "no socket is left")


def test_a_lost_socket_is_opened_again(served: Served, anna: Tab) -> None:
    page = anna.page
    served.live.announce(None)
    page.wait_for_selector("html[data-link=off]", state="attached")
    served.views.machines["M05"] = served.views.machines["M01"]  # changed while nobody listened
    served.views.set_state("M05", MachineState.BREAKDOWN)
    page.wait_for_selector("html[data-link=on]", state="attached")
    text_of(page, ".chip.state-breakdown b", "1")


def test_a_session_that_has_ended_leads_to_the_login_page(served: Served, tab: OpenTab) -> None:
    opened = tab()
    page = opened.open("/")
    opened.expected = "401"
    page.context.clear_cookies(name="user")
    served.live.announce(Topic.FLOOR)
    page.locator("input[name=password]").wait_for()  # more than one call may lead there, each ending the other's way
    assert page.url.endswith("/login?next=%2F")


def test_a_plan_that_passes_is_released(served: Served, anna: Tab) -> None:
    page = anna.turn_to("plan", PLAN)
    choose(page, "first plan")
    text_of(page, ".gate.passed", "The plan in force does not cover it.")
    page.get_by_role("button", name="Release", exact=True).click()
    text_of(page, ".facts", "in force")
    text_of(page, ".mantine-Notification-root", "Released")
    assert page.get_by_role("button", name="Release", exact=True).is_disabled()
    assert served.views.plan_views["plan-1"].state is PlanState.RELEASED


def test_a_refused_plan_needs_a_written_reason(
    served: Served, anna: Tab, keep_screenshot: Callable[[Any, str], None]
) -> None:
    page = anna.turn_to("plan", PLAN)
    page.get_by_role("button", name="Release", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("CO-1004 (high priority) is on time with a probability of 31%").wait_for()
    anyway = dialog.get_by_role("button", name="Release anyway")
    assert anyway.is_disabled()
    dialog.get_by_role("textbox").fill("          ")
    assert anyway.is_disabled()
    dialog.get_by_role("textbox").fill("The customer <b>agreed</b> to Tuesday")
    page.wait_for_selector("#plan-override:not([disabled])")
    keep_screenshot(page, "plan-refused")
    anyway.click()
    text_of(page, ".gate", "Released by anna: The customer <b>agreed</b> to Tuesday")
    released = served.views.plan_views["plan-2"]
    assert (released.state, released.released_by) == (PlanState.RELEASED, "anna")
    assert released.override_reason == "The customer <b>agreed</b> to Tuesday"


def test_who_looks_at_the_plan_in_force_goes_on_doing_so(served: Served, anna: Tab) -> None:
    served.views.put_in_force("plan-1")
    page = anna.turn_to("plan", PLAN)
    choose(page, "first plan")
    page.wait_for_url("**/plan?plan=plan-1")
    served.views.put_in_force("plan-2")
    page.wait_for_url("**/plan?plan=plan-2")
    text_of(page, ".facts", "in force")
    text_of(page, ".gate h3", "The gate refused this plan")
    text_of(page, ".mantine-Notification-root", "Another plan is in force now")
    choose(page, "first plan")  # who wants to see the one before, stays there
    text_of(page, ".facts", "superseded")
    assert page.url.endswith("plan=plan-1")


def test_a_release_that_came_too_late_is_told(served: Served, anna: Tab) -> None:
    page = anna.turn_to("plan", PLAN)
    choose(page, "first plan")
    served.views.plan_views["plan-1"] = replace(served.views.plan_views["plan-1"], state=PlanState.RELEASED)
    page.get_by_role("button", name="Release", exact=True).click()
    text_of(page, ".mantine-Notification-root", "plan-1 is released already")


def test_making_a_plan_shows_how_far_it_is_and_then_the_plan(
    served: Served, anna: Tab, keep_screenshot: Callable[[Any, str], None]
) -> None:
    page = anna.turn_to("plan", PLAN)
    page.get_by_role("button", name="Make a plan").click()
    text_of(page, ".long-job", "waiting for its turn")
    served.views.step_job(0.4, "rehearsing")
    text_of(page, ".long-job", "40%")
    text_of(page, ".long-job", "rehearsing")
    assert page.get_by_role("button", name="Make a plan").is_disabled()
    keep_screenshot(page, "plan-being-made")
    served.views.step_job(1.0, "", LongJobState.DONE)
    text_of(page, ".mantine-Notification-root", "The plan is made")
    page.wait_for_url("**/plan?plan=plan-3")
    text_of(page, ".gate.passed h3", "let this plan out")
    page.wait_for_selector("button:has-text('Make a plan'):not([disabled])")


def test_before_the_first_plan_the_page_says_what_it_is_and_makes_one(
    served: Served, anna: Tab, keep_screenshot: Callable[[Any, str], None]
) -> None:
    served.views.plan_views.clear()
    page = anna.turn_to("plan", ".empty")
    text_of(page, ".empty", "There is no plan yet")
    assert not page.locator(".gantt").is_visible()
    assert not page.locator(".verdicts").is_visible()
    keep_screenshot(page, "plan-none")
    page.get_by_role("button", name="Make the first plan").click()
    text_of(page, ".long-job", "waiting for its turn")
    assert page.get_by_role("button", name="Make the first plan").is_disabled()
    served.views.step_job(1.0, "", LongJobState.DONE)
    page.wait_for_url("**/plan?plan=plan-1")
    page.locator(PLAN).first.wait_for()
    assert not page.locator(".empty").is_visible()
    panel = page.locator(".panel.gantt").bounding_box()
    page.wait_for_function(f"document.querySelector('.gantt .main-svg').clientWidth > {panel['width'] * 0.9}")


def test_before_any_machine_gave_signals_health_says_so(served: Served, anna: Tab) -> None:
    served.views.silent = True
    page = anna.turn_to("health", ".empty")
    text_of(page, ".empty", "No machine has given condition signals yet")
    assert not page.locator(".signals").is_visible()
    served.views.silent = False
    served.live.announce(Topic.HEALTH)
    page.locator(".machines .row").first.wait_for()
    assert not page.locator(".empty").is_visible()


def test_a_plan_in_the_making_can_be_cancelled(served: Served, anna: Tab) -> None:
    page = anna.turn_to("plan", PLAN)
    page.get_by_role("button", name="Make a plan").click()
    page.get_by_role("button", name="Cancel").click()
    text_of(page, ".mantine-Notification-root", "It was cancelled.")
    assert served.views.jobs[0].state is LongJobState.CANCELLED


def test_an_answer_that_was_overtaken_changes_nothing(served: Served, anna: Tab) -> None:
    page = anna.turn_to("plan", PLAN)
    held: list[Any] = []
    page.route("**/_dash-update-component*", lambda route: held.append(route) if not held else route.continue_())
    served.views.plan_views["plan-2"] = replace(served.views.plan_views["plan-2"], released_by="nobody")
    with page.expect_request("**/_dash-update-component*"):
        served.live.announce(Topic.PLANS)  # asks for plan-2 again; that answer is held back ...
    choose(page, "first plan")  # ... until another plan was chosen and is shown
    with page.expect_response(lambda answer: answer.request == held[0].request):
        held[0].continue_()
    page.unroute("**/_dash-update-component*")
    served.views.plan_views["plan-1"] = replace(served.views.plan_views["plan-1"], reason="first plan, read again")
    served.live.announce(Topic.PLANS)
    page.wait_for_function("document.querySelector('input.mantine-Select-input').value.endsWith('read again')")
    assert page.locator(".gate.passed").is_visible()


def test_an_overtaken_answer_leaves_no_old_state_on_the_floor(served: Served, anna: Tab) -> None:
    page = anna.page
    before = served.views.machines["M05"].state
    held: list[Any] = []
    page.route("**/_dash-update-component*", lambda route: held.append(route) if not held else route.continue_())
    with page.expect_request("**/_dash-update-component*"):
        served.views.set_state("M05", MachineState.BREAKDOWN)
    eventually(lambda: page.evaluate("true") and bool(held), "the page asks")
    late = held[0].fetch()  # the server has answered with the breakdown; the browser has not heard of it yet ...
    served.views.set_state("M05", before)
    with page.expect_response("**/_dash-update-component*"):
        page.evaluate("window.dash_clientside.set_props('live-floor', { data: 'asked once more' })")
    served.views.set_state("M02", MachineState.HELD)
    with page.expect_response(lambda answer: answer.request == held[0].request):
        held[0].fulfill(response=late)  # ... until the repair was asked for and shown
    text_of(page, "article[data-machine=M02]", "Held")
    assert "Breakdown" not in page.locator("article[data-machine=M05]").inner_text()


def test_what_a_role_may_not_do_is_not_offered(anna: Tab) -> None:
    anna.become("vic")
    page = anna.turn_to("plan", PLAN)
    assert page.get_by_role("button", name="Release", exact=True).is_disabled()
    assert page.get_by_role("button", name="Make a plan").is_disabled()
    anna.turn_to("floor", "article")
    anna.become("mia")
    anna.turn_to("plan", ".refusal")
    text_of(page, ".refusal", "You may not do this")
    text_of(page, ".refusal", "mia (maintenance) may not view plans")
    assert page.locator(".gantt").count() == 0


def test_what_does_not_answer_is_told_and_the_page_stays(served: Served, anna: Tab) -> None:
    page = anna.page
    served.views.down = True
    served.live.announce(Topic.FLOOR)
    text_of(page, ".mantine-Notification-root", "the historian does not answer")
    assert page.locator("article").count() == len(served.views.machines)
    served.views.down = False
    served.views.set_state("M05", MachineState.BREAKDOWN)
    text_of(page, "article[data-machine=M05]", "Breakdown")


def test_health_follows_the_machine_that_is_looked_at(served: Served, anna: Tab) -> None:
    page = anna.turn_to("health", PAGES["health"])
    assert page.locator(".machines .row").first.inner_text().startswith("M04")
    page.locator(".machines .row", has_text="M07").click()
    text_of(page, ".detail h2", "M07")
    assert page.url.endswith("/health?machine=M07")
    served.views.unwell["M07"] = 0.22
    served.live.announce(Topic.HEALTH)
    text_of(page, ".detail", "22")
    assert page.locator(".machines .row").first.inner_text().startswith("M07")
    page.get_by_text("24 h", exact=True).click()
    page.locator(".js-plotly-plot .main-svg").first.wait_for()


def test_a_calibration_is_compared_and_adopted_after_a_second_look(
    served: Served, anna: Tab, keep_screenshot: Callable[[Any, str], None]
) -> None:
    newest, used = (one.id for one in served.views.calibrations)
    page = anna.turn_to("twin", PAGES["twin"])
    text_of(page, ".versions .row", "in use")
    text_of(page, ".detail h2", newest)
    assert page.locator(".verdicts .ag-row .late").count() == 6
    page.get_by_role("button", name="Adopt").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text(f"the twin uses {newest}").wait_for()
    keep_screenshot(page, "twin-adopt")
    dialog.get_by_role("button", name="Cancel").click()
    dialog.wait_for(state="hidden")
    assert served.views.adoptions == [used]
    page.get_by_role("button", name="Adopt").click()
    dialog.get_by_role("button", name="Yes").click()
    text_of(page, ".mantine-Notification-root", f"The twin uses {newest} now.")
    text_of(page, ".detail .bar-top", "in use")
    assert served.views.adoptions == [used, newest]
    assert page.get_by_role("button", name="Adopt").is_disabled()
    page.get_by_role("button", name="Roll back").click()
    dialog.get_by_role("button", name="Yes").click()
    text_of(page, ".mantine-Notification-root", f"The twin uses {used} now.")
    page.wait_for_selector("button:has-text('Adopt'):not([disabled])")
    assert served.views.adoptions == [used]


def test_any_two_calibrations_are_compared(served: Served, anna: Tab) -> None:
    used = served.views.calibrations[1].id
    page = anna.turn_to("twin", PAGES["twin"])
    page.locator(".versions .row", has_text=used).click()
    text_of(page, ".detail h2", used)
    assert page.url.endswith(f"/twin?calibration={used}")
    page.wait_for_function("document.querySelector('.base input').value === 'the plan as it stands'")
    page.locator(".base input").click()
    page.get_by_role("option").filter(has_text=served.views.calibrations[0].id).click()
    row = page.locator(".verdicts .ag-row").first
    row.filter(has_text="× 1.36").wait_for()
    assert row.locator("[col-id=after]").inner_text() == "× 1.15"


def test_calibrating_shows_how_far_it_is_and_then_what_was_made(served: Served, anna: Tab) -> None:
    page = anna.turn_to("twin", PAGES["twin"])
    page.get_by_role("button", name="Calibrate now").click()
    text_of(page, ".long-job", "waiting for its turn")
    assert served.views.jobs[0].subject == "last 30 days"
    served.views.step_job(0.1, "estimating")
    text_of(page, ".long-job", "10%")
    assert page.get_by_role("button", name="Calibrate now").is_disabled()
    served.views.step_job(1.0, "", LongJobState.DONE)
    made = served.views.calibrations[0].id
    text_of(page, ".mantine-Notification-root", f"{made} is made.")
    text_of(page, ".versions .row", made)
    page.wait_for_selector("button:has-text('Calibrate now'):not([disabled])")


def test_a_calibration_in_the_making_can_be_cancelled(served: Served, anna: Tab) -> None:
    page = anna.turn_to("twin", PAGES["twin"])
    page.get_by_role("button", name="Calibrate now").click()
    page.get_by_role("button", name="Cancel").click()
    text_of(page, ".mantine-Notification-root", "No calibration was made")
    assert served.views.jobs[0].state is LongJobState.CANCELLED


def test_learning_shows_how_far_it_is_what_came_of_it_and_can_be_taken_back(
    served: Served, anna: Tab, keep_screenshot: Callable[[Any, str], None]
) -> None:
    page = anna.turn_to("twin", PAGES["twin"])
    text_of(page, ".learned", "In use: the unlearned")
    assert page.get_by_role("button", name="Go back to the unlearned").is_disabled()
    page.get_by_role("button", name="Learn now").click()
    page.wait_for_selector("button:has-text('Learn now')[disabled]")
    served.views.step_job(0.4, "planning and rehearsing case 9")
    page.get_by_text("planning and rehearsing case 9").wait_for()
    served.views.step_job(1.0, "", LongJobState.DONE)
    text_of(page, ".mantine-Notification-root", "Learned is better than unlearned")
    text_of(page, ".learned", f"In use: {LEARNED.id}, since")
    text_of(page, ".learned", "weighted delay -4.0 h (-6.0 h to -2.0 h, 95%), 10.0 h instead of 14.0 h, on 40 cases")
    text_of(page, ".learned", "Moves next to the family")
    keep_screenshot(page, "twin-learned")
    page.get_by_role("button", name="Go back to the unlearned").click()
    text_of(page, ".learned", "In use: the unlearned")
    assert not any(one.used_since for one in served.views.learned)


def test_learning_can_be_cancelled(served: Served, anna: Tab) -> None:
    page = anna.turn_to("twin", PAGES["twin"])
    page.get_by_role("button", name="Learn now").click()
    page.get_by_role("button", name="Cancel").click()
    text_of(page, ".mantine-Notification-root", "Nothing was learned")
    assert served.views.jobs[0].state is LongJobState.CANCELLED
    assert served.views.learned == []


def test_before_anything_is_known_of_the_twin_its_page_says_so(served: Served, anna: Tab) -> None:
    served.views.calibrations, served.views.adoptions, served.views.measured = [], [], None
    page = anna.turn_to("twin", ".empty")
    text_of(page, ".empty", "Nothing has been calibrated yet")
    text_of(page, ".empty", "has not been measured yet")
    assert not page.locator(".calibrations").is_visible()
    assert not page.locator(".fidelity").is_visible()
    served.views.measured = fidelity_report()
    served.live.announce(Topic.TWIN)
    text_of(page, ".drift .row", "M07")
    text_of(page, ".figures-table td.off", "42%")
    panel = page.locator(".pit").bounding_box()
    page.wait_for_function(f"document.querySelector('.pit .main-svg').clientWidth > {panel['width'] * 0.9}")


def test_the_twins_error_is_measured_on_command(served: Served, anna: Tab) -> None:
    page = anna.turn_to("twin", PAGES["twin"])
    report = served.views.measured
    assert report is not None
    served.views.measured = replace(report, drift=())
    served.live.announce(Topic.TWIN)
    text_of(page, ".drift", "None.")
    page.get_by_role("button", name="Measure now").click()
    text_of(page, ".drift .row", "P-3/30")


def test_what_the_mes_refused_is_counted_on_every_page_and_sent_again(
    served: Served, anna: Tab, keep_screenshot: Callable[[Any, str], None]
) -> None:
    page = anna.page
    assert page.locator("#nav-plan .badge").inner_text() == ""
    anna.turn_to("plan", PLAN)
    assert not page.locator(".refused-messages").is_visible()
    served.views.refuse("CO-1001/1-10", "unknown machine <M08>")
    served.views.refuse("CO-1002/1-20", "begun on M03")
    text_of(page, "#nav-plan .badge", "2")
    row = page.locator(".refused-messages .row", has_text="CO-1001/1-10")
    row.filter(has_text="unknown machine <M08>").wait_for()
    keep_screenshot(page, "plan-refused-messages")
    row.get_by_role("button", name="Send again").click()
    text_of(page, ".mantine-Notification-root", "Sent again")
    text_of(page, "#nav-plan .badge", "1")
    row.wait_for(state="detached")
    assert [one.subject for one in served.views.refused] == ["job-order/CO-1002/1-20"]
    served.views.refused.clear()
    served.live.announce(Topic.MESSAGES)
    page.locator(".refused-messages").wait_for(state="hidden")
    page.wait_for_function("document.querySelector('#nav-plan .badge').textContent === ''")


def test_who_may_not_change_the_twin_or_release_sees_and_changes_nothing(served: Served, anna: Tab) -> None:
    served.views.refuse("CO-1001/1-10", "unknown machine M08")
    anna.become("vic")
    page = anna.turn_to("twin", PAGES["twin"])
    for name in ("Adopt", "Roll back", "Calibrate now", "Measure now", "Learn now", "Go back to the unlearned"):
        assert page.get_by_role("button", name=name).is_disabled(), name
    anna.turn_to("plan", PLAN)
    assert page.get_by_role("button", name="Send again").is_disabled()


def test_language_and_light_or_dark_are_switched_with_one_click_and_kept(tab: OpenTab) -> None:
    page = tab().open("/")
    page.get_by_role("button", name="Light or dark").click()
    page.wait_for_selector("html[data-mantine-color-scheme=dark]", state="attached")
    page.get_by_role("button", name="中文").click()
    text_of(page, "nav a.current", "车间")
    text_of(page, "article[data-machine=M01]", "加工中")
    assert page.get_attribute("html", "lang") == "zh"
    assert page.get_attribute("html", "data-mantine-color-scheme") == "dark"
    assert page.title() == "车间 – Forerun"
    page.evaluate("window.localStorage.clear()")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_login_page(tab: OpenTab, keep_screenshot: Callable[[Any, str], None], language: str) -> None:
    opened = tab(user=None, width=390 if language == "zh" else 1440)
    opened.page.goto(f"{opened.address}/login?language={language}")
    opened.page.get_by_role("alert").wait_for()
    assert opened.page.locator("input:focus").get_attribute("name") == "name"
    keep_screenshot(opened.page, f"login-{language}")


@pytest.mark.parametrize(
    ("path", "picker"),
    [
        ("promise", "#promise-due"),
        ("health", "#stop-from"),
        ("health", "#stop-until"),
    ],
)
def test_a_calendar_opens_at_the_plants_month_and_shows_the_day_in_one_way(anna: Tab, path: str, picker: str) -> None:
    choose_the_ninth(anna.turn_to(path, PAGES[path]), picker)


def test_a_promise_is_asked_for_and_answered(anna: Tab, keep_screenshot: Callable[[Any, str], None]) -> None:
    page = anna.turn_to("promise", PAGES["promise"])
    page.locator("#promise-ask").click()
    text_of(page, ".mantine-Notification-root", "Choose an item.")
    page.locator("#promise-item").click()
    page.get_by_role("option").filter(has_text="SH-20").click()
    page.locator("#promise-quantity").fill("3")
    page.locator("#promise-ask").click()
    text_of(page, ".offer .facts", "Four in five (P80)")
    text_of(page, ".offer .reasons", "M04 decides the date in 72% of the futures.")
    keep_screenshot(page, "promise-answer")


def test_why_an_entered_order_cannot_be_done_by_a_date(anna: Tab, keep_screenshot: Callable[[Any, str], None]) -> None:
    page = anna.turn_to("promise", PAGES["promise"])
    page.locator("#why-ask").click()
    text_of(page, ".mantine-Notification-root", "Choose one order or more.")
    page.locator("#why-orders").click()
    page.get_by_role("option").first.click()
    page.keyboard.press("Escape")
    page.locator("#why-ask").click()
    text_of(page, "#why-answer", "Nothing forbids it")
    page.locator("#why-by").click()
    page.get_by_role("dialog").get_by_role("button", name="1 January 2026", exact=True).click()
    page.keyboard.press("Escape")
    page.locator("#why-ask").click()
    text_of(page, "#why-answer .reasons", "must be done by Wed 31 Dec 16:00")
    keep_screenshot(page, "why-not")
