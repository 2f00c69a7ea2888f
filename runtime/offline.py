"""`forerun plan DIR --out DIR`: a plan, its risk and a report from a plant's folder, without any server."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from dashboard.costs import asked_for, certainty, costs, to_others
from dashboard.figures.risk import by_risk, percent
from dashboard.report import at_risk, report
from dashboard.words import Words
from methods.work import build_work
from operations.gate import Thresholds
from operations.rehearsal import Terms, rehearse
from plant.errors import InvalidInput
from plant.folder import load
from plant.objective import OBJECTIVE, Objective
from plant.order import CustomerOrder, JobOrder
from plant.plan import PlanVersion
from plant.plant import Plant
from plant.text import Text, told
from plant.tuning import DEFAULT
from plant.version import hash_of, version_of
from plant.work import Work
from runtime.bases import fresh_floor, saved_floor
from runtime.files import make_folder, write_whole
from runtime.interruption import interruptible
from runtime.learning import read_tuning
from runtime.plan_file import plan_text, read_plan
from scheduler.conflict import conflict
from scheduler.requirement import Demands
from scheduler.solve import SolverSettings
from scheduler.stop import Enough

_ROWS = 12
_DEAREST = 3


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
    snapshot_file: Path | None = None,
    against: Path | None = None,
    objective: Objective = OBJECTIVE,
    tuning_file: Path | None = None,
    language: str = "en",
) -> OfflinePlan:
    """Plan all orders of a plant's folder from its start on; write ``plan.json`` and ``report.html``; print a summary.

    Ctrl-C while it is solving takes the best plan so far; a second one ends it.

    Parameters
    ----------
    time_limit_s
        Wall seconds the solver may take.
    snapshot_file
        Begin with this floor and its orders instead (`twin.snapshot_file`).
    against
        A ``plan.json`` of before; the report shows what changes.
    objective
        What the best plan is.
    tuning_file
        How to look for plans, as `forerun learn` wrote it; None: the unlearned.
    language
        Of the report, one of `dashboard.words.LANGUAGES`.

    Raises
    ------
    PlantInvalid
        With every problem found in the folder.
    InvalidInput
        If there is no order to plan, `out` cannot be written into, the snapshot does not fit the plant, `against` is
        no plan of these orders, or the tuning cannot be read.
    """
    console, thresholds = console or Console(), thresholds or Thresholds()
    plant = load(folder)
    before = None if against is None else read_plan(against)
    tuning = DEFAULT if tuning_file is None else read_tuning(tuning_file)
    snapshot = fresh_floor(plant, folder) if snapshot_file is None else saved_floor(plant, snapshot_file)
    orders = snapshot.orders
    if not orders:
        where = folder / "orders.csv" if snapshot_file is None else snapshot_file
        raise InvalidInput(f"{where} holds no order: there is nothing to plan; add one")
    work = build_work(plant, orders, snapshot.jobs, snapshot)
    jobs = tuple(progress.job for progress in snapshot.jobs if progress.job.id in work.by_id)
    if before is not None and not any(job.id in before.plan.by_job_order for job in jobs):
        raise InvalidInput(f"{against} plans none of these orders' operations; name a plan of them with --against")
    make_folder(out)  # before anything is planned: nobody should wait for what cannot be kept
    console.print(f"{escape(plant.name)}: {len(orders)} orders, {len(jobs)} operations, {len(plant.machines)} machines")
    solver = SolverSettings(time_limit_s=time_limit_s, seed=seed, objective=objective, tuning=tuning)
    version = _version(plant, orders, work, solver, replications, thresholds, console)
    written = _write(out, plant, version, orders, jobs, thresholds, before, language)
    _summarise(console, plant, version, orders, thresholds)
    console.print(f"Written: {escape(str(written.plan_file))}, {escape(str(written.report_file))}", soft_wrap=True)
    return written


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
    with (
        Progress(*columns, console=console) as bar,
        interruptible(console, "Taking the best plan so far; Ctrl-C again ends without one.") as interrupted,
    ):
        task = bar.add_task("starting", total=1.0)
        asked = False

        def progress(share: float, doing: Text) -> None:
            nonlocal asked
            bar.update(task, completed=share, description=str(doing))
            if interrupted() and not asked:
                asked = True
                raise Enough

        terms = Terms(thresholds, zone=ZoneInfo(plant.timezone))
        try:
            rehearsal = rehearse(work, solver, replications, solver.seed, terms=terms, progress=progress)
        except InvalidInput as error:
            found = conflict(work, Demands())
            raise error if found is None else found.error(work, ZoneInfo(plant.timezone)) from error
    return PlanVersion(
        id=f"plan-{hash_of(rehearsal.plan)[:12]}",
        parent=None,
        plant_version=version_of(plant).id,
        made_at=work.epoch,
        reason=told("planned offline"),
        seed=solver.seed,
        plan=rehearsal.plan,
        solver=rehearsal.report,
        verdict=rehearsal.verdict,
        judgement=rehearsal.judgement,
        orders=tuple(sorted(work.orders)),
        robustness=rehearsal.robustness,
    )


def _write(
    out: Path,
    plant: Plant,
    version: PlanVersion,
    orders: tuple[CustomerOrder, ...],
    jobs: tuple[JobOrder, ...],
    thresholds: Thresholds,
    before: PlanVersion | None,
    language: str,
) -> OfflinePlan:
    written = OfflinePlan(version, out / "plan.json", out / "report.html")
    write_whole(written.plan_file, plan_text(version))
    write_whole(written.report_file, report(plant, version, orders, jobs, thresholds, before, language))
    return written


def _summarise(
    console: Console, plant: Plant, version: PlanVersion, orders: tuple[CustomerOrder, ...], thresholds: Thresholds
) -> None:
    verdict, judgement = version.verdict, version.judgement
    asked = {order.id: thresholds.of(order.priority) for order in orders}
    risky = {one.order for one in at_risk(verdict.orders, asked)}
    zone = ZoneInfo(plant.timezone)

    def moment(when: datetime) -> str:
        return f"{when.astimezone(zone):%-d %b %H:%M}"

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
    if version.robustness is not None and version.robustness.spread is not None:
        console.print(f"Price of certainty: {certainty(version.robustness, Words('en'))}")
    _show_costs(console, version)
    console.print("Gate: [green]passed[/]" if judgement.passed else "Gate: [red]refused[/]")
    for line in (*judgement.reasons, *judgement.notes):
        console.print(f"  - {escape(str(line))}", soft_wrap=True)
    for remedy in judgement.remedies:
        told = f"{remedy.order}: {remedy.what} (cost {remedy.cost:,.0f}, then on time {percent(remedy.on_time)})"
        console.print(f"  * {escape(told)}", soft_wrap=True)


def _show_costs(console: Console, version: PlanVersion) -> None:
    """Print what the plan costs, and the orders that cost the others most."""
    say = Words("en")
    for name, value in (*asked_for(version.solver, say), *costs(version.solver, say)):
        console.print(f"{name}: {escape(value)}")
    dear = sorted(version.solver.to_others.items(), key=lambda item: -item[1].tardiness_s)[:_DEAREST]
    told = [f"{escape(name)} {to_others(cost, say)}" for name, cost in dear if cost.tardiness_s > 0]
    if told:
        console.print(f"Costs others most: {', '.join(told)}")
