"""`forerun promise ITEM QUANTITY`: when could we deliver? Of the running system, or of a plant's folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dashboard.figures.risk import percent
from methods.explosion import explode, job_orders
from methods.work import build_work
from operations.promise import Offer, Rehearsing, promise
from operations.promises import ASKED, Answer, Question, answer, look, order_of
from plant.errors import InvalidInput
from plant.folder import load
from plant.folder_table import parse_moment
from plant.objective import parsed
from plant.order import JobProgress, JobState, Priority
from plant.plant import Plant
from plant.text import Text
from runtime.bases import fresh_floor
from runtime.settings import Settings
from scheduler.solve import SolverSettings, solve


@dataclass(frozen=True)
class Wish:
    """What was typed.

    Attributes
    ----------
    due
        Local time of the plant, empty where no date is wished for.
    """

    item: str
    quantity: int
    due: str = ""
    high: bool = False
    replan: bool = False

    def question(self, plant: Plant) -> Question:
        """Return the question, with the date in the plant's time zone.

        Raises
        ------
        InvalidInput
            If the date cannot be read, or the quantity cannot be.
        """
        try:
            due_at = parse_moment(self.due, ZoneInfo(plant.timezone)) if self.due else None
        except ValueError as error:
            raise InvalidInput(f"--due {error}") from None
        priority = Priority.HIGH if self.high else Priority.NORMAL
        return Question(self.item, self.quantity, due_at, priority, self.replan)


def ask_folder(folder: Path, wish: Wish, settings: Settings, console: Console) -> None:
    """Plan the orders of a plant's folder for a moment, ask for one more, and print the answer.

    Raises
    ------
    PlantInvalid
        With every problem found in the folder.
    InvalidInput
        If the item is unknown or not made, or the date cannot be.
    """
    plant = load(folder)
    planning = settings.planning
    solver = SolverSettings(
        time_limit_s=planning.time_limit_s, seed=planning.seed, objective=parsed(planning.objective)
    )
    snapshot = fresh_floor(plant, folder)
    question = wish.question(plant)
    order = order_of(plant, question, snapshot.at)
    plan = solve(build_work(plant, snapshot.orders, snapshot.jobs, snapshot), look(solver)).plan
    asked = tuple(JobProgress(job, JobState.WAITING) for job in job_orders(plant, explode(plant, order)))
    work = build_work(plant, (*snapshot.orders, order), (*snapshot.jobs, *asked), snapshot)
    rehearsing = Rehearsing(planning.replications, solver.seed)
    found = promise(
        work, ASKED, plan, None, rehearsing, look(solver) if wish.replan else None, question.due_at is not None
    )
    show(console, wish, plant, answer(found, work, ZoneInfo(plant.timezone)))


def show(console: Console, wish: Wish, plant: Plant, found: Answer) -> None:
    """Print the dates, and what they hang on."""
    table = Table(box=SIMPLE_HEAD, title=f"{wish.quantity} {wish.item}: when could we deliver?", title_justify="left")
    for name in ("", "P50", "P80", "P95", "on time"):
        table.add_column(name, justify="right" if name == "on time" else "left", no_wrap=True)
    zone = ZoneInfo(plant.timezone)
    ways = [("as the plan stands", found.promise.inserted, found.inserted)]
    if found.promise.replanned is not None:
        ways.append(("planned anew", found.promise.replanned, found.replanned))
    for name, offer, _ in ways:
        table.add_row(name, *_dates(offer, zone))
    console.print(table)
    for name, _, sentences in ways:
        _list(console, name, sentences)
    if found.impossible:
        _list(console, "the date cannot be kept, since", found.impossible)


def _dates(offer: Offer, zone: ZoneInfo) -> tuple[str, ...]:
    def moment(when: datetime) -> str:
        return f"{when.astimezone(zone):%-d %b %H:%M}"

    return (*map(moment, (offer.p50, offer.p80, offer.p95)), "" if offer.on_time is None else percent(offer.on_time))


def _list(console: Console, name: str, sentences: Sequence[Text]) -> None:
    console.print(f"{name}:" if sentences else f"{name}: nothing else binds it")
    for sentence in sentences:
        console.print(f"  - {escape(str(sentence))}", soft_wrap=True)
