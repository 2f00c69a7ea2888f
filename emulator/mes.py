"""The reference MES and the plant's clock over REST: job orders in, commands for tests, and the log of the truth."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Protocol

from fastapi import FastAPI, Header, Query, Request
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from emulator.events import DispatchedJob, FloorJob, StoreResult, to_dict
from plant.clock import Anchor
from plant.errors import Conflict, ForerunError, InvalidInput, NotFound

_LOG_LIMIT = 10_000
_STATUS: dict[type[ForerunError], int] = {NotFound: 404, Conflict: 409, InvalidInput: 422}
Text = Annotated[str, Field(min_length=1, max_length=200)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class JobOrderBody(_Body):
    """A job order as it is dispatched; times carry their zone."""

    revision: int = Field(ge=0)
    machine: Text
    item: Text
    operation: Text
    quantity: int = Field(gt=0)
    setup_family: Text
    planned_start: AwareDatetime
    planned_end: AwareDatetime
    sequence: int
    production_order: Text
    customer_order: Text
    release_at: AwareDatetime
    batch: str | None = None
    predecessors: list[Text] = []

    def job(self, job_order: str) -> DispatchedJob:
        """Return the job order for the floor."""
        values: dict[str, Any] = {name: getattr(self, name) for name in type(self).model_fields}
        times = {name: _utc(values[name]) for name in ("planned_start", "planned_end", "release_at")}
        return DispatchedJob(id=job_order, **{**values, **times, "predecessors": tuple(self.predecessors)})


class BreakBody(_Body):
    """Break a machine now; without a duration it stays broken until it is repaired."""

    machine: Text
    duration_s: float | None = Field(None, gt=0)


class RepairBody(_Body):
    """Repair a machine now."""

    machine: Text


class AbortBody(_Body):
    """Give up a job order."""

    job_order: Text
    reason: str = "aborted by command"


class Shop(Protocol):
    """What the MES has behind it: `emulator.factory.Factory`."""

    @property
    def anchor(self) -> Anchor:
        """The clock's anchor."""
        ...

    def store(self, job: DispatchedJob, key: str | None) -> StoreResult:
        """Store or update a job order; the same idempotency key again gets the same answer."""
        ...

    def jobs(self) -> tuple[FloorJob, ...]:
        """Return all job orders."""
        ...

    def job(self, job_order: str) -> FloorJob:
        """Return one job order, or raise `NotFound`."""
        ...

    def break_machine(self, machine: str, duration_s: float | None) -> None:
        """Break a machine now."""
        ...

    def repair(self, machine: str) -> None:
        """Repair a machine now."""
        ...

    def abort(self, job_order: str, reason: str) -> None:
        """Give up a job order now."""
        ...

    def log_since(self, number: int, limit: int) -> list[dict[str, Any]]:
        """Return the truth log's entries behind `number`."""
        ...


def build_api(shop: Shop, health: Callable[[], dict[str, Any]]) -> FastAPI:
    """Return the REST application of one emulated plant; `health` tells what waits for others."""
    api = FastAPI(title="Emulated plant: reference MES, clock and commands", openapi_url="/openapi.json", docs_url=None)
    for kind, status in _STATUS.items():
        api.add_exception_handler(kind, _refusal(status))
    _add_clock(api, shop, health)
    _add_job_orders(api, shop)
    _add_commands(api, shop)
    return api


def _add_clock(api: FastAPI, shop: Shop, health: Callable[[], dict[str, Any]]) -> None:
    @api.get("/clock")
    async def clock() -> dict[str, Any]:
        anchor = shop.anchor
        return {"plant": anchor.plant.isoformat(), "wall": anchor.wall.isoformat(), "rate": anchor.rate}

    @api.get("/healthz")
    async def healthz() -> dict[str, Any]:
        return {"status": "ok", **health()}

    @api.get("/log")
    async def log(
        since: Annotated[int, Query(ge=0)] = 0, limit: Annotated[int, Query(ge=1, le=_LOG_LIMIT)] = _LOG_LIMIT
    ) -> list[dict[str, Any]]:
        return shop.log_since(since, limit)


def _add_job_orders(api: FastAPI, shop: Shop) -> None:
    # Job order ids hold slashes, such as CO-1001/1-10.
    @api.put("/job-orders/{job_order:path}")
    async def put_job_order(
        job_order: str, body: JobOrderBody, idempotency_key: Annotated[str | None, Header()] = None
    ) -> dict[str, Any]:
        try:
            result = shop.store(body.job(job_order), idempotency_key)
        except NotFound as error:  # what the body names is missing, not what the address names
            raise InvalidInput(str(error)) from error
        if result is StoreResult.BEGUN:
            raise Conflict(f"job order {job_order} has begun or is complete and cannot be changed any more")
        return {"id": job_order, "result": str(result)}

    @api.get("/job-orders")
    async def job_orders() -> list[dict[str, Any]]:
        return [_view(job) for job in shop.jobs()]

    @api.get("/job-orders/{job_order:path}")
    async def job_order(job_order: str) -> dict[str, Any]:
        return _view(shop.job(job_order))


def _add_commands(api: FastAPI, shop: Shop) -> None:
    @api.post("/commands/break", status_code=202)
    async def break_machine(body: BreakBody) -> dict[str, Any]:
        shop.break_machine(body.machine, body.duration_s)
        return {"machine": body.machine}

    @api.post("/commands/repair", status_code=202)
    async def repair(body: RepairBody) -> dict[str, Any]:
        shop.repair(body.machine)
        return {"machine": body.machine}

    @api.post("/commands/abort", status_code=202)
    async def abort(body: AbortBody) -> dict[str, Any]:
        shop.abort(body.job_order, body.reason)
        return {"job_order": body.job_order}


def _view(known: FloorJob) -> dict[str, Any]:
    values = {name: value for name, value in to_dict(known).items() if name != "job"}
    return {**to_dict(known.job), **values}


def _refusal(status: int) -> Callable[[Request, Exception], JSONResponse]:
    def answer(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, status_code=status)

    return answer


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
