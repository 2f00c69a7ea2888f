"""The closed loop as its user meets it: cold start, warm start, and from a machine's signal to the page."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from benchmarks.figures import Figure

ROOT = Path(__file__).parents[1]
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")
COLD_LIMIT_S, WARM_LIMIT_S = 600, 60
CHANGES = 120
SEEN_TIMEOUT_S = 20.0


def run(quick: bool) -> Iterator[Figure]:
    """Yield `cold_start_s`, `warm_start_s` and `signal_to_page_p95_s`."""
    with tempfile.TemporaryDirectory(prefix="forerun-bench-") as folder:
        clone = _fresh_clone(Path(folder))
        cold = _start(clone, COLD_LIMIT_S)
        cold.stop()
        yield Figure(
            "cold_start_s", cold.started_s, "s", "<= 120", {"from": "fresh clone, nothing installed", **cold.parts}
        )
        warm_s = []
        for _ in range(1 if quick else 5):
            warm = _start(clone, WARM_LIMIT_S)
            warm.stop()
            warm_s.append(warm.started_s)
        yield Figure("warm_start_s", float(np.median(warm_s)), "s", "<= 10", {"runs": [round(s, 2) for s in warm_s]})
        running = _start(clone, WARM_LIMIT_S)
        try:
            delays = _signal_to_page(running, 20 if quick else CHANGES)
        finally:
            running.stop()
        quantiles = {f"p{q}_s": round(float(np.percentile(delays, q)), 3) for q in (50, 90, 99)}
        yield Figure(
            "signal_to_page_p95_s",
            float(np.percentile(delays, 95)),
            "s",
            "<= 1",
            {"changes": len(delays), "max_s": round(max(delays), 3), **quantiles},
        )


def _fresh_clone(folder: Path) -> Path:
    clone = folder / "forerun"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    return clone


class _Running:
    """A demo that was started with ``make demo`` from a clone."""

    def __init__(self, clone: Path, limit_s: float) -> None:
        self.folder = clone / ".data"
        # As on a fresh machine: nothing of this environment's own, and bytecode is written.
        environment = {
            k: v for k, v in os.environ.items() if not k.startswith(("FORERUN_", "PYTHONDONTWRITE", "VIRTUAL_ENV"))
        }
        environment |= {"FORERUN_PORT": "0", "FORERUN_PLANNING__AUTOMATIC": "true"}
        began = time.monotonic()
        self._process = subprocess.Popen(
            ["make", "demo"],
            cwd=clone,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.url = self._wait(began + limit_s)
        httpx.get(f"{self.url}/login", trust_env=False, timeout=10).raise_for_status()
        self.started_s = time.monotonic() - began
        self.facts: dict[str, Any] = json.loads((self.folder / "running.json").read_text())
        self.parts = {"demo_s": self.facts["started_in_s"]}
        threading.Thread(target=self._drain, daemon=True).start()

    def _wait(self, deadline: float) -> str:
        assert self._process.stdout is not None
        said = []
        for line in self._process.stdout:
            said.append(line)
            print("   ", line.rstrip(), file=sys.stderr)
            if "Forerun runs at" in line and (found := ADDRESS.search(line)):
                return found.group()
            if time.monotonic() > deadline:
                break
        self.stop()
        raise RuntimeError("make demo did not come up:\n" + "".join(said[-20:]))

    def _drain(self) -> None:
        assert self._process.stdout is not None
        for _ in self._process.stdout:
            pass

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGINT)
            self._process.wait(60)


def _start(clone: Path, limit_s: float) -> _Running:
    return _Running(clone, limit_s)


def _signal_to_page(running: _Running, changes: int) -> list[float]:
    """Break and repair machines; return for each change the wall seconds until the page shows it.

    The clock starts before the command is sent, so that the command's own way counts too.
    """
    machines = [f"M{number:02d}" for number in range(1, 14)]
    delays: list[float] = []
    with _page(running) as page, httpx.Client(base_url=running.facts["emulator"], trust_env=False) as emulator:
        page.evaluate(_WATCH)
        broken = False
        while len(delays) < changes:
            for machine in machines:
                began_ms = time.time() * 1000
                command = "repair" if broken else "break"
                body = {"machine": machine} if broken else {"machine": machine, "duration_s": 36_000}
                emulator.post(f"/commands/{command}", json=body).raise_for_status()
                seen_ms = page.evaluate("([m, b]) => window.whenBroken(m, b)", [machine, not broken])
                delays.append((seen_ms - began_ms) / 1000)
            broken = not broken
    return delays[:changes]


_WATCH = """() => {
  window.whenBroken = (machine, wanted) => new Promise((resolve, reject) => {
    const card = document.querySelector(`article[data-machine=${machine}]`);
    const check = () => card.classList.contains("state-breakdown") === wanted;
    if (check()) { resolve(Date.now()); return; }
    const timer = setTimeout(() => { seen.disconnect(); reject(new Error(`${machine}: never seen`)); }, TIMEOUT);
    const seen = new MutationObserver(() => {
      if (check()) { clearTimeout(timer); seen.disconnect(); resolve(Date.now()); }
    });
    seen.observe(card, {attributes: true, attributeFilter: ["class"]});
  });
}""".replace("TIMEOUT", str(int(SEEN_TIMEOUT_S * 1000)))


@contextmanager
def _page(running: _Running) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium")
    if chromium is None:
        raise RuntimeError("chromium is not installed (Debian package chromium)")
    password = (running.folder / "first-password").read_text().strip()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-quic"]
        )
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(running.url)
        page.fill("input[name=name]", "planner")
        page.fill("input[name=password]", password)
        page.click("button[type=submit]")
        page.locator("article").first.wait_for()
        yield page
        browser.close()
