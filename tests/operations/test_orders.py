"""Order entry: a customer order becomes production orders and job orders, once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from historian import orders
from historian.database import Historian
from methods.explosion import explode, job_orders
from operations import orders as order_entry
from operations import plants
from plant.actor import SYSTEM
from plant.connection import Connection, Protocol
from plant.errors import Conflict, InvalidInput, NotFound
from plant.order import JobProgress, JobState, Priority
from tests.operations.shop import MONDAY, PLANNER, PLANT, enter, jobs, ledger_of, order, report, response, with_orders


async def test_an_order_is_kept_with_what_it_explodes_into(historian: Historian) -> None:
    await with_orders(historian)
    entered = order("CO-1", "pump", 3)
    assert await enter(historian, entered) == entered
    production = explode(PLANT, entered)
    async with historian.transaction(SYSTEM, "test") as tx:
        assert await orders.customer_orders(tx) == [entered]
        assert await orders.production_orders(tx) == list(production)
    waiting = [JobProgress(job, JobState.WAITING) for job in job_orders(PLANT, production)]
    assert list((await jobs(historian)).values()) == waiting
    assert len(waiting) == 3
    (entry,) = await ledger_of(historian, "order/CO-1")
    assert (entry.actor, entry.kind, entry.after["item"]) == (PLANNER.name, "entered", "pump")


async def test_the_same_order_again_changes_nothing(historian: Historian) -> None:
    await with_orders(historian, order())
    before = await jobs(historian)
    assert await enter(historian, order()) == order()
    assert await jobs(historian) == before
    assert len(await ledger_of(historian, "order/CO-1")) == 1


async def test_an_order_without_a_date_of_its_own_is_the_same_at_any_moment(historian: Historian) -> None:
    await with_orders(historian, order())
    later = replace(order(), ordered_at=MONDAY + timedelta(hours=3))
    assert await order_entry.enter(historian, PLANNER, later, dated=False) == order()
    with pytest.raises(Conflict):
        await order_entry.enter(historian, PLANNER, later)
    with pytest.raises(Conflict):
        await order_entry.enter(historian, PLANNER, replace(later, quantity=99), dated=False)


async def test_other_orders_under_one_id_at_once_are_refused_in_our_own_words(historian: Historian) -> None:
    await with_orders(historian)
    each = [replace(order(), quantity=1 + number) for number in range(6)]
    told = await asyncio.gather(*(enter(historian, one) for one in each), return_exceptions=True)
    refused = [one for one in told if isinstance(one, Conflict)]
    assert len(refused) == 5, told
    assert {str(one) for one in refused} == {
        "order CO-1 exists with other content; use another id or change that order"
    }


async def test_the_same_order_from_many_senders_at_once_is_entered_once(historian: Historian) -> None:
    await with_orders(historian)
    assert await asyncio.gather(*(enter(historian, order()) for _ in range(6))) == [order()] * 6
    assert len(await jobs(historian)) == 2
    assert len(await ledger_of(historian, "order/CO-1")) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"quantity": 5},
        {"item": "pump"},
        {"customer": "Other"},
        {"priority": Priority.HIGH},
        {"due_at": MONDAY + timedelta(days=11)},
    ],
)
async def test_another_order_under_a_known_id_is_a_conflict(historian: Historian, change: dict[str, object]) -> None:
    await with_orders(historian, order())
    with pytest.raises(Conflict, match="CO-1 exists with other content"):
        await enter(historian, replace(order(), **change))
    async with historian.transaction(SYSTEM, "test") as tx:
        assert await orders.customer_orders(tx) == [order()]


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ("ghost", "unknown item 'ghost'; known are pump, shaft$"),
        ("pumb", "unknown item 'pumb'; did you mean 'pump'?"),
        ("bar", "bar is purchased"),
    ],
)
async def test_what_is_not_made_here_is_refused(historian: Historian, item: str, reason: str) -> None:
    await with_orders(historian)
    with pytest.raises(InvalidInput, match=f"order CO-1: .*{reason}"):
        await enter(historian, order(item=item))
    assert await order_entry.list_orders(historian, PLANNER) == []


async def test_an_id_that_does_not_reach_every_machine_is_refused(historian: Historian) -> None:
    modbus = (Connection("line", Protocol.MODBUS, "tcp://plc", ("L1",)),)
    await plants.import_plant(historian, SYSTEM, replace(PLANT, connections=modbus))
    longest = "x" * (24 - len("/1-10"))
    assert await enter(historian, order(longest)) == order(longest)
    for wrong in (longest + "x", "订单-1"):
        with pytest.raises(InvalidInput, match=r"^order id .* hold 24 ASCII characters; use an id of at most 19 ASCII"):
            await enter(historian, order(wrong))
    assert [one.id for one in await order_entry.list_orders(historian, PLANNER)] == [longest]


async def test_an_order_from_before_its_machines_became_narrow_is_no_error(historian: Historian) -> None:
    known = order("x" * 60)
    await with_orders(historian, known)
    modbus = (Connection("line", Protocol.MODBUS, "tcp://plc", ("L1",)),)
    await plants.import_plant(historian, SYSTEM, replace(PLANT, connections=modbus))
    assert await enter(historian, known) == known


async def test_without_a_plant_there_is_nothing_to_order(historian: Historian) -> None:
    with pytest.raises(NotFound, match="import one first"):
        await enter(historian, order())


async def test_orders_come_by_due_date_and_jobs_by_order(historian: Historian) -> None:
    await with_orders(historian, order("CO-1", due_days=9), order("CO-2", due_days=3))
    assert [one.id for one in await order_entry.list_orders(historian, PLANNER)] == ["CO-2", "CO-1"]
    listed = await order_entry.list_jobs(historian, PLANNER, "CO-2")
    assert [one.job.id for one in listed] == ["CO-2/1-10", "CO-2/1-20"]
    assert await order_entry.list_jobs(historian, PLANNER, "ghost") == []


async def test_jobs_are_told_by_machine(historian: Historian) -> None:
    await with_orders(historian, order("CO-1"), order("CO-2"), order("CO-3"))
    await report(historian, response("CO-1/1-10", "started", machine="L1"))
    await report(historian, response("CO-2/1-10", "started", machine="L1"))
    await report(historian, response("CO-3/1-10", "completed", good=4, machine="L2"))
    shown = {"L1": "CO-2/1-10", "L2": "CO-3/1-10", "MILL": "CO-3/1-20", "OVEN": None}
    found = await order_entry.jobs_on_machines(historian, PLANNER, shown)
    assert {machine: [one.job.id for one in told] for machine, told in found.items()} == {
        "L1": ["CO-1/1-10", "CO-2/1-10"],  # a batch
        "MILL": ["CO-3/1-20"],  # what it waits for
    }
