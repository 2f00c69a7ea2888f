"""Logging in and out as a browser does."""

from __future__ import annotations

import httpx
import pytest

from gateway.gate import SESSION_COOKIE
from gateway.login import Throttle
from tests.gateway.conftest import PASSWORD, Site

OURS = {"origin": "http://localhost"}


async def _log_in(
    client: httpx.AsyncClient, name: str = "anna", password: str = PASSWORD, **params: str
) -> httpx.Response:
    return await client.post("/login", data={"name": name, "password": password}, params=params, headers=OURS)


async def test_a_login_sets_a_cookie_scripts_cannot_read_and_leads_on(site: Site) -> None:
    async with site.browser() as client:
        answer = await _log_in(client, next="/plan?id=plan-1")
        assert (answer.status_code, answer.headers["location"]) == (303, "/plan?id=plan-1")
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert (await client.get("/api/v1/orders")).status_code == 200


async def test_over_https_the_cookie_stays_on_https(site: Site) -> None:
    async with site.browser() as client:
        answer = await client.post("https://localhost/login", data={"name": "anna", "password": PASSWORD})
        assert "secure" in answer.headers["set-cookie"].lower()


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "http://evil.example", "/\\evil.example", "javascript:alert(1)", "\\\\evil", "", "/\n/x"],
)
async def test_a_login_never_leads_to_another_site(site: Site, target: str) -> None:
    async with site.browser() as client:
        answer = await _log_in(client, next=target)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


async def test_wrong_name_and_wrong_password_look_alike(site: Site) -> None:
    async with site.browser() as client:
        pages = []
        for name, password in (("anna", "wrong"), ("bobb", PASSWORD), ("bobb", "wrong"), ("an\0a", PASSWORD)):
            answer = await _log_in(client, name, password)
            assert answer.status_code == 401
            assert "set-cookie" not in answer.headers
            assert password not in answer.text
            pages.append(answer.text.replace(name, "NAME"))
    assert len(set(pages)) == 1


async def test_what_was_typed_is_shown_as_text(site: Site) -> None:
    async with site.browser() as client:
        answer = await _log_in(client, '"><script>alert(1)</script>', "wrong")
    assert "<script>alert" not in answer.text


async def test_logging_out_ends_the_session(site: Site) -> None:
    async with site.browser() as client:
        await _log_in(client)
        token = client.cookies[SESSION_COOKIE]
        answer = await client.post("/logout", headers=OURS)
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")
        assert SESSION_COOKIE not in client.cookies
        client.cookies.set(SESSION_COOKIE, token)
        assert (await client.get("/api/v1/orders")).status_code == 401


async def test_guessing_becomes_slow_for_the_name_guessed_and_no_other(site: Site) -> None:
    async with site.browser() as client:
        statuses = [(await _log_in(client, password=f"guess {n}")).status_code for n in range(8)]
        assert statuses == [401] * 5 + [429] * 3
        refused = await _log_in(client)
        assert refused.status_code == 429
        assert "set-cookie" not in refused.headers
        assert (await _log_in(client, "bobb", "wrong")).status_code == 401


@pytest.mark.parametrize("form", [{}, {"name": "anna"}, {"name": "a" * 300, "password": "x"}])
async def test_a_form_that_is_none_is_refused(site: Site, form: dict[str, str]) -> None:
    async with site.browser() as client:
        assert (await client.post("/login", data=form, headers=OURS)).status_code == 422


class TestThrottle:
    def test_waits_double_and_end_with_success(self) -> None:
        throttle = Throttle()
        waits = []
        for _ in range(30):
            throttle.failed("anna")
            waits.append(throttle.wait_s("anna"))
        assert waits[:4] == [0.0] * 4
        assert all(0 < wait <= 2.0**n for n, wait in enumerate(waits[4:12]))
        assert 800 < waits[-1] <= 900
        throttle.succeeded("anna")
        assert throttle.wait_s("anna") == 0

    def test_it_remembers_so_many_names_and_not_more(self) -> None:
        throttle = Throttle()
        for n in range(10_100):
            throttle.failed(f"name {n}")
        for _ in range(10):
            throttle.failed("name 10099")
        assert throttle.wait_s("name 10099") > 0
        assert throttle.wait_s("name 10098") == 0
        assert len(throttle._failures) == 10_000
