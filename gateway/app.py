"""The web application: REST under `/api/v1`, health, metrics, login; pages are mounted by the wiring."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from gateway import login, problems
from gateway.api import calibrations, disturbances, fidelity, floor, learned, locks, orders, plans
from gateway.services import Asking, Services, WithServices
from plant.actor import Permission
from plant.errors import NotFound

API = "/api/v1"

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def build(services: Services, login_pages: login.LoginPages, lifespan: Lifespan) -> FastAPI:
    """Return the application; put `gateway.gate.Gate` in front of it before serving."""
    app = FastAPI(
        title="Forerun",
        version="1",
        description="Orders, job orders, plans, machine states, OEE and health of a make-to-order factory.",
        openapi_url=f"{API}/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.services = services
    problems.install(app)
    for module in (orders, plans, locks, disturbances, calibrations, learned, floor, fidelity):
        app.include_router(module.router, prefix=API)
    app.include_router(login.router(login_pages))
    _add_operations_endpoints(app)

    @app.api_route("/api/{path:path}", methods=["GET", "HEAD"], include_in_schema=False)
    async def unknown_api(path: str) -> None:
        # The pages answer any other GET; a misspelt API path must not look like a page.
        raise NotFound(f"there is no /api/{path}; see {API}/openapi.json")

    return app


def _add_operations_endpoints(app: FastAPI) -> None:
    @app.get("/healthz", include_in_schema=False)
    async def alive() -> PlainTextResponse:
        return PlainTextResponse("ok")

    @app.get("/readyz", include_in_schema=False)
    async def ready(has: WithServices) -> JSONResponse:
        parts = await has.readiness()
        return JSONResponse(parts, 200 if all(state == "ok" for state in parts.values()) else 503)

    @app.get("/metrics", include_in_schema=False)
    async def metrics(asking: Asking) -> Response:
        asking.require(Permission.VIEW_FLOOR)
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
