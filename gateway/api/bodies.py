"""Request bodies: what the outside sends, checked for form here and for sense by the nouns they become."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from operations.promises import Question
from plant.naming import LONGEST_ORDER_ID
from plant.order import CustomerOrder, JobResponse, Priority, ResponseKind


def _to_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("lies outside of the calendar") from None


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not hold the character NUL")
    return text


Text = Annotated[str, AfterValidator(_storable)]
"""A text that can be kept."""
Id = Text
"""An id in a path or a query."""
Moment = Annotated[AwareDatetime, AfterValidator(_to_utc)]
"""A time with its zone; the noun made of it is in UTC."""
_Count = Annotated[int, Field(ge=0, lt=2**31)]


class Body(BaseModel):
    """A request body; unknown fields are refused, so that a misspelt one is not silently ignored."""

    model_config = ConfigDict(extra="forbid")


class OrderBody(Body):
    """A customer order."""

    id: str = Field(examples=["CO-2001"], max_length=LONGEST_ORDER_ID)
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


class PromiseBody(Body):
    """What a customer wants to know."""

    item: Text = Field(max_length=100)
    quantity: int = Field(gt=0, le=1_000_000)
    due_at: Moment | None = Field(None, description="the date they wish for")
    priority: Priority = Priority.NORMAL
    replan: bool = Field(False, description="look, besides, for a plan in which other orders give way")

    def to_question(self) -> Question:
        """Return the question."""
        return Question(**self.model_dump())


class JobResponseBody(Body):
    """What the MES says of a job order. The same id again changes nothing."""

    id: UUID = Field(description="UUID made by the sender")
    job_order: Text = Field(max_length=200)
    kind: ResponseKind
    at: Moment
    machine: Text = Field(max_length=100)
    good: _Count = 0
    scrap: _Count = 0
    reason: Text = Field("", max_length=2000)

    def to_response(self) -> JobResponse:
        """Return the noun."""
        return JobResponse(**(self.model_dump() | {"id": str(self.id)}))


class PlanRequestBody(Body):
    """Why a plan is asked for."""

    reason: Text = Field(min_length=1, max_length=500, examples=["new orders"])


class ReleaseBody(Body):
    """How to release: as the gate says, or over it with a written reason."""

    override_reason: Text | None = Field(None, max_length=2000)


class AbsenceBody(Body):
    """Somebody is not there."""

    person: Text = Field(max_length=100)
    start: Moment
    end: Moment


class PlannedStopBody(Body):
    """A machine will be stopped."""

    machine: Text = Field(max_length=100)
    start: Moment
    end: Moment


class LateMaterialBody(Body):
    """A purchased item comes later than planned."""

    item: Text = Field(max_length=100)
    until: Moment = Field(description="plant time at which it is expected")


class LockBody(Body):
    """A job order fixed to a machine and a start."""

    job_order: Id
    machine: Id
    start_at: Moment = Field(description="plant time at which the machine begins with it, changeover included")


class WhyNotBody(Body):
    """Orders that should be done in time."""

    orders: list[Id] = Field(min_length=1, max_length=100)
    by: Moment | None = Field(None, description="one date for all; their due dates when left out")


class CalibrationRequestBody(Body):
    """How much history a calibration rests on, in plant days up to now."""

    days: float = Field(30.0, gt=0, le=3650)
