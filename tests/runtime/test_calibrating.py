"""`forerun calibrate` as a planner meets it: on a real database, beside a worker that makes what is asked for."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import structlog

from historian.database import Historian
from operations import calibration, jobs
from plant.actor import Actor
from plant.calibration import CalibrationSummary
from plant.long_job import LongJob, LongJobState
from runtime.compute import InlineCompute
from runtime.jobs import ProcrastinateQueue
from runtime.worker import Worker
from tests.operations.past import with_history
from tests.operations.shop import PLANNER, PLANT, RULES, Clock, ledger_of
from tests.runtime.installed import Installation

DEADLINE_S = 120


@pytest.fixture(autouse=True)
def _empty(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("FORERUN_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "140")
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())  # the worker here shares our standard output


@pytest.fixture
def forerun(database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Installation:
    monkeypatch.setenv("FORERUN_DATABASE_URL", database_url)
    installation = Installation(database_url, monkeypatch, capsys)

    async def migrate() -> None:
        async with ProcrastinateQueue(database_url) as queue:
            await queue.migrate()

    asyncio.run(migrate())
    return installation


@contextmanager
def working(url: str, clock: Clock) -> Iterator[None]:
    """Have a worker of the installation at work in a thread of its own."""
    at_work, stop = threading.Event(), threading.Event()

    async def work() -> None:
        historian = await Historian.open(url)
        async with ProcrastinateQueue(url) as queue:
            worker = Worker(historian, queue, InlineCompute(), clock, RULES, None, False, timedelta(days=30))
            task = asyncio.create_task(worker.run())
            at_work.set()
            await asyncio.to_thread(stop.wait)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await historian.close()

    thread = threading.Thread(target=lambda: asyncio.run(work()), daemon=True)
    thread.start()
    try:
        assert at_work.wait(DEADLINE_S)
        yield
    finally:
        stop.set()
        thread.join(DEADLINE_S)
        assert not thread.is_alive()


def make(forerun: Installation, *days: float) -> list[str]:
    """Keep calibrations from so many days of a history in which L1 is half as slow again, and return their ids."""

    async def make(historian: Historian) -> list[str]:
        clock = await with_history(historian)
        return [(await calibration.make(historian, InlineCompute(), clock, PLANNER, one)).id for one in days]

    found: list[str] = forerun.ask(make)
    return found


def listed(forerun: Installation) -> list[CalibrationSummary]:
    async def read(historian: Historian) -> list[CalibrationSummary]:
        return await calibration.list_calibrations(historian, PLANNER)

    found: list[CalibrationSummary] = forerun.ask(read)
    return found


def in_use(forerun: Installation) -> list[str]:
    return [one.id for one in listed(forerun) if one.adopted]


def test_a_calibration_is_made_now_and_what_it_changes_is_shown(forerun: Installation, database_url: str) -> None:
    clock = forerun.ask(with_history)
    with working(database_url, clock):
        code, out, err = forerun("calibrate", "--days", "7")
    assert (code, err) == (0, "")
    made = out.split()[0]
    assert f"{made} against the plan as it stands: " in out
    row = next(line for line in out.splitlines() if "L1 shaft/10" in line)
    assert row.split()[:3] == ["L1", "shaft/10", "duration"]
    assert "× 1.00" in row
    assert f"forerun calibrate --adopt {made}" in out
    assert in_use(forerun) == []


def test_without_history_it_says_why_there_is_no_calibration(forerun: Installation, database_url: str) -> None:
    clock = forerun.ask(with_history)
    clock.moment += timedelta(days=60)
    with working(database_url, clock):
        code, out, err = forerun("calibrate")
    assert (code, out.strip()) == (1, "")
    assert "there is nothing to calibrate with yet" in err


def test_ctrl_c_cancels_what_was_asked_for(forerun: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    forerun.ask(with_history)
    get, asked = jobs.get, list[str]()

    async def interrupted(historian: Historian, actor: Actor, job_id: str) -> LongJob:
        if not asked:  # no worker has taken it yet, and somebody loses patience
            os.kill(os.getpid(), signal.SIGINT)
        asked.append(job_id)
        return await get(historian, actor, job_id)

    monkeypatch.setattr(jobs, "get", interrupted)
    code, out, err = forerun("calibrate")
    assert (code, "no calibration was made" in err) == (1, True)
    assert "Cancelling" in out
    monkeypatch.undo()
    assert _state(forerun, asked[0]) is LongJobState.CANCELLED


def _state(forerun: Installation, job_id: str) -> LongJobState:
    async def read(historian: Historian) -> LongJob:
        return await jobs.get(historian, PLANNER, job_id)

    job: LongJob = forerun.ask(read)
    return job.state


def test_calibrations_are_listed_compared_adopted_and_rolled_back(forerun: Installation) -> None:
    code, out, _ = forerun("calibrate", "--list")
    assert (code, "There is no calibration yet" in out) == (0, True)
    made, other = make(forerun, 30, 0.1)
    code, out, _ = forerun("calibrate", "--list")
    assert (code, "in use" in out.replace("None is in use", "")) == (0, False)
    assert made in out
    assert other in out
    until = listed(forerun)[0].until.astimezone(ZoneInfo(PLANT.timezone))
    assert f" {until:%Y-%m-%d %H:%M} " in out, "the history stands in the plant's time"

    code, out, _ = forerun("calibrate", "--compare", "plan", made)
    assert code == 0
    assert len([line for line in out.splitlines() if "× " in line or "%" in line]) > 5
    code, out, _ = forerun("calibrate", "--compare", made, made)
    assert (code, "0 estimates differ" in out) == (0, True)
    assert "before" not in forerun("calibrate", "--compare", "plan", other)[1]
    assert " before " in forerun("calibrate", "--compare", made, other)[1]

    assert forerun("calibrate", "--adopt", made)[0] == 0
    assert in_use(forerun) == [made]
    assert "in use" in forerun("calibrate", "--list")[1]
    code, out, _ = forerun("calibrate", "--rollback")
    assert (code, "believes the plan as it stands" in out) == (0, True)
    assert in_use(forerun) == []


def test_all_differences_are_shown_on_demand(forerun: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    (made,) = make(forerun, 30)
    monkeypatch.setattr("runtime.calibrating._ROWS", 2)
    compare = ("calibrate", "--compare", "plan", made)
    short, everything = forerun(*compare)[1], forerun(*compare, "--all")[1]
    assert "more differences matter less; --all shows them" in short
    assert "--all" not in everything
    assert len(everything.splitlines()) > len(short.splitlines()) + 3


def test_the_ledger_says_who_adopted_it(forerun: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "maria")
    (made,) = make(forerun, 30)
    forerun("calibrate", "--adopt", made)

    async def read(historian: Historian) -> Any:
        return await ledger_of(historian, f"calibration/{made}")

    assert [(one.kind, one.actor) for one in forerun.ask(read)][1:] == [("adopted", "maria (command line)")]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--adopt", "cal-none"), "unknown calibration 'cal-none'"),
        (("--compare", "plan", "cal-none"), "unknown calibration 'cal-none'"),
        (("--rollback",), "nothing to go back from"),
        (("--days", "0"), "days of history must be above 0"),
        (("--list", "--rollback"), "give one of them"),
    ],
)
def test_what_cannot_be_is_told(forerun: Installation, arguments: tuple[str, ...], told: str) -> None:
    make(forerun, 30)
    code, out, err = forerun("calibrate", *arguments)
    assert (code, out) == (1, "")
    assert told in err
