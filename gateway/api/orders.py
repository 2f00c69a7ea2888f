"""Customer orders and job orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from gateway.api.bodies import Id, JobResponseBody, OrderBody, PromiseBody
from gateway.services import Asking, WithServices
from operations import completion, orders, outbox, promises
from operations.promise import Offer
from plant.message import OutboxMessage, RefusedMessage
from plant.order import CustomerOrder, JobProgress
from plant.text import Text

router = APIRouter()


@router.post("/orders", status_code=201, tags=["orders"])
async def enter_order(body: OrderBody, asking: Asking, has: WithServices) -> CustomerOrder:
    """Enter a customer order. The same order again changes nothing."""
    return await orders.enter(has.store, asking, body.to_order(has.clock.now()), dated=body.ordered_at is not None)


@router.get("/orders", tags=["orders"])
async def list_orders(asking: Asking, has: WithServices) -> list[CustomerOrder]:
    """List customer orders by due date."""
    return await orders.list_orders(has.store, asking)


@router.post("/promises", tags=["orders"])
async def ask_for_promise(body: PromiseBody, asking: Asking, has: WithServices) -> dict[str, Any]:
    """Return when an order could be delivered, with what its date hangs on. Nothing is kept."""
    found = await promises.ask(has.store, has.compute, has.clock, asking, has.rules, body.to_question())
    return {
        "inserted": _offer(found.promise.inserted, found.inserted),
        "replanned": _offer(found.promise.replanned, found.replanned),
        "impossible": [str(one) for one in found.impossible],
    }


def _offer(offer: Offer | None, sentences: Sequence[Text]) -> dict[str, Any] | None:
    return None if offer is None else {**asdict(offer), "sentences": [str(one) for one in sentences]}


@router.get("/job-orders", tags=["job orders"])
async def list_jobs(asking: Asking, has: WithServices, customer_order: Id | None = None) -> list[JobProgress]:
    """List job orders with their progress."""
    return await orders.list_jobs(has.store, asking, customer_order)


@router.post("/job-responses", tags=["job orders"])
async def report_job(body: JobResponseBody, asking: Asking, has: WithServices) -> JobProgress:
    """Take in a job response and return the job order's progress. The same response again changes nothing."""
    return await completion.record(has.store, asking, body.to_response(), has.clock.now())


@router.get("/refused-messages", tags=["job orders"])
async def list_refused(asking: Asking, has: WithServices) -> list[RefusedMessage]:
    """List the job orders' messages that the MES refused for good, with its reasons."""
    return await outbox.refused(has.store, asking)


@router.post("/refused-messages/{message_id}/send-again", status_code=202, tags=["job orders"])
async def send_again(message_id: Id, asking: Asking, has: WithServices) -> OutboxMessage:
    """Send a refused message once more, under a new id."""
    return await outbox.send_again(has.store, asking, message_id)
