"""`forerun learn DIR`: how to look for plans, learned from the orders of a plant's folder, without any server."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from dashboard.learned import compared, differences
from dashboard.words import Words
from methods.order_books import OrderBook, PastOrder
from operations.learner import LearningSettings, Subject, learn
from plant.errors import Cancelled, InvalidInput
from plant.folder import load, load_orders
from plant.learned import Learned
from plant.objective import OBJECTIVE, Objective
from plant.text import Text
from plant.tuning import Tuning
from plant.tuning_file import tuning_of, tuning_text
from plant.version import version_of
from runtime.files import require_writable, write_whole
from runtime.interruption import interruptible
from scheduler.solve import SolverSettings


def learn_offline(
    folder: Path,
    out: Path | None,
    settings: LearningSettings,
    console: Console | None = None,
    objective: Objective = OBJECTIVE,
) -> Learned:
    """Learn from a plant's folder, print what came of it, and write it to `out` if it is better; Ctrl-C cancels.

    Raises
    ------
    PlantInvalid
        With every problem found in the folder.
    InvalidInput
        If there is no order to learn from, or the file cannot be written.
    Cancelled
        If it was cancelled; nothing is written.
    """
    console = console or Console()
    plant = load(folder)
    orders = load_orders(folder, plant)
    if not orders:
        raise InvalidInput(f"{folder / 'orders.csv'} holds no order: there is nothing to learn from; add some")
    if out is not None:
        require_writable(out)  # before anything is learned: nobody should wait for what cannot be kept
    solver = SolverSettings(objective=objective, workers=1)
    past = tuple(PastOrder(order) for order in orders)
    subject = Subject(version_of(plant), past, (OrderBook(plant.starts_at, orders),), solver)
    found = _learned(subject, settings, console)
    _show(found, console)
    if found.is_better and out is not None:
        write_whole(out, tuning_text(found.tuning))
        console.print(f"Written: {escape(str(out))}; forerun plan --tuning takes it", soft_wrap=True)
    elif out is not None:
        console.print("Nothing is written: planning is better left as it is.")
    return found


def read_tuning(file: Path) -> Tuning:
    """Return the tuning in a file.

    Raises
    ------
    InvalidInput
        If it cannot be read or is no tuning; the message names the file.
    """
    try:
        return tuning_of(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file} cannot be read: {error}; write it with `forerun learn --out`") from error
    except InvalidInput as error:
        raise InvalidInput(f"{file}: {error}") from error


def _learned(subject: Subject, settings: LearningSettings, console: Console) -> Learned:
    columns = (SpinnerColumn(), BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
    with (
        Progress(*columns, console=console, transient=True) as bar,
        interruptible(console, "Cancelling; Ctrl-C again ends at once.") as interrupted,
    ):
        task = bar.add_task("drawing cases", total=1.0)

        def progress(share: float, doing: Text) -> None:
            bar.update(task, completed=share, description=str(doing))
            if interrupted():
                raise Cancelled("cancelled: nothing was learned")

        return learn(subject, settings, progress)


def _show(found: Learned, console: Console) -> None:
    say = Words("en")
    console.print(escape(compared(found, say)), soft_wrap=True)
    for name, before, after in differences(found.tuning, say):
        console.print(f"  {escape(name)}: {escape(before)} -> {escape(after)}", soft_wrap=True)
