"""One running Forerun for the end-to-end tests: real processes, sockets and database, at 120 times real speed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).parents[2]
T0_WAIT_S = 90.0


@dataclass
class Installation:
    """A demo that runs in a folder of its own, on free ports."""

    folder: Path
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    def start(self) -> None:
        """Start it and wait until its pages answer."""
        log = (self.folder / "demo.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "runtime.cli", "demo"],
            cwd=ROOT,
            env={**os.environ, **self.environment},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        log.close()
        running = self.folder / "data" / "running.json"

        def up() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, (self.folder / "demo.log").read_text()
            return running.exists() and json.loads(running.read_text())["pid"] == self.process.pid

        until(up, "the demo to start", T0_WAIT_S)
        self.facts = json.loads(running.read_text())

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)

    def kill(self) -> None:
        """End it as a power cut does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    @property
    def url(self) -> str:
        return str(self.facts["url"])

    @property
    def password(self) -> str:
        return (self.folder / "data" / "first-password").read_text().strip()

    def api(self) -> httpx.Client:
        """Return a client with a planner's session, as the pages have it."""
        answer = httpx.post(
            f"{self.url}/login", data={"name": "planner", "password": self.password}, trust_env=False, timeout=20
        )
        assert answer.status_code == 303, answer.text
        return httpx.Client(
            base_url=self.url, timeout=20, trust_env=False, headers={"Origin": self.url}, cookies=answer.cookies
        )

    def mes_api(self) -> httpx.Client:
        """Return a client with the MES's key."""
        key = (self.folder / "data" / "mes-key").read_text().strip()
        headers = {"Authorization": f"Bearer {key}"}
        return httpx.Client(base_url=self.url, timeout=20, trust_env=False, headers=headers)

    def emulator(self) -> httpx.Client:
        """Return a client of the emulated plant."""
        return httpx.Client(base_url=self.facts["emulator"], timeout=20, trust_env=False)


def until(condition: Callable[[], Any], what: str, seconds: float) -> Any:
    """Wait for a condition and return its value; fail naming what was waited for."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.05)


def installation(folder: Path, **settings: str) -> Installation:
    """Return an installation in `folder`, not started yet."""
    environment = {
        "FORERUN_DATA_DIR": str(folder / "data"),
        "FORERUN_PORT": "0",
        "FORERUN_EMULATOR__RATE": "120",
        "FORERUN_PLANNING__TIME_LIMIT_S": "2",
        "FORERUN_PLANNING__AUTOMATIC": "false",
        **settings,
    }
    return Installation(folder, environment)


@pytest.fixture(scope="session")
def forerun(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """One installation all end-to-end tests share."""
    running = installation(tmp_path_factory.mktemp("forerun"))
    running.start()
    yield running
    running.stop()
