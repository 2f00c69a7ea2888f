"""Request bodies: what the outside sends, checked for form here and for sense by the nouns they become."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from plant.order import CustomerOrder, JobResponse, Priority, ResponseKind


def _to_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("lies outside of the calendar") from None


Moment = Annotated[AwareDatetime, AfterValidator(_to_utc)]
"""A time with its zone; the noun made of it is in UTC."""


class Body(BaseModel):
    """A request body; unknown fields are refused, so that a misspelt one is not silently ignored."""

    model_config = ConfigDict(extra="forbid")


class OrderBody(Body):
    """A customer order."""

    id: str = Field(examples=["CO-2001"], max_length=100)
    customer: str = Field(max_length=200)
    item: str = Field(max_length=100)
    quantity: int = Field(gt=0, le=1_000_000)
    ordered_at: Moment | None = Field(None, description="plant time; now when left out")
    due_at: Moment
    priority: Priority = Priority.NORMAL

    def to_order(self, now: datetime) -> CustomerOrder:
        """Return the noun."""
        return CustomerOrder(
            id=self.id,
            customer=self.customer,
            item=self.item,
            quantity=self.quantity,
            ordered_at=self.ordered_at or now,
            due_at=self.due_at,
            priority=self.priority,
        )


class JobResponseBody(Body):
    """What the MES says of a job order. The same id again changes nothing."""

    id: str = Field(description="UUID made by the sender", max_length=64)
    job_order: str = Field(max_length=200)
    kind: ResponseKind
    at: Moment
    machine: str = Field(max_length=100)
    good: int = Field(0, ge=0)
    scrap: int = Field(0, ge=0)
    reason: str = Field("", max_length=2000)

    def to_response(self) -> JobResponse:
        """Return the noun."""
        return JobResponse(**self.model_dump())


class PlanRequestBody(Body):
    """Why a plan is asked for."""

    reason: str = Field(min_length=1, max_length=500, examples=["new orders"])


class ReleaseBody(Body):
    """How to release: as the gate says, or over it with a written reason."""

    override_reason: str | None = Field(None, max_length=2000)
