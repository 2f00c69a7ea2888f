"""One served dashboard and one browser for all tests here; each test gets the factory as new and pages of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.dashboard.serving import Served
from tests.requirements import require_program

ARTIFACTS = Path(__file__).parents[2] / ".artifacts"


@pytest.fixture(scope="session")
def serving() -> Iterator[Served]:
    with Served() as served:
        yield served


@pytest.fixture
def served(serving: Served) -> Served:
    serving.reset()
    return serving


@pytest.fixture(scope="session")
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
        self.outside: list[str] = []
        page.on("console", lambda message: self._heard(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self._asked(request.url))
        page.on("websocket", lambda socket: self._asked(socket.url.replace("ws://", "http://")))

    def _heard(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(f"{kind}: {text}")

    def _asked(self, url: str) -> None:
        if not url.startswith((self.address, "data:", "blob:")):
            self.outside.append(url)

    def open(self, path: str) -> Any:
        """Go to a page and wait until it is drawn and listens."""
        self.page.goto(self.address + path)
        self.page.wait_for_selector("#page > *")
        self.page.wait_for_selector("html[data-link=on]", state="attached")
        return self.page


OpenTab = Callable[..., Tab]


@pytest.fixture(scope="session")
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
        assert one.outside == []
        assert one.complaints == []


@pytest.fixture
def keep_screenshot() -> Callable[[Any, str], None]:
    def keep(page: Any, name: str) -> None:
        ARTIFACTS.mkdir(exist_ok=True)
        page.screenshot(path=str(ARTIFACTS / f"dashboard-{name}.png"), full_page=True)

    return keep
