"""Our errors as HTTP answers: problem details by RFC 9457, one status per class of the error tree."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from plant import errors

_STATUS: tuple[tuple[type[errors.ForerunError], int, str], ...] = (
    (errors.NotAuthenticated, 401, "not authenticated"),
    (errors.Denied, 403, "denied"),
    (errors.NotFound, 404, "not found"),
    (errors.GateRefused, 409, "refused by the gate"),
    (errors.Conflict, 409, "conflict"),
    (errors.Infeasible, 422, "infeasible"),
    (errors.InvalidInput, 422, "invalid input"),
    (errors.Unavailable, 503, "unavailable"),
    (errors.Cancelled, 409, "cancelled"),
)


def problem(status: int, title: str, detail: str, **more: object) -> JSONResponse:
    """Return one problem-details answer."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return JSONResponse(jsonable_encoder(body), status, headers, media_type="application/problem+json")


def answer(error: errors.ForerunError) -> JSONResponse:
    """Return the answer to one of our errors."""
    for kind, status, title in _STATUS:
        if isinstance(error, kind):
            reasons = (
                {"reasons": [str(reason) for reason in error.reasons]} if isinstance(error, errors.GateRefused) else {}
            )
            return problem(status, title, str(error), **reasons)
    return problem(500, "internal error", "something went wrong on our side; the log says what")


def install(app: FastAPI) -> None:
    """Make `app` answer errors with problem details."""

    async def ours(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, errors.ForerunError)
        return answer(error)

    async def body(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        wrong = [
            {"where": ".".join(str(part) for part in item["loc"]), "reason": item["msg"]} for item in error.errors()
        ]
        detail = "; ".join(f"{item['where']}: {item['reason']}" for item in wrong)
        return problem(422, "invalid input", detail, problems=wrong)

    async def http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        answered = problem(error.status_code, str(error.detail).lower(), f"{request.method} {request.url.path}")
        answered.headers.update(error.headers or {})
        return answered

    async def fault(request: Request, error: Exception) -> JSONResponse:
        return answer(errors.ForerunError())  # the server logs it

    app.add_exception_handler(Exception, fault)
    app.add_exception_handler(errors.ForerunError, ours)
    app.add_exception_handler(RequestValidationError, body)
    app.add_exception_handler(HTTPException, http)
