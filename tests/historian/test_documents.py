"""Value objects become JSON documents and come back equal."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest

from historian.documents import document, jsonb, restore
from plant.arrival import ArrivalStream, WhenFull
from plant.calendar import Break, Calendar, Shift
from plant.connection import Connection, Protocol
from plant.distribution import Distribution, Family, exponential, mixture, shifted, truncated, uniform
from plant.errors import InvalidInput
from plant.item import BomLine, Incoming, Item, ItemKind, Replenishment
from plant.objective import Aim, Objective
from plant.order import CustomerOrder, Priority
from plant.plan import CostToOthers, Plan, PlanCosts, PlannedOperation, SolverReport
from plant.plant import FailureTime, Plant, Reliability
from plant.tariff import PricePeriod, Tariff
from plant.tuning import MoveShares, RuleKind, RuleTuning, Tuning
from plant.verdict import Buffer, OperationVerdict, PersonVerdict, Verdict
from tests.plant.shops import bought, made, operation, small_shop

NIGHT = Shift("night", (0, 4), time(22), time(6), (Break(time(1, 30), time(2)),))
THINGS = [
    small_shop((made("shaft", operation("10", "turning"), bom=(("bar", "0.333"),)), bought("bar", 3.5, 7))),
    Calendar("c", "Asia/Shanghai", (NIGHT,), (date(2026, 2, 17),)),
    Connection("line", Protocol.MODBUS, "tcp://h:1", ("M1",), {"poll_s": 0.2, "devices": {"M1": 10}, "on": True}),
    CustomerOrder(
        "CO-1",
        "Ada",
        "shaft",
        3,
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 2, 3, 4, 5, 6, UTC),
        Priority.HIGH,
    ),
    BomLine("bar", Decimal("0.1")),
    Distribution(Family.LOGNORMAL, 0.1 + 0.2, 1e-9),
    Plan(datetime(2026, 1, 5, tzinfo=UTC), (PlannedOperation("a", "M1", 0, 0.0, 1.0, person="P1"),)),
    Verdict(
        "simulate",
        10,
        7,
        (),
        (),
        0.5,
        "M1",
        (OperationVerdict("a", "M1", 0.3),),
        (PersonVerdict("P1", 0.2),),
        (Buffer("A", 3.5, 0.1, 0.95, "a", "M1", 0.7),),
    ),
    Reliability(Distribution(Family.GAMMA, 9.0, 0.5), Distribution(Family.GAMMA, 1.0, 0.5), FailureTime.CALENDAR),
    mixture([truncated(exponential(0.1), 0.05, 0.3), shifted(uniform(1, 3), 0.7)], [0.9, 0.1]),
    ArrivalStream("S", "A", interarrival=exponential(60.0), when_full=WhenFull.LOST),
    Item(
        "BAR",
        "Bar",
        ItemKind.PURCHASED,
        replenishment=Replenishment(
            Decimal("1.5"), Decimal(3), exponential(9.0), (Incoming(datetime(2026, 1, 2, tzinfo=UTC), Decimal(1)),)
        ),
    ),
    SolverReport(
        "EDD",
        "feasible",
        3600.0,
        7200.0,
        0.5,
        1,
        objective=Objective((Aim.TARDINESS, Aim.WORK_IN_PROCESS), (1.0, 0.5)),
        costs=PlanCosts(60.0, 120.0, 0.0, 12.5, 30.0),
        to_others={"CO-1": CostToOthers(3600.0, -60.0)},
        tuning=Tuning(RuleTuning(RuleKind.EDD, batch_wait=0.5), MoveShares(critical=0.5)),
    ),
    Tariff(0.62, (PricePeriod(time(22), time(6), 0.31, (0, 4)),)),
]


@pytest.mark.parametrize("thing", THINGS, ids=lambda thing: type(thing).__name__)
def test_there_and_back(thing: object) -> None:
    text = json.dumps(document(thing), allow_nan=False)
    assert restore(type(thing), json.loads(text)) == thing


def test_documents_from_before_people_and_buffers_are_still_read() -> None:
    plan, verdict, reliability = THINGS[6:9]
    old_plan, old_verdict, old_reliability = document(plan), document(verdict), document(reliability)
    del old_plan["operations"][0]["person"]
    del old_verdict["operations"], old_verdict["people"], old_verdict["buffers"]
    del old_reliability["failure_time"]
    assert restore(Plan, old_plan).operations[0].person is None
    found = restore(Verdict, old_verdict)
    assert (found.operations, found.people, found.buffers) == ((), (), ())
    assert restore(Reliability, old_reliability).failure_time is FailureTime.OPERATING


def test_plans_and_plants_from_before_costs_were_told_are_still_read() -> None:
    plant, report = document(THINGS[0]), document(THINGS[12])
    del plant["tariff"]
    del report["objective"], report["costs"], report["to_others"]
    assert restore(Plant, plant).tariff is None
    found = restore(SolverReport, report)
    assert (found.objective, found.costs, found.to_others) == (None, None, {})


def test_a_document_that_is_wrong_is_refused_by_the_object_itself() -> None:
    doc = document(THINGS[4])
    with pytest.raises(InvalidInput, match="above 0"):
        restore(BomLine, {**doc, "quantity": "-1"})
    with pytest.raises(InvalidInput, match="not the document of a Plant"):
        restore(Plant, doc)


def test_what_json_does_not_know_is_refused() -> None:
    with pytest.raises(InvalidInput, match="finite"):
        jsonb({"x": math.inf}).dumps({"x": math.inf})  # type: ignore[misc]
