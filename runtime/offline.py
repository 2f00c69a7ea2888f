"""`forerun plan DIR --out DIR`: a plan, its risk and a report from a plant's folder, without any server."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import current_thread, main_thread
from types import FrameType
from zoneinfo import ZoneInfo

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from dashboard.figures.risk import by_risk, percent
from dashboard.report import at_risk, report
from methods.explosion import explode, job_orders
from methods.work import build_work
from operations.gate import Thresholds, judge_plan
from operations.rehearsal import rehearse
from plant.errors import InvalidInput
from plant.folder import load, load_orders
from plant.order import CustomerOrder, JobOrder, JobProgress, JobState
from plant.plan import PlanVersion
from plant.plant import Plant
from plant.version import hash_of, version_of
from plant.work import Snapshot, Work
from runtime.plan_file import plan_text
from scheduler.solve import Enough, SolverSettings

_ROWS = 12


@dataclass(frozen=True)
class OfflinePlan:
    """What was made, and where it was written."""

    version: PlanVersion
    plan_file: Path
    report_file: Path


def plan_offline(
    folder: Path,
    out: Path,
    time_limit_s: float = 20.0,
    replications: int = 1000,
    seed: int = 1,
    console: Console | None = None,
    thresholds: Thresholds | None = None,
) -> OfflinePlan:
    """Plan all orders of a plant's folder from its start on; write ``plan.json`` and ``report.html``; print a summary.

    Ctrl-C while it is solving takes the best plan so far; a second one ends it.

    Parameters
    ----------
    time_limit_s
        Wall seconds the solver may take.

    Raises
    ------
    PlantInvalid
        With every problem found in the folder.
    InvalidInput
        If there is no order to plan, or `out` is not a folder.
    """
    console, thresholds = console or Console(), thresholds or Thresholds()
    plant = load(folder)
    orders = load_orders(folder, plant)
    if not orders:
        raise InvalidInput(f"{folder / 'orders.csv'} holds no order: there is nothing to plan; add one")
    _refuse_file(out)
    jobs = tuple(job for order in orders for job in job_orders(plant, explode(plant, order)))
    work = build_work(plant, orders, [JobProgress(job, JobState.WAITING) for job in jobs], Snapshot(plant.starts_at))
    console.print(f"{escape(plant.name)}: {len(orders)} orders, {len(jobs)} operations, {len(plant.machines)} machines")
    solver = SolverSettings(time_limit_s=time_limit_s, seed=seed)
    version = _version(plant, orders, work, solver, replications, thresholds, console)
    written = _write(out, plant, version, orders, jobs, thresholds)
    _summarise(console, plant, version, orders, thresholds)
    console.print(f"Written: {escape(str(written.plan_file))}, {escape(str(written.report_file))}", soft_wrap=True)
    return written


def _refuse_file(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise InvalidInput(f"{out} is not a folder; name another one with --out")


def _version(
    plant: Plant,
    orders: tuple[CustomerOrder, ...],
    work: Work,
    solver: SolverSettings,
    replications: int,
    thresholds: Thresholds,
    console: Console,
) -> PlanVersion:
    columns = (SpinnerColumn(), BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=console) as bar, _interruptible(console) as interrupted:
        task = bar.add_task("starting", total=1.0)
        solving = True

        def progress(share: float, doing: str) -> None:
            nonlocal solving
            bar.update(task, completed=share, description=doing)
            solving = solving and not doing.startswith("rehears")
            if solving and interrupted():
                solving = False
                raise Enough

        rehearsal = rehearse(work, solver, replications, solver.seed, progress=progress)
    priorities = {order.id: order.priority for order in orders}
    zone = ZoneInfo(plant.timezone)
    return PlanVersion(
        id=f"plan-{hash_of(rehearsal.plan)[:12]}",
        parent=None,
        plant_version=version_of(plant).id,
        made_at=work.epoch,
        reason="planned offline",
        seed=solver.seed,
        plan=rehearsal.plan,
        solver=rehearsal.report,
        verdict=rehearsal.verdict,
        judgement=judge_plan(rehearsal.verdict, None, priorities, thresholds, zone),
        orders=tuple(sorted(work.orders)),
    )


@contextmanager
def _interruptible(console: Console) -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl-C into a wish to be done; the second one interrupts as usual."""
    wished = False

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal wished
        if wished:
            raise KeyboardInterrupt
        wished = True
        console.print("Taking the best plan so far; Ctrl-C again ends without one.")

    if current_thread() is not main_thread():  # only the main thread may handle signals
        yield lambda: False
        return
    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield lambda: wished
    finally:
        signal.signal(signal.SIGINT, before)


def _write(
    out: Path,
    plant: Plant,
    version: PlanVersion,
    orders: tuple[CustomerOrder, ...],
    jobs: tuple[JobOrder, ...],
    thresholds: Thresholds,
) -> OfflinePlan:
    out.mkdir(parents=True, exist_ok=True)
    written = OfflinePlan(version, out / "plan.json", out / "report.html")
    _replace(written.plan_file, plan_text(version))
    _replace(written.report_file, report(plant, version, orders, jobs, thresholds))
    return written


def _replace(file: Path, text: str) -> None:
    """Write a file at once: whoever reads it sees the old one or the new one."""
    fresh = file.with_name(f".{file.name}.new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(file)


def _summarise(
    console: Console, plant: Plant, version: PlanVersion, orders: tuple[CustomerOrder, ...], thresholds: Thresholds
) -> None:
    verdict, judgement = version.verdict, version.judgement
    asked = {order.id: thresholds.of(order.priority) for order in orders}
    risky = {one.order for one in at_risk(verdict.orders, asked)}
    zone = ZoneInfo(plant.timezone)

    def moment(when: datetime) -> str:
        return f"{when.astimezone(zone):%d %b %H:%M}"

    table = Table(
        box=SIMPLE_HEAD,
        title_justify="left",
        title=f"The riskiest of {len(verdict.orders)} orders ({verdict.replications:,} futures)",
    )
    for name in ("order", "due", "P50", "P95", "on time", "at least"):
        table.add_column(name, justify="right" if name in {"on time", "at least"} else "left", no_wrap=True)
    for one in by_risk(verdict)[:_ROWS]:
        style = "red" if one.order in risky else ""
        figures = (moment(one.due_at), moment(one.p50), moment(one.p95), percent(one.on_time), percent(one.on_time_low))
        table.add_row(escape(one.order), *figures, style=style)
    console.print(table)
    bottleneck = plant.machine(verdict.bottleneck) if verdict.bottleneck else None
    console.print(f"Orders at risk: {len(risky)} of {len(verdict.orders)}")
    if bottleneck:
        console.print(f"Bottleneck: {escape(bottleneck.id)} {escape(bottleneck.name)}")
    console.print(f"Expected OEE: {verdict.oee:.1%}")
    console.print(f"Plan: {escape(version.solver.method)}, {version.solver.status}, {version.solver.runtime_s:.1f} s")
    console.print("Gate: [green]passed[/]" if judgement.passed else "Gate: [red]refused[/]")
    for line in (*judgement.reasons, *judgement.notes):
        console.print(f"  - {escape(line)}", soft_wrap=True)
