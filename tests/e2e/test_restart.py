"""Ended with `kill -9` and started again: nothing acknowledged is lost, nothing stored twice, no process left over."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.e2e.conftest import ROOT, Installation, installation, until
from tests.e2e.test_closed_loop import completed, emulator_log, plan_time
from tests.e2e.truth import Truth


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation of its own, which releases its first plan by itself."""
    running = installation(
        tmp_path_factory.mktemp("own"),
        FORERUN_EMULATOR__RATE="480",
        FORERUN_PLANNING__AUTOMATIC="true",
    )
    running.start()
    yield running
    running.stop()


def processes_of(folder: Path) -> list[int]:
    """Return the processes that were started for an installation."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                environment = (entry / "environ").read_bytes()
                state = (entry / "stat").read_text().rsplit(")", 1)[1].split()[0]
            except OSError:
                continue
            if f"FORERUN_DATA_DIR={folder / 'data'}".encode() in environment and state != "Z":
                found.append(int(entry.name))
    return found


def test_ingest_is_killed_and_no_acknowledged_reading_is_lost_or_stored_twice(own: Installation) -> None:
    with own.api() as api:
        until(lambda: completed(api), "a completed job order", 120)
        pid = own.facts["processes"]["ingest"]
        os.kill(pid, signal.SIGKILL)
        killed_at = plan_time(api)
        until(lambda: plan_time(api) > killed_at + timedelta(minutes=20), "the plant to go on", 60)
        reached = plan_time(api)
        until(lambda: plan_time(api) > reached + timedelta(minutes=8), "readings to settle", 60)
        log = emulator_log(own)
        truth = Truth(ROOT / "plants" / "machine_shop", log, reached)
        start = datetime.fromisoformat(log[0]["at"])
        period = {"since": start.isoformat(), "until": reached.isoformat()}
        for machine in ("M06", "M07", "M08", "M09", "M10", "M11", "M12", "M13"):  # MQTT and Modbus
            # What these sources hold back until it is acknowledged comes, without a gap, and once.
            happened = [(one.at, one.state, one.job_order) for one in truth.states(machine)]
            _until_stored(api, machine, period, happened)
        for machine in ("M01", "M02", "M03", "M04", "M05"):
            # A subscription holds nothing back: what was missed is marked, and never invented.
            until(partial(_is_stored_or_marked, api, machine, period, truth), f"states of {machine}, or a mark", 60)


def _is_stored_or_marked(api: httpx.Client, machine: str, period: dict[str, str], truth: Truth) -> bool:
    stored = api.get(f"/api/v1/machines/{machine}/states", params=period).raise_for_status().json()
    seen = {(datetime.fromisoformat(one["started_at"]), one["state"]) for one in stored}
    missed = {(one.at, one.state) for one in truth.states(machine)} - seen
    return not missed or any(one["state"] == "offline" for one in stored)


def test_everything_is_killed_and_goes_on(own: Installation) -> None:
    with own.api() as api:
        until(lambda: len(completed(api)) >= 2, "2 completed job orders", 120)
        known = {job["job"]["id"]: job for job in completed(api)}
        orders = api.get("/api/v1/orders").json()
        killed_at = plan_time(api)
    own.kill()
    until(lambda: not processes_of(own.folder), "every process to end with the one that was killed", 20)
    assert not (own.folder / "data" / "running.json").exists() or own.facts["pid"] != os.getpid()

    own.start()
    with own.api() as api:
        now = plan_time(api)
        assert killed_at - timedelta(minutes=10) <= now, "the plant clock went back"
        with own.emulator() as emulator:
            told = emulator.get("/healthz").raise_for_status().json()["plant_time"]
        assert now <= datetime.fromisoformat(told), "what passed while everything was down was taken for plant time"
        assert api.get("/api/v1/orders").json() == orders
        stored = {job["job"]["id"]: job for job in completed(api)}
        assert known.items() <= stored.items(), "a completion that was acknowledged is lost"
        until(lambda: len(completed(api)) > len(stored), "the loop to go on", 120)
        reached = plan_time(api)
        until(lambda: plan_time(api) > reached + timedelta(minutes=8), "responses to settle", 60)
        log = emulator_log(own)
        done = Truth(ROOT / "plants" / "machine_shop", log, reached).completed()
        until(
            lambda: done.keys() <= {job["job"]["id"] for job in completed(api)}, "what was completed to be stored", 60
        )
        stored = {job["job"]["id"]: job for job in completed(api)}
        for name, entry in done.items():
            assert (stored[name]["good"], stored[name]["scrap"]) == (entry["good"], entry["scrap"]), name
    own.stop()
    assert not processes_of(own.folder)
    _check_secrets(own)


def _until_stored(
    api: httpx.Client, machine: str, period: dict[str, str], happened: list[tuple[datetime, str, str | None]]
) -> None:
    seen: list[tuple[datetime, str, str | None]] = []

    def complete() -> bool:
        stored = api.get(f"/api/v1/machines/{machine}/states", params=period).raise_for_status().json()
        seen[:] = [(datetime.fromisoformat(one["started_at"]), one["state"], one["job_order"]) for one in stored]
        return len(seen) >= len(happened)

    until(complete, f"the {len(happened)} states of {machine}", 60)
    assert seen == happened, machine


def _check_secrets(own: Installation) -> None:
    """The first login is told on the terminal at each start, and stands in no log."""
    secret = own.folder / "data" / "first-password"
    assert secret.stat().st_mode & 0o077 == 0
    assert (own.folder / "demo.log").read_text().count(own.password) == 2
    for log in (own.folder / "data" / "logs").iterdir():
        assert own.password not in log.read_text(errors="replace"), f"{log} holds the password"
    assert "password" not in json.dumps(own.facts)
