"""The `forerun` command. Each command imports only its own parts, so that it starts quickly."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from plant.errors import ForerunError
from runtime import accounts, cli_calibrate, cli_learn, cli_scenario
from runtime.language import Language
from runtime.settings import Settings, read_settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Rehearses a make-to-order factory before the factory runs.",
)
app.add_typer(accounts.account, name="account")
app.add_typer(accounts.key, name="key")
app.add_typer(cli_scenario.app, name="scenario")
app.command("calibrate")(cli_calibrate.calibrate)
app.command("learn")(cli_learn.learn)
_console = Console()
_errors = Console(stderr=True)

snapshot_app = typer.Typer(no_args_is_help=True, help="The live floor as a file.")
app.add_typer(snapshot_app, name="snapshot")

PlantFolder = Annotated[Path, typer.Argument(help="the plant's folder", show_default=False)]


def main() -> None:
    """Run the command line; our own errors end it with one clear message."""
    try:
        app()
    except* ForerunError as group:
        # Side by side, several parts may fail at once, in groups of groups.
        for error in _leaves(group):
            _errors.print(str(error), style="red", soft_wrap=True, markup=False, highlight=False)
        failed = True
    else:
        failed = False
    if failed:
        sys.exit(1)


def _leaves(group: BaseExceptionGroup[Any]) -> list[BaseException]:
    nested = [_leaves(error) if isinstance(error, BaseExceptionGroup) else [error] for error in group.exceptions]
    return [error for errors in nested for error in errors]


@app.command()
def demo(
    fresh: Annotated[bool, typer.Option("--fresh", help="remove the data of earlier runs first")] = False,
) -> None:
    """Run everything on this computer, with an emulated factory."""
    from runtime.demo import run

    settings = read_settings()
    if "automatic" not in settings.planning.model_fields_set:
        planning = settings.planning.model_copy(update={"automatic": True})
        settings = settings.model_copy(update={"planning": planning})
    raise typer.Exit(run(settings, fresh, _console))


@app.command()
def plan(
    folder: PlantFolder,
    out: Annotated[Path, typer.Option("--out", help="where plan.json and report.html go")],
    time_limit: Annotated[float, typer.Option(help="seconds the solver may take", min=0.1)] = 20.0,
    replications: Annotated[int, typer.Option(help="futures to rehearse the plan in", min=20, max=100_000)] = 1000,
    seed: Annotated[int, typer.Option(help="chooses the futures", min=0, max=2**31 - 1)] = 1,
    objective: Annotated[
        str,
        typer.Option(
            help="what the best plan is: aims in order, or with weights such as 'tardiness = 1, energy = 60'; of "
            "tardiness, makespan, setup, work in process, overtime, energy, nearness"
        ),
    ] = "tardiness, makespan",
    snapshot: Annotated[
        Path | None, typer.Option(help="begin with the floor as `forerun snapshot save` saved it, with its orders")
    ] = None,
    against: Annotated[
        Path | None, typer.Option(help="a plan.json of before: the report shows what changes against it")
    ] = None,
    tuning: Annotated[Path | None, typer.Option(help="look for plans as `forerun learn --out` found best")] = None,
    *,
    language: Language,
) -> None:
    """Plan and rehearse a plant's orders without any server."""
    from plant.objective import parsed
    from runtime.offline import plan_offline

    asked = parsed(objective)
    plan_offline(
        folder,
        out,
        time_limit,
        replications,
        seed,
        _console,
        snapshot_file=snapshot,
        against=against,
        objective=asked,
        tuning_file=tuning,
        language=language,
    )


@app.command()
def promise(
    item: Annotated[str, typer.Argument(help="a made item", show_default=False)],
    quantity: Annotated[int, typer.Argument(help="pieces", min=1, max=1_000_000, show_default=False)],
    due: Annotated[str, typer.Option(help="the date wished for, plant time such as 2026-02-06T16:00")] = "",
    high: Annotated[bool, typer.Option("--high", help="as a high-priority order")] = False,
    replan: Annotated[bool, typer.Option("--replan", help="also with all others planned anew")] = False,
    plant: Annotated[
        Path | None,
        typer.Option(help="ask of this plant's folder, not of the running system [default: where none runs]"),
    ] = None,
) -> None:
    """Tell when an order could be delivered, and what binds the date."""
    from runtime.promises import Wish, ask_folder, show

    settings, wish = read_settings(), Wish(item, quantity, due, high, replan)
    if plant is not None or settings.database_url is None:
        ask_folder(plant or settings.plant, wish, settings, _console)
        return

    async def ask(settings: Settings) -> None:
        from runtime import wiring

        show(_console, wish, *await wiring.ask_promise(settings, wish))

    _run("promise", ask)


@snapshot_app.command("save")
def save_snapshot(file: Annotated[Path, typer.Argument(help="the file to write", show_default=False)]) -> None:
    """Save the live floor, with its open orders, as JSON."""
    from runtime import wiring

    async def save(settings: Settings) -> None:
        _console.print(await wiring.save_snapshot(settings, file), soft_wrap=True, markup=False)

    _run("snapshot", save)


@app.command()
def check(folder: PlantFolder) -> None:
    """Show everything that is wrong with a plant's folder."""
    from connectors.build import check as check_connection
    from plant.errors import PlantInvalid, Problem
    from plant.folder import check as check_folder
    from plant.folder import load
    from plant.folder_table import unknown
    from twin.dispatching import known_rules

    problems = list(check_folder(folder))
    try:
        plant = load(folder)
        connections = plant.connections
        rules = {"plant": plant.rule} | {f"machine {one.id}": one.rule for one in plant.machines if one.rule}
    except PlantInvalid:
        connections, rules = (), {}
    problems += [
        Problem("plant.toml", f"{where}: rule", unknown("dispatching rule", rule, known_rules()))
        for where, rule in rules.items()
        if rule not in known_rules()
    ]
    for connection in connections:
        problems += [
            Problem("connections.toml", f"connection {connection.id}", reason)
            for reason in check_connection(connection)
        ]
    for problem in problems:
        _errors.print(str(problem), style="red", soft_wrap=True, markup=False)
    if problems:
        _errors.print(f"{len(problems)} problem{'s' if len(problems) > 1 else ''} in {folder}")
        raise typer.Exit(1)
    _console.print(f"{folder}: no problems found")


@app.command("compile")
def compile_() -> None:
    """Compile the searches and the twin, once after installing."""
    from runtime.compiling import compile_all

    compile_all()


@app.command()
def prepare() -> None:
    """Migrate the database and import the plant."""
    from runtime import wiring

    _run("prepare", wiring.prepare)


@app.command("app")
def run_app() -> None:
    """Serve the API and the pages."""
    from runtime import wiring

    _run("app", wiring.run_app)


@app.command()
def ingest() -> None:
    """Read the machines."""
    from runtime import wiring

    _run("ingest", wiring.run_ingest)


@app.command()
def worker() -> None:
    """Make plans, dispatch job orders, deliver messages."""
    from runtime import wiring

    _run("worker", wiring.run_worker)


@app.command()
def emulator() -> None:
    """Run the emulated factory."""
    from runtime import logs
    from runtime.emulated import run

    settings = read_settings()
    logs.configure(settings.log_level, "emulator")
    run(settings)


def _run(name: str, process: Callable[[Settings], Coroutine[Any, Any, None]]) -> None:
    from runtime import logs

    settings = read_settings()
    logs.configure(settings.log_level, name)
    asyncio.run(process(settings))


if __name__ == "__main__":
    main()
