"""The gateway in this process behind its gate, on a real database: asked as machines and browsers ask."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from dashboard import login as login_pages
from gateway import app as gateway_app
from gateway.gate import Gate
from gateway.services import Services
from historian.database import Historian
from operations import access
from plant.actor import Actor, Role
from plant.errors import Unavailable
from runtime.compute import InlineCompute
from tests.operations.shop import RULES, Clock, Queue, order, with_orders

HOST = "http://localhost"
ADMIN = Actor("root", frozenset({Role.ADMIN}))
PASSWORD = "correct horse battery"


class Authenticator:
    """Finds actors in the historian, unless the database is told to be away."""

    def __init__(self, historian: Historian) -> None:
        self._historian = historian
        self.away = False

    async def by_session(self, token: str) -> Actor:
        self._check()
        return await access.by_session(self._historian, token)

    async def by_api_key(self, key: str) -> Actor:
        self._check()
        return await access.by_api_key(self._historian, key)

    def _check(self) -> None:
        if self.away:
            raise Unavailable("the database does not answer")


class Site:
    """A site with an order, a planner who logs in with `PASSWORD`, and API keys for roles."""

    def __init__(self, historian: Historian) -> None:
        self.historian = historian
        self.clock, self.queue = Clock(), Queue()
        self.parts = {"database": "ok"}
        self.authenticator = Authenticator(historian)
        services = Services(historian, self.clock, self.queue, RULES, InlineCompute(), self._readiness)
        self.app: FastAPI = gateway_app.build(services, login_pages, _lifespan)
        self.gate = Gate(self.app, self.authenticator, frozenset({"localhost"}))

    async def _readiness(self) -> dict[str, str]:
        return self.parts

    def browser(self, **headers: str) -> httpx.AsyncClient:
        """Return a client that keeps cookies and follows nothing."""
        transport = httpx.ASGITransport(self.gate, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=HOST, headers=headers)

    async def machine(self, *roles: Role) -> httpx.AsyncClient:
        """Return a client with an API key of these roles."""
        key = await access.create_api_key(self.historian, ADMIN, "-".join(["key", *roles]), frozenset(roles))
        return self.browser(authorization=f"Bearer {key}")


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield


@pytest.fixture
async def site(historian: Historian, monkeypatch: pytest.MonkeyPatch) -> Site:
    cheap = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=64, parallelism=1),))
    monkeypatch.setattr(access, "_hasher", cheap)
    await with_orders(historian, order("CO-1"))
    await access.create_account(historian, ADMIN, "anna", PASSWORD, frozenset({Role.PLANNER}))
    return Site(historian)
