"""`forerun scenario ...`: list, show and run scenarios."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markdown import Markdown
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from dashboard.experiment_report import experiment_report, value
from dashboard.figures.experiment import BETTER, NAMES, WORSE, colour_of
from dashboard.words import Words
from plant.errors import InvalidInput
from runtime.cluster import ClusterRunner
from runtime.files import make_folder, write_whole
from runtime.interruption import interruptible
from runtime.pool import PoolRunner
from scenarios.case import Case
from scenarios.experiment import Ended, Outcome, Question, run_experiment
from scenarios.measures import MEASURES, Measure, measure_named
from scenarios.scenario import BASE, LIBRARY, Scenario, library, named
from scenarios.steady import Steady, lasting, settle

_SAY = Words("en")
_HEADS = {
    "lead_time": "lead time\nh",
    "on_time": "on time\n%",
    "tardiness": "late\nh",
    "throughput": "orders\na day",
    "oee": "OEE\n%",
    "wip": "WIP\norders",
}
"""Above the columns of a terminal, which is narrow."""


@dataclass(frozen=True)
class Means:
    """What an experiment is run with.

    Attributes
    ----------
    workers
        Processes on this computer; None: one per core.
    cluster
        Address of a Dask scheduler that is used instead.
    """

    workers: int | None = None
    cluster: str | None = None

    def open(self) -> PoolRunner | ClusterRunner:
        """Start the workers, or reach the cluster."""
        if self.cluster is not None:
            return ClusterRunner(self.cluster)
        return PoolRunner(self.workers or len(os.sched_getaffinity(0)))


def list_scenarios(console: Console, language: str = "en") -> None:
    """Print the shipped scenarios."""
    table = Table(box=SIMPLE_HEAD)
    for name in ("name", "what if", "changes"):
        table.add_column(name, no_wrap=name == "name")
    for scenario in library():
        changes = "; ".join(change.told() for change in scenario.changes)
        table.add_row(escape(scenario.name), escape(scenario.title_in(language)), escape(changes))
    console.print(table)
    console.print(f"They are folders in {escape(str(LIBRARY))}; copy one to make your own.", soft_wrap=True)


def show_scenario(name: str, console: Console, language: str = "en") -> None:
    """Print why a scenario exists, what it changes and what to expect.

    Raises
    ------
    NotFound, PlantInvalid
        If there is none of this name, or it cannot be read.
    """
    scenario = named(name)
    console.print(Markdown(scenario.readme_in(language)))
    console.print()
    for change in scenario.changes:
        console.print(f"Changes: {escape(change.told())}")


def run_scenarios(
    names: Sequence[str],
    base: Case,
    question: Question,
    means: Means,
    out: Path | None,
    console: Console,
    language: str = "en",
    weeks: int | None = None,
) -> Outcome:
    """Run scenarios beside the base; print a comparison; write ``report.html`` into `out`.

    Ctrl-C takes what is there; a second one ends it.

    Parameters
    ----------
    weeks
        Look at the steady state of orders for so many weeks (`scenarios.steady`); None: at the orders there are.

    Raises
    ------
    PlantInvalid, NotFound, InvalidInput
        If a scenario, or what it changes, cannot be; nothing was run then.
    Cancelled
        If it was interrupted before there was anything to compare.
    """
    plant = base.plant
    book = len(base.orders)
    if weeks is not None:
        base = lasting(base, weeks)
    scenarios = _unique(named(name) for name in names)
    cases = {BASE: base} | {name: scenario.apply(base) for name, scenario in scenarios.items()}
    if out is not None:
        make_folder(out)  # before anything is run: nobody should wait for what cannot be kept
    console.print(
        f"{escape(plant.name)}: {len(base.orders)} orders, {len(plant.machines)} machines; "
        f"rule {escape(', '.join(base.rules))}"
    )
    outcome, steady = _run(cases, question, means, None if weeks is None else book, console)
    _print(outcome, console)
    if steady is not None:
        console.print(_how_steady(steady), soft_wrap=True)
    if out is not None:
        written = out / "report.html"
        write_whole(written, experiment_report(plant, outcome, scenarios, Words(language, plant.timezone), steady))
        console.print(f"Written: {escape(str(written))}", soft_wrap=True)
    return outcome


def _unique(scenarios: Iterator[Scenario]) -> dict[str, Scenario]:
    found: dict[str, Scenario] = {}
    for scenario in scenarios:
        if found.setdefault(scenario.name, scenario) != scenario:
            raise InvalidInput(f"two different scenarios are called {scenario.name!r}; rename one of the folders")
    return found


def _run(
    cases: Mapping[str, Case], question: Question, means: Means, book: int | None, console: Console
) -> tuple[Outcome, Steady | None]:
    """Run the experiment; with the number of orders in a `book`, look for the steady state first."""
    columns = (SpinnerColumn(), BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
    with (
        means.open() as runner,
        Progress(*columns, console=console, transient=True) as bar,
        interruptible(console, "Taking what is there; Ctrl-C again ends without it.") as enough,
    ):
        task = bar.add_task("preparing", total=1.0)

        def progress(share: float, doing: str) -> None:
            bar.update(task, completed=share, description=doing)

        steady = None
        if book is not None:
            bar.update(task, description="looking for the steady state")
            steady = settle(cases, book, question.seed, runner)
        counted = None if steady is None else steady.counted
        return run_experiment(cases, question, runner, progress, enough, counted), steady


def _how_steady(steady: Steady) -> str:
    told = (
        f"Steady state: {len(steady.counted)} orders count; {steady.deleted} before them are the warm-up (MSER-5), "
        f"{steady.last} after them run out."
    )
    return told if steady.settled else f"{told} A case has no steady state in this time: give more weeks, or less load."


def _print(outcome: Outcome, console: Console) -> None:
    """Print the differences, the measure that was asked for with its interval, and how it ended."""
    question = outcome.question
    asked = measure_named(question.measure)
    others = [measure for measure in MEASURES if measure != asked]
    table = Table(
        box=SIMPLE_HEAD,
        title_justify="left",
        title=f"Difference from the base: {outcome.replications:,} futures each, seed {question.seed}, "
        f"{question.confidence:.4g} confidence",
    )
    table.add_column("", no_wrap=True)
    for measure in (asked, *others):
        table.add_column(_HEADS[measure.id], justify="right", no_wrap=True)
    for name in outcome.names:
        cells = [_cell(outcome, name, measure, whole=measure == asked) for measure in (asked, *others)]
        table.add_row(escape(name), *cells, end_section=name == BASE)
    console.print(table)
    if outcome.scenarios:
        console.print("Green is better, red is worse; what is dim cannot be told from no difference.", style="dim")
    console.print(_how_it_ended(outcome), soft_wrap=True)
    _print_selection(outcome, console)


def _cell(outcome: Outcome, name: str, measure: Measure, *, whole: bool) -> str:
    if name == BASE:
        return _figure(value(outcome.mean(name, measure), measure, _SAY), whole=whole)
    found = outcome.difference(name, measure)
    style = {BETTER: "green", WORSE: "red"}.get(colour_of(found, measure), "dim")
    return f"[{style}]{_figure(value(found, measure, _SAY, signed=True), whole=whole)}[/]"


def _figure(shown: str, *, whole: bool) -> str:
    """Return the mean, or the mean and its half-width, without the unit, which stands above."""
    return " ".join(shown.split(" ")[: 3 if whole else 1])


def _how_it_ended(outcome: Outcome) -> str:
    measure, asked = measure_named(outcome.question.measure), outcome.asked_half_width()
    widest = max(interval.half_width for interval in outcome.answering())
    reached = f"{NAMES[measure.id].lower()} is known to ± {widest:.3g} {'' if measure.unit == '1' else measure.unit}"
    wanted = "" if asked is None else f", asked for ± {asked:.3g}"
    ended = {
        Ended.ANSWERED: "Answered",
        Ended.EXHAUSTED: "All replications are used up (--max-replications)",
        Ended.STOPPED: "Stopped early",
    }[outcome.ended]
    return f"{ended}: {reached.rstrip()}{wanted}."


def _print_selection(outcome: Outcome, console: Console) -> None:
    selection = outcome.selection
    if selection is None:
        return
    if selection.best is None:
        console.print(f"Best: not decided between {escape(', '.join(selection.left))}", soft_wrap=True)
        return
    console.print(
        f"Best: {escape(selection.best)}, with {selection.probability:.0%} probability if it is better by "
        f"{selection.indifference:g} at least (decided after {selection.replications:,} futures)",
        soft_wrap=True,
    )
