"""A small plant in the database, and short ways to do what the tests here do all the time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from historian import ledger, orders, outbox, quarantine
from historian.database import Historian
from operations import completion, plants
from operations import orders as order_entry
from operations.gate import Thresholds
from operations.planning import PlanningRules
from plant.actor import SYSTEM, Actor, Role
from plant.message import OutboxMessage, new_message_id
from plant.order import CustomerOrder, JobProgress, JobResponse, Priority, ResponseKind
from plant.plan import Plan, PlannedOperation, PlanVersion, SolverReport
from plant.verdict import Judgement, MachineVerdict, OrderVerdict, Verdict
from plant.version import version_of
from scheduler.solve import SolverSettings
from tests.plant.shops import MONDAY, bought, made, operation, small_shop

PLANT = small_shop(
    (
        made("shaft", operation("10", "turning"), operation("20", "milling"), bom=(("bar", "0.5"),)),
        made("pump", operation("10", "milling"), bom=(("shaft", "2"),)),
        bought("bar", 3600.0, 0),
    )
)
VERSION = version_of(PLANT)
PLANNER = Actor("anna", frozenset({Role.PLANNER}))
MES = Actor("mes", frozenset({Role.INTEGRATION}))
RULES = PlanningRules(
    solver=SolverSettings(time_limit_s=0.4, seed=1, workers=1),
    replications=50,
    thresholds=Thresholds(),
    frozen_zone_s=1800.0,
    dispatch_horizon_s=8 * 3600.0,
)


class Clock:
    """A plant clock that tests set."""

    def __init__(self, now: datetime = MONDAY) -> None:
        self.moment = now

    def now(self) -> datetime:
        return self.moment


class Queue:
    """A queue that remembers what it was given."""

    def __init__(self) -> None:
        self.deferred: list[tuple[str, str]] = []

    async def defer(self, kind: str, job_id: str) -> None:
        self.deferred.append((kind, job_id))


def at(seconds: float) -> datetime:
    return MONDAY + timedelta(seconds=seconds)


def order(
    id_: str = "CO-1", item: str = "shaft", quantity: int = 4, due_days: float = 10, **other: Any
) -> CustomerOrder:
    values = {"customer": "ACME", "ordered_at": MONDAY, "due_at": MONDAY + timedelta(days=due_days)}
    return CustomerOrder(id=id_, item=item, quantity=quantity, **{**values, "priority": Priority.NORMAL, **other})


async def with_orders(historian: Historian, *customer_orders: CustomerOrder) -> None:
    """Import the plant, enter orders."""
    await plants.import_plant(historian, SYSTEM, PLANT, customer_orders)


async def enter(historian: Historian, one: CustomerOrder) -> CustomerOrder:
    return await order_entry.enter(historian, PLANNER, one)


async def jobs(historian: Historian) -> dict[str, JobProgress]:
    async with historian.transaction(SYSTEM, "test") as tx:
        return {progress.job.id: progress for progress in await orders.jobs(tx)}


def response(job_order: str, kind: str, seconds: float = 0, good: int = 0, scrap: int = 0, **other: Any) -> JobResponse:
    values = {"id": new_message_id(), "machine": "L1", **other}
    return JobResponse(job_order=job_order, kind=ResponseKind(kind), at=at(seconds), good=good, scrap=scrap, **values)


async def report(historian: Historian, one: JobResponse) -> JobProgress:
    return await completion.record(historian, MES, one, MONDAY + timedelta(days=1))


async def quarantined(historian: Historian) -> dict[str, int]:
    async with historian.transaction(SYSTEM, "test") as tx:
        return await quarantine.counts(tx)


async def ledger_of(historian: Historian, subject: str) -> list[ledger.Entry]:
    """Return the entries of a subject, oldest first."""
    async with historian.transaction(SYSTEM, "test") as tx:
        return list(reversed(await ledger.entries(tx, subject)))


async def take_messages(historian: Historian, limit: int = 100) -> list[OutboxMessage]:
    """Claim what is due, as a worker does that dies with it."""
    async with historian.transaction(SYSTEM, "test") as tx:
        return await outbox.claim(tx, limit, datetime.now(UTC), timedelta(0))


def plan_version(
    id_: str, *places: tuple[str, str, float], parent: str | None = None, passed: bool = True, made_s: float = 0
) -> PlanVersion:
    """Return a version that starts (job order, machine) at seconds since Monday, in this sequence."""
    operations = tuple(
        PlannedOperation(job, machine, place, start_s - made_s, start_s - made_s + 600.0)
        for place, (job, machine, start_s) in enumerate(places)
    )
    names = tuple(sorted({job.split("/")[0] for job, _, _ in places}))
    verdicts = tuple(OrderVerdict(name, at(9e5), 0.99, 0.98, at(1e5), at(2e5), at(3e5), 0.0) for name in names)
    return PlanVersion(
        id=id_,
        parent=parent,
        plant_version=VERSION.id,
        made_at=at(made_s),
        reason="test",
        seed=1,
        plan=Plan(at(made_s), operations),
        solver=SolverReport("rule", "feasible", 0.0, 600.0, 0.1, 1, None),
        verdict=Verdict("replay", 50, 1, verdicts, (MachineVerdict("L1", 0.5, 0.5, 1.0),), 0.5, "L1"),
        judgement=Judgement(passed, () if passed else ("CO-1 is late.",), ()),
        orders=names,
    )
