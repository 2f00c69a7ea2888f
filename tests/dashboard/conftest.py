"""One served dashboard and one browser for all tests here; each test gets the factory as new and pages of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dashboard.views import Topic
from tests.dashboard.serving import Served
from tests.requirements import require_program

ARTIFACTS = Path(__file__).parents[2] / ".artifacts"


@pytest.fixture(scope="module")
def serving() -> Iterator[Served]:
    with Served() as served:
        yield served


@pytest.fixture
def served(serving: Served) -> Served:
    serving.reset()
    return serving


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    chromium = require_program("chromium", "chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


class Tab:
    """A page with what it complained about and where it reached out to."""

    def __init__(self, page: Any, address: str) -> None:
        self.page = page
        self.address = address
        self.complaints: list[str] = []
        self.expected = ""  # complaints that hold this text are part of the test
        self.outside: list[str] = []
        page.on("console", lambda message: self._heard(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self._asked(request.url))
        page.on("websocket", lambda socket: self._asked(socket.url.replace("ws://", "http://")))

    def _heard(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and not (self.expected and self.expected in text):
            self.complaints.append(f"{kind}: {text}")

    def _asked(self, url: str) -> None:
        if not url.startswith((self.address, "data:", "blob:")):
            self.outside.append(url)

    def open(self, path: str) -> Any:
        """Go to a page and wait until it is drawn and listens."""
        self.page.goto(self.address + path, wait_until="commit")
        self.page.wait_for_selector("#page > *")
        self.page.wait_for_selector("html[data-link=on]", state="attached")
        return self.page

    def turn_to(self, name: str, landmark: str) -> Any:
        """Go to a page by its link in the header, as people do, and wait until it is drawn."""
        self.page.locator(f"#nav-{name}").click()
        self.page.locator(landmark).first.wait_for()
        return self.page

    def become(self, user: str) -> None:
        """Be somebody else from the next request on."""
        self.page.context.add_cookies([{"name": "user", "value": user, "url": self.address}])

    def assert_content(self) -> None:
        """Fail if the page complained or reached out to another site."""
        assert self.outside == []
        assert self.complaints == []


OpenTab = Callable[..., Tab]


@pytest.fixture(scope="module")
def contexts(browser: Any) -> Iterator[dict[tuple[Any, ...], Any]]:
    """Browser profiles, kept over tests for their cache: every test gets them without the cookies of another."""
    kept: dict[tuple[Any, ...], Any] = {}
    yield kept
    for context in kept.values():
        context.close()


@pytest.fixture
def tab(served: Served, browser: Any, contexts: dict[tuple[Any, ...], Any]) -> Iterator[OpenTab]:
    """Return a function that opens a tab; at the end no tab may have complained or reached out."""
    tabs: list[Tab] = []

    def open_tab(user: str | None = "anna", language: str = "en", width: int = 1440, dark: bool = False) -> Tab:
        key = (user, width, dark)
        if key not in contexts:
            size = {"width": width, "height": 900 if width > 500 else 844}
            contexts[key] = browser.new_context(viewport=size, color_scheme="dark" if dark else "light")
        context = contexts[key]
        context.clear_cookies()
        cookies = {"user": user, "forerun_language": language}
        context.add_cookies(
            [{"name": name, "value": value, "url": served.address} for name, value in cookies.items() if value]
        )
        tabs.append(Tab(context.new_page(), served.address))
        tabs[-1].page.set_default_timeout(15_000)
        return tabs[-1]

    yield open_tab
    for one in tabs:
        one.page.close()
    for one in tabs:
        one.assert_content()


@pytest.fixture(scope="module")
def _anna(serving: Served, browser: Any) -> Iterator[Tab]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_cookies([{"name": "user", "value": "anna", "url": serving.address}])
    one = Tab(context.new_page(), serving.address)
    one.page.set_default_timeout(15_000)
    one.open("/")
    yield one
    context.close()


@pytest.fixture
def anna(served: Served, _anna: Tab) -> Iterator[Tab]:
    """Anna's tab, which stays open over tests as it does over a shift; it starts on the floor as it is now."""
    _anna.complaints.clear()
    if not _anna.page.url.endswith("/"):
        _anna.turn_to("floor", "article")
    for topic in Topic:
        served.live.announce(topic)
    _anna.page.locator(".chip.state-breakdown.none").wait_for()
    yield _anna
    _anna.become("anna")
    _anna.assert_content()


@pytest.fixture
def keep_screenshot() -> Callable[[Any, str], None]:
    def keep(page: Any, name: str) -> None:
        ARTIFACTS.mkdir(exist_ok=True)
        page.screenshot(path=str(ARTIFACTS / f"dashboard-{name}.png"), full_page=True)

    return keep
