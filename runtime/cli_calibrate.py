"""`forerun calibrate`: its options, of which one at most says something else than to calibrate now."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from plant.errors import InvalidInput


def calibrate(
    days: Annotated[float, typer.Option(help="plant days of history to calibrate from")] = 30.0,
    list_: Annotated[bool, typer.Option("--list", help="list the calibrations there are")] = False,
    compare: Annotated[
        tuple[str, str] | None, typer.Option(metavar="A B", help="show what B changes against A (or: plan)")
    ] = None,
    adopt: Annotated[str | None, typer.Option(metavar="ID", help="have the twin use this calibration")] = None,
    rollback: Annotated[bool, typer.Option("--rollback", help="go back to what the twin used before")] = False,
    all_: Annotated[bool, typer.Option("--all", help="show every difference, not the first twenty only")] = False,
) -> None:
    """Calibrate the twin from history on a running installation, and show what that changes.

    Nothing is used before it is adopted. Ctrl-C cancels a calibration that is being made.
    """
    from runtime import calibrating

    console = Console()
    if sum((list_, compare is not None, adopt is not None, rollback)) > 1:
        raise InvalidInput("--list, --compare, --adopt and --rollback each do one thing; give one of them")
    if list_:
        calibrating.show_list(console)
    elif compare is not None:
        calibrating.show_differences(*compare, console, all_)
    elif adopt is not None:
        calibrating.adopt(adopt, console)
    elif rollback:
        calibrating.roll_back(console)
    else:
        calibrating.calibrate_now(days, console, all_)
