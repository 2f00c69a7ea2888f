"""`forerun calibrate`: asks the running installation for a calibration, shows what it changes, puts it in use."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta
from zoneinfo import ZoneInfo

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from dashboard import estimates
from dashboard.words import Words
from historian.database import Channel, Historian
from operations import calibration, jobs, plants
from plant.actor import Actor, Role
from plant.calibration import CalibrationSummary, Difference
from plant.errors import Cancelled, InvalidInput
from plant.long_job import LongJob, LongJobState
from runtime.command_line import acting_as, database_url, on_database
from runtime.jobs import ProcrastinateQueue
from runtime.settings import read_settings

PLAN = "plan"
"""Stands among calibrations for the plan as it stands."""

_SAY = Words("en")
_ROWS = 20
_CONNECTIONS = 2
"""One to ask with, one to cancel with while the other is asking."""


def show_list(console: Console) -> None:
    """Print the calibrations, the newest first."""

    async def read(historian: Historian) -> tuple[list[CalibrationSummary], ZoneInfo | None]:
        found = await calibration.list_calibrations(historian, _planner())
        return found, await _zone(historian) if found else None

    made, zone = on_database(read)
    if not made:
        console.print("There is no calibration yet: `forerun calibrate` makes one.")
        return
    table = Table(box=SIMPLE_HEAD)
    for name in ("id", "history up to", "days", "estimates", ""):
        table.add_column(name, justify="right" if name in {"days", "estimates"} else "left", no_wrap=True)
    for one in made:
        days = (one.until - one.since) / timedelta(days=1)
        used = "[green]in use[/]" if one.adopted else ""
        table.add_row(one.id, f"{one.until.astimezone(zone):%Y-%m-%d %H:%M}", f"{days:g}", f"{one.estimates:,}", used)
    console.print(table)
    if not any(one.adopted for one in made):
        console.print("None is in use: the twin believes the plan as it stands.")


def show_differences(before: str, after: str, console: Console, everything: bool) -> None:
    """Print what `after` changes against `before`, which may be ``plan``."""
    one = None if before == PLAN else before
    found = on_database(lambda historian: calibration.compare(historian, _planner(), one, after))
    _print(found, before, after, console, everything)


def adopt(calibration_id: str, console: Console) -> None:
    """Have the twin use a calibration."""
    on_database(lambda historian: calibration.adopt(historian, _planner(), calibration_id))
    console.print(f"The twin uses {escape(calibration_id)} from the next plan on; --rollback goes back.")


def roll_back(console: Console) -> None:
    """Go back to what the twin used before."""
    back = on_database(lambda historian: calibration.roll_back(historian, _planner()))
    what = "believes the plan as it stands" if back is None else f"uses {back}"
    console.print(f"The twin {what} from the next plan on.")


def calibrate_now(days: float, console: Console, everything: bool) -> None:
    """Ask for a calibration, follow it to its end, and print what it changes against the one in use.

    Ctrl-C asks it to stop; a second one leaves it to the installation.

    Raises
    ------
    InvalidInput
        If there is no such history; with the installation's words if the calibration failed.
    Cancelled
        If it was cancelled.
    """
    subject = calibration.subject_of(days)
    url = database_url(read_settings())

    async def run() -> tuple[str, str | None, tuple[Difference, ...]]:
        historian = await Historian.open(url, connections=_CONNECTIONS)
        try:
            async with ProcrastinateQueue(url) as queue:
                asked = await jobs.request_calibration(historian, queue, _planner(), subject)
            made = _result(await _follow(historian, asked, console))
            used = await _used(historian)
            before = None if used == made else used
            return made, used, await calibration.compare(historian, _planner(), before, made)
        finally:
            await historian.close()

    made, used, found = asyncio.run(run())
    _print(found, PLAN if used in (None, made) else str(used), made, console, everything)
    if used == made:
        console.print(f"{made} is in use already: the history says what it said before.")
    else:
        console.print(f"It is not used yet: `forerun calibrate --adopt {made}` has the twin use it.", soft_wrap=True)


async def _follow(historian: Historian, asked: LongJob, console: Console) -> LongJob:
    """Show how far a long job is until it has ended, and return it then."""
    columns = (SpinnerColumn(), BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
    job = asked
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("waiting for a worker of the installation; Ctrl-C cancels", total=1.0)
        async with _cancelling(historian, asked.id, console), aclosing(historian.listen((Channel.JOBS,))) as notices:
            async for notice in notices:
                if notice.payload not in ("", asked.id):
                    continue
                job = await jobs.get(historian, _planner(), asked.id)
                if job.state is LongJobState.RUNNING:
                    bar.update(task, completed=job.share, description=str(job.doing))
                if job.state.ended:
                    break
    return job


@asynccontextmanager
async def _cancelling(historian: Historian, job_id: str, console: Console) -> AsyncIterator[None]:
    """Turn the first Ctrl-C into a wish to cancel the job; the second one interrupts as usual."""
    loop = asyncio.get_running_loop()
    wishes: list[asyncio.Task[LongJob]] = []

    def on_interrupt() -> None:
        loop.remove_signal_handler(signal.SIGINT)
        console.print("Cancelling; Ctrl-C again leaves at once.")
        wishes.append(loop.create_task(jobs.cancel(historian, _planner(), job_id)))

    loop.add_signal_handler(signal.SIGINT, on_interrupt)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        await asyncio.gather(*wishes)


def _result(job: LongJob) -> str:
    if job.state is LongJobState.CANCELLED:
        raise Cancelled("cancelled: no calibration was made")
    if job.result is None:
        raise InvalidInput(str(job.error))
    return job.result


async def _used(historian: Historian) -> str | None:
    made = await calibration.list_calibrations(historian, _planner())
    return next((one.id for one in made if one.adopted), None)


async def _zone(historian: Historian) -> ZoneInfo:
    return ZoneInfo((await plants.current(historian, _planner())).plant.timezone)


def _planner() -> Actor:
    """Return who acts: planners calibrate."""
    return acting_as(Role.PLANNER)


def _print(found: Sequence[Difference], before: str, after: str, console: Console, everything: bool) -> None:
    """Print what differs, what matters most first; what differs for certain stands out."""
    than = "the plan as it stands" if before == PLAN else before
    apart = sum(one.apart for one in found)
    heading = f"{escape(after)} against {escape(than)}: {len(found):,} estimates differ, {apart:,} for certain"
    console.print(heading, soft_wrap=True)
    if not found:
        return
    shown = found if everything else found[:_ROWS]
    table = Table(box=SIMPLE_HEAD)
    table.add_column("machine, operation", overflow="fold")
    table.add_column("what")
    for name in ("planned", *(() if before == PLAN else ("before",)), "calibrated", "90 % interval"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("data", justify="right")
    for one in shown:
        table.add_row(*_row(one, with_before=before != PLAN), style="bold" if one.apart else "")
    console.print(table)
    if len(shown) < len(found):
        console.print(f"{len(found) - len(shown):,} more differences matter less; --all shows them.")


def _row(one: Difference, *, with_before: bool) -> tuple[str, ...]:
    values = (one.planned, one.before, one.after) if with_before else (one.planned, one.after)
    return (
        escape(f"{one.machine or 'all'} {estimates.subject(one, _SAY)}".rstrip()),
        one.parameter.value,
        *(estimates.value(one.parameter, value, _SAY) for value in values),
        estimates.interval(one, _SAY),
        estimates.data(one, _SAY),
    )
