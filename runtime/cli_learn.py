"""`forerun learn`: its options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console


def learn(
    folder: Annotated[Path, typer.Argument(help="the plant's folder", show_default=False)],
    out: Annotated[Path | None, typer.Option("--out", help="write what is better here, for plan --tuning")] = None,
    effort: Annotated[float, typer.Option(help="of the search for each plan: 1 is 20,000 moves", min=0.0001)] = 0.5,
    candidates: Annotated[int, typer.Option(help="ways to look for plans that are tried", min=2, max=1024)] = 32,
    cases: Annotated[int, typer.Option(help="cases on which the best is held against the unlearned", min=10)] = 40,
    replications: Annotated[int, typer.Option(help="futures to rehearse each plan in", min=2, max=100_000)] = 100,
    seed: Annotated[int, typer.Option(help="chooses candidates, cases and futures", min=0, max=2**31 - 1)] = 1,
    objective: Annotated[str, typer.Option(help="what the best plan is, as for plan")] = "tardiness, makespan",
) -> None:
    """Learn from a plant's orders how plans are found best; the same seed learns the same. Ctrl-C cancels."""
    from operations.learner import LearningSettings
    from plant.objective import parsed
    from runtime.learning import learn_offline

    settings = LearningSettings(candidates=candidates, cases=cases, effort=effort, replications=replications, seed=seed)
    learn_offline(folder, out, settings, Console(), parsed(objective))
