"""When could we deliver? Asked for an order that nobody has entered yet; nothing is kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from historian import plants
from historian.database import Historian
from operations.orders import check_item, check_plausible
from operations.planning import PlanningRules, basis_at, frozen_zone, solver_of
from operations.promise import Promise, Rehearsing, promise, sentences
from plant.actor import Actor, Permission
from plant.checks import require
from plant.order import CustomerOrder, Priority
from plant.plant import Plant
from plant.ports import Compute, PlantClock
from plant.text import Text, told
from plant.work import Work
from scheduler.solve import SolverSettings

ASKED = "(new)"
"""Id of the order that is asked about."""
_FAR_OFF = timedelta(days=4 * 365)
_LOOK_S = 3.0
_MOST_PIECES = 1_000_000


@dataclass(frozen=True)
class Question:
    """What a customer wants to know.

    Attributes
    ----------
    due_at
        The date they wish for; None to hear which there could be.
    replan
        Whether to look, besides, for a plan in which other orders give way.
    """

    item: str
    quantity: int
    due_at: datetime | None = None
    priority: Priority = Priority.NORMAL
    replan: bool = False

    def __post_init__(self) -> None:
        require(
            0 < self.quantity <= _MOST_PIECES,
            told(
                "the quantity must be between 1 and {most:count}, not {quantity}",
                most=_MOST_PIECES,
                quantity=self.quantity,
            ),
        )


@dataclass(frozen=True)
class Answer:
    """A promise, with what its dates hang on in words: of the plan as it stands, and planned anew.

    Attributes
    ----------
    impossible
        What makes the date asked for impossible, empty where it may be kept.
    """

    promise: Promise
    inserted: tuple[Text, ...]
    replanned: tuple[Text, ...]
    impossible: tuple[Text, ...] = ()


async def ask(
    historian: Historian,
    compute: Compute,
    clock: PlantClock,
    actor: Actor,
    rules: PlanningRules,
    question: Question,
) -> Answer:
    """Return when an order could be delivered, looked at against the plan in force.

    Raises
    ------
    InvalidInput
        If the item is unknown or not made here, or the date cannot be.
    """
    actor.require(Permission.ENTER_ORDERS)
    async with historian.transaction(actor, "ask for a promise") as tx:
        plant = (await plants.current(tx)).plant
        basis = await basis_at(tx, clock.now(), rules, order_of(plant, question, clock.now()))
    plan = None if basis.in_force is None else basis.in_force.plan
    rehearsing = Rehearsing(rules.replications, rules.solver.seed, basis.calibration)
    frozen, dated = frozen_zone(basis, rules.frozen_zone_s), question.due_at is not None
    solver = look(solver_of(basis, rules)) if question.replan else None
    found: Promise = await compute.run(promise, basis.work, ASKED, plan, frozen, rehearsing, solver, dated)
    return answer(found, basis.work, basis.zone)


def look(solver: SolverSettings) -> SolverSettings:
    """Return the settings of a search that somebody waits for."""
    return replace(solver, time_limit_s=min(solver.time_limit_s, _LOOK_S))


def order_of(plant: Plant, question: Question, now: datetime) -> CustomerOrder:
    """Return the order that is asked about, as if it were placed now.

    Raises
    ------
    InvalidInput
        If its item is unknown or not made here, or the date cannot be.
    """
    due_at = question.due_at or now + _FAR_OFF
    local = due_at.astimezone(ZoneInfo(plant.timezone))
    require(due_at > now, told("{due:moment} has passed; ask for a later date", due=local))
    order = CustomerOrder(ASKED, ASKED, question.item, question.quantity, now, due_at, question.priority)
    check_item(plant, order)
    check_plausible(plant, order)
    return order


def answer(found: Promise, work: Work, zone: ZoneInfo) -> Answer:
    """Return a promise with what there is to say of it."""
    replanned = () if found.replanned is None else sentences(found.replanned, zone)
    impossible = () if found.conflict is None else found.conflict.words(work, zone)
    return Answer(found, sentences(found.inserted, zone), replanned, impossible)
