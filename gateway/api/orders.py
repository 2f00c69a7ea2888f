"""Customer orders and job orders."""

from __future__ import annotations

from fastapi import APIRouter

from gateway.api.bodies import JobResponseBody, OrderBody
from gateway.services import Asking, WithServices
from operations import completion, orders
from plant.order import CustomerOrder, JobProgress

router = APIRouter()


@router.post("/orders", status_code=201, tags=["orders"])
async def enter_order(body: OrderBody, asking: Asking, has: WithServices) -> CustomerOrder:
    """Enter a customer order. The same order again changes nothing."""
    return await orders.enter(has.store, asking, body.to_order(has.clock.now()))


@router.get("/orders", tags=["orders"])
async def list_orders(asking: Asking, has: WithServices) -> list[CustomerOrder]:
    """List customer orders by due date."""
    return await orders.list_orders(has.store, asking)


@router.get("/job-orders", tags=["job orders"])
async def list_jobs(asking: Asking, has: WithServices, customer_order: str | None = None) -> list[JobProgress]:
    """List job orders with their progress."""
    return await orders.list_jobs(has.store, asking, customer_order)


@router.post("/job-responses", tags=["job orders"])
async def report_job(body: JobResponseBody, asking: Asking, has: WithServices) -> JobProgress:
    """Take in a job response and return the job order's progress. The same response again changes nothing."""
    return await completion.record(has.store, asking, body.to_response(), has.clock.now())
