"""The gate: nobody unknown, no other site's pages, nothing oversized; and what it tells browsers about our pages."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from gateway.gate import SESSION_COOKIE, Gate
from operations import access
from operations.access import current_actor
from plant.actor import Role
from tests.gateway.conftest import HOST, PASSWORD, Site
from tests.operations.shop import order

OURS = {"origin": HOST}


async def _logged_in(site: Site, **headers: str) -> httpx.AsyncClient:
    client = site.browser(**headers)
    client.cookies.set(SESSION_COOKIE, await access.log_in(site.historian, "anna", PASSWORD))
    return client


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "", "[", "[::1", "127.0.0.1", "a@localhost:x"]
)
async def test_another_host_name_is_refused(site: Site, host: str) -> None:
    answer = await site.browser().get("/healthz", headers={"host": host})
    assert answer.status_code == 400
    assert answer.json()["title"] == "unknown host"


@pytest.mark.parametrize("host", ["localhost", "localhost:8050", "LOCALHOST"])
async def test_our_host_name_is_served_on_any_port(site: Site, host: str) -> None:
    assert (await site.browser().get("/healthz", headers={"host": host})).text == "ok"


@pytest.mark.parametrize("path", ["/api/v1/orders", "/api/nope", "/_dash-layout", "/metrics"])
async def test_programs_without_identity_get_401_with_problem_details(site: Site, path: str) -> None:
    answer = await site.browser().get(path)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["title"] == "not authenticated"


@pytest.mark.parametrize("key", ["", "fr_unknown", "nonsense", "fr_\u00e9"])
async def test_a_wrong_api_key_is_401_even_beside_a_session(site: Site, key: str) -> None:
    client = await _logged_in(site)
    answer = await client.get("/api/v1/orders", headers={"authorization": f"Bearer {key}".encode("latin-1")})
    assert answer.status_code == 401


async def test_a_page_without_session_leads_to_the_login_and_back(site: Site) -> None:
    answer = await site.browser().get("/plan?id=plan-1&x=%2F")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=/plan%3Fid%3Dplan-1%26x%3D%252F"


async def test_a_known_person_gets_in_and_reads_from_anywhere(site: Site) -> None:
    client = await _logged_in(site)
    answer = await client.get("/api/v1/orders")
    assert [one["id"] for one in answer.json()] == ["CO-1"]


async def test_an_ended_session_is_401(site: Site) -> None:
    client = site.browser()
    client.cookies.set(SESSION_COOKIE, "no such session")
    assert (await client.get("/api/v1/orders")).status_code == 401
    broken = {"cookie": f"{SESSION_COOKIE}; =;\x01"}
    assert (await site.browser(**broken).get("/api/v1/orders")).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://evil.example"},
        {"origin": "http://localhost:9999"},
        {"origin": "null"},
        {"origin": "http://["},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
async def test_a_cookie_does_not_change_anything_for_another_sites_page(site: Site, headers: dict[str, str]) -> None:
    client = await _logged_in(site)
    answer = await client.post("/api/v1/plans", json={"reason": "forged"}, headers=headers)
    assert answer.status_code == 401
    assert "another site" in answer.json()["detail"]
    assert site.queue.deferred == []


@pytest.mark.parametrize("headers", [OURS, {"sec-fetch-site": "same-origin"}])
async def test_our_own_page_may(site: Site, headers: dict[str, str]) -> None:
    client = await _logged_in(site)
    assert (await client.post("/api/v1/plans", json={"reason": "ours"}, headers=headers)).status_code == 202


async def test_a_machine_needs_no_origin(site: Site) -> None:
    async with await site.machine(Role.PLANNER) as client:
        assert (await client.post("/api/v1/plans", json={"reason": "nightly"})).status_code == 202


@pytest.mark.parametrize("headers", [{"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"}])
async def test_another_sites_page_logs_nobody_in(site: Site, headers: dict[str, str]) -> None:
    form = {"name": "anna", "password": PASSWORD}
    answer = await site.browser().post("/login", data=form, headers=headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


async def test_a_database_that_is_away_is_503(site: Site) -> None:
    client = await _logged_in(site)
    site.authenticator.away = True
    answer = await client.get("/api/v1/orders")
    assert (answer.status_code, answer.json()["title"]) == (503, "unavailable")
    assert (await client.get("/healthz")).text == "ok"


class TestBodies:
    """What is sent is not read without end."""

    async def test_an_announced_body_that_is_too_large_is_refused_unread(self, site: Site) -> None:
        async def body() -> Any:
            raise AssertionError("read")
            yield b""

        answer = await site.browser(**{"content-length": str(100 << 20)}).post("/login", content=body())
        assert answer.status_code == 413
        assert "larger than 4 MB" in answer.json()["detail"]

    @pytest.mark.parametrize("path", ["/api/v1/orders", "/login"])
    async def test_one_that_grows_too_large_is_not_read_to_its_end(self, site: Site, path: str) -> None:
        sent = 0

        async def body() -> Any:
            nonlocal sent
            for _ in range(100):
                sent += 1 << 20
                yield b" " * (1 << 20)

        async with await site.machine(Role.PLANNER) as client:
            kind = {"content-type": "application/json" if "api" in path else "application/x-www-form-urlencoded"}
            answer = await client.post(path, content=body(), headers=kind)
        assert answer.status_code in {400, 413}  # forms have narrower limits of their own
        assert sent <= 6 << 20

    async def test_a_large_one_within_the_limit_is_read(self, site: Site) -> None:
        async with await site.machine(Role.PLANNER) as client:
            answer = await client.post("/api/v1/orders", json={"id": "x" * (3 << 20)})
        assert answer.status_code == 422

    @pytest.mark.parametrize("length", ["-1", "9" * 30, "x", "1.5"])
    async def test_nonsense_for_a_length_is_no_way_round_it(self, site: Site, length: str) -> None:
        async with await site.machine(Role.SALES) as client:
            answer = await client.post("/api/v1/orders", json={}, headers={"content-length": length})
        assert answer.status_code in {413, 422}


@pytest.mark.parametrize("path", ["/login", "/healthz", "/api/v1/orders", "/plan"])
async def test_every_answer_tells_browsers_what_our_pages_may_do(site: Site, path: str) -> None:
    answer = await site.browser().get(path)
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["object-src"] == policy["base-uri"] == "'none'"
    assert "unsafe-eval" not in policy["script-src"]
    assert "http" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "same-origin"


class TestWebsocket:
    """Sockets come with cookies, too: no other site's page may open one."""

    async def _open(self, site: Site, *headers: tuple[bytes, bytes]) -> list[dict[str, Any]]:
        heard: list[dict[str, Any]] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            heard.append({"type": "let in", "actor": current_actor.get().name})

        async def receive() -> dict[str, Any]:
            return {"type": "websocket.connect"}

        async def send(message: Any) -> None:
            heard.append(message)

        scope = {
            "type": "websocket",
            "path": "/live",
            "query_string": b"",
            "headers": [(b"host", b"localhost"), *headers],
        }
        await Gate(app, site.authenticator, frozenset({"localhost"}))(scope, receive, send)
        return heard

    async def _cookie(self, site: Site) -> tuple[bytes, bytes]:
        return b"cookie", f"{SESSION_COOKIE}={await access.log_in(site.historian, 'anna', PASSWORD)}".encode()

    async def test_without_session_it_is_closed_with_4401(self, site: Site) -> None:
        (closed,) = await self._open(site, (b"origin", HOST.encode()))
        assert (closed["type"], closed["code"]) == ("websocket.close", 4401)

    @pytest.mark.parametrize("origin", [b"http://evil.example", b"null", None])
    async def test_from_another_sites_page_it_is_closed(self, site: Site, origin: bytes | None) -> None:
        headers = [await self._cookie(site)] + ([(b"origin", origin)] if origin else [])
        (closed,) = await self._open(site, *headers)
        assert (closed["type"], closed["code"]) == ("websocket.close", 4401)

    async def test_our_own_page_is_let_in(self, site: Site) -> None:
        heard = await self._open(site, await self._cookie(site), (b"origin", HOST.encode()))
        assert heard == [{"type": "let in", "actor": "anna"}]


async def test_the_actor_is_forgotten_after_the_request(site: Site) -> None:
    async with await site.machine(Role.SALES) as client:
        body = {"id": "CO-2", "customer": "x", "item": "shaft", "quantity": 1, "due_at": order().due_at.isoformat()}
        assert (await client.post("/api/v1/orders", json=body)).status_code == 201
    with pytest.raises(LookupError):
        current_actor.get()
