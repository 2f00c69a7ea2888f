"""`forerun scenario`: its commands and options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from runtime.language import Language

app = typer.Typer(no_args_is_help=True, help="Ask what would happen if.")
_console = Console()


@app.command("list")
def list_(language: Language) -> None:
    """Show the scenarios that are shipped."""
    from runtime.experiments import list_scenarios

    list_scenarios(_console, language)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="a shipped scenario, or a scenario's folder")], language: Language
) -> None:
    """Show why a scenario exists, what it changes and what to expect."""
    from runtime.experiments import show_scenario

    show_scenario(name, _console, language)


@app.command()
def run(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="shipped scenarios, or scenarios' folders")],
    language: Language,
    plant: Annotated[Path | None, typer.Option(help="the plant's folder [default: the machine shop]")] = None,
    snapshot: Annotated[
        str | None,
        typer.Option(metavar="FILE|live", help="begin with a saved floor, or with the running installation's"),
    ] = None,
    measure: Annotated[str, typer.Option(help="lead_time, on_time, tardiness, throughput, oee or wip")] = "lead_time",
    half_width: Annotated[
        str, typer.Option(help="how exactly, in the measure's unit (0.5) or of the base (1%)")
    ] = "1%",
    confidence: Annotated[
        float, typer.Option(help="of all intervals of a measure together", min=0.5, max=0.9999)
    ] = 0.95,
    best: Annotated[float | None, typer.Option(help="select the best; the difference that matters", min=0.0)] = None,
    probability: Annotated[float, typer.Option(help="of selecting the best", min=0.5, max=0.9999)] = 0.95,
    max_replications: Annotated[int, typer.Option(help="futures per scenario at most", min=2)] = 4096,
    seed: Annotated[int, typer.Option(help="chooses the futures")] = 1,
    rule: Annotated[str | None, typer.Option(help="the base's dispatching rule [default: as the plant says]")] = None,
    steady: Annotated[
        int | None, typer.Option(metavar="WEEKS", help="orders for so long, and the steady state they come to")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="processes [default: one per core]", min=1)] = None,
    cluster: Annotated[str | None, typer.Option(metavar="ADDRESS", help="of a Dask scheduler to run it on")] = None,
    out: Annotated[Path | None, typer.Option(help="where report.html goes")] = None,
) -> None:
    """Run scenarios beside the base, on the same luck, until the differences are known well enough."""
    from runtime.bases import base_case
    from runtime.experiments import Means, run_scenarios
    from scenarios.experiment import Question
    from scenarios.measures import measure_named
    from scenarios.precision import HalfWidth

    question = Question(
        measure=measure_named(measure).id,
        half_width=HalfWidth.parse(half_width),
        confidence=confidence,
        indifference=best,
        probability=probability,
        max_replications=max_replications,
        seed=seed,
    )
    base = base_case(plant, snapshot, rule)
    run_scenarios(names, base, question, Means(workers, cluster), out, _console, language, steady)
