"""The dashboard on its server: its addresses, and that nothing of the plant gets out without an identity."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from dashboard.app import PAGES, build
from tests.dashboard.factory import MemoryLive, MemoryViews
from tests.dashboard.serving import CookieGate, server_for


@pytest.fixture
def views() -> MemoryViews:
    return MemoryViews(MemoryLive())


@pytest.fixture
def client(views: MemoryViews) -> Iterator[TestClient]:
    with TestClient(CookieGate(server_for(views, views.live)), follow_redirects=False) as client:
        client.cookies.set("user", "anna")
        yield client


@pytest.fixture
def ungated(views: MemoryViews) -> Iterator[TestClient]:
    with TestClient(server_for(views, views.live)) as client:
        yield client


def _value(prop: str) -> Any:
    return {"pathname": "/", "search": "", "n_clicks": 1, "data": {"a": "b"}}.get(prop, "a plan, or a reason")


def _dependency(text: str) -> dict[str, Any]:
    component: Any
    component, prop = text.rsplit(".", 1)
    component = json.loads(component) if component.startswith("{") else component
    return {"id": component, "property": prop.split("@")[0], "value": _value(prop)}


def _given(one: dict[str, Any]) -> Any:
    """Return an input as the browser sends it: a list where any number of components may be meant."""
    given = {**one, "value": _value(one["property"])}
    return [given] if "ALL" in one["id"] else given


def _calls(client: TestClient) -> list[dict[str, Any]]:
    """Return a request for every callback the server runs."""
    calls = []
    for callback in client.get("/_dash-dependencies").json():
        if callback["clientside_function"] is None:
            output = callback["output"]
            outputs = [_dependency(one) for one in output.strip(".").split("...")] if not callback["no_output"] else []
            inputs = [_given(one) for one in callback["inputs"]]
            state = [{**one, "value": _value(one["property"])} for one in callback["state"]]
            calls.append(
                {
                    "output": output,
                    "outputs": outputs if output.startswith("..") else (outputs or [None])[0],
                    "inputs": inputs,
                    "state": state,
                    "changedPropIds": [f"{one['id']}.{one['property']}" for one in callback["inputs"]],
                }
            )
    return calls


@pytest.mark.parametrize("path", [page.PATH for page in PAGES])
def test_every_page_is_the_same_document_without_anything_of_the_plant(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert "_dash-config" in answer.text
    layout = client.get("/_dash-layout").text
    for secret in ("M01", "anna", "Machine shop", "CO-1001"):
        assert secret not in answer.text
        assert secret not in layout


def test_other_addresses_are_not_answered_as_if_they_were_pages(client: TestClient) -> None:
    assert client.get("/nothing/here").status_code == 404
    api = client.get("/api/v1/nothing")
    assert (api.status_code, api.json()) == (404, {"detail": "there is no /api/v1/nothing"})
    assert client.get("/api/v1/ping").json() == "pong"


def test_the_first_document_is_in_the_readers_language(client: TestClient) -> None:
    assert '<html lang="zh">' in client.get("/", headers={"accept-language": "zh-CN"}).text
    assert '<html lang="en">' in client.get("/").text


def test_the_gate_stands_before_every_callback(client: TestClient) -> None:
    client.cookies.clear()
    assert client.get("/plan").headers["location"] == "/login"
    assert client.post("/_dash-update-component", json={}).status_code == 401
    assert client.get("/assets/login/login.css").status_code == 200
    assert client.get("/assets/floor.css").status_code == 303


def test_no_callback_tells_or_does_anything_without_an_identity(ungated: TestClient, views: MemoryViews) -> None:
    ungated.get("/")
    calls = _calls(ungated)
    assert len(calls) == len({call["output"] for call in calls}) == 33
    for call in calls:
        answer = ungated.post("/_dash-update-component", json=call)
        assert answer.status_code == 200, call["output"]
        assert "Your session has ended" in answer.text, call["output"]
        for secret in ("M01", "CO-1", "Machine shop", "anna"):
            assert secret not in answer.text, call["output"]
    assert views.asked == []
    assert views.jobs == []


def test_a_fault_of_our_own_is_logged_and_told_without_its_words(
    client: TestClient, views: MemoryViews, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def broken() -> None:
        raise ZeroDivisionError("secret words")

    monkeypatch.setattr(views, "floor", broken)
    client.get("/")
    call = next(one for one in _calls(client) if "page.children" in one["output"])
    answer = client.post("/_dash-update-component", json=call)
    assert "This is a fault in Forerun." in answer.text
    assert "secret words" not in answer.text
    assert "secret words" in capsys.readouterr().out


def test_a_request_that_dash_cannot_read_is_logged_and_told_without_its_words(client: TestClient) -> None:
    with capture_logs() as logged:
        answer = client.post("/_dash-update-component", content="{secret", headers={"content-type": "application/json"})
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert [(one["event"], one["path"]) for one in logged] == [("page failed", "/_dash-update-component")]


def test_two_dashboards_live_in_one_process(views: MemoryViews) -> None:
    first, second = FastAPI(), FastAPI()
    build(first, views, views.live)
    build(second, views, views.live)
    for server in (first, second):
        with TestClient(server) as client:
            assert client.get("/health").status_code == 200
            assert client.get("/nowhere").status_code == 404
