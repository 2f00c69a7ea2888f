"""The socket: who may listen, what is said, and that nothing is left when it closes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from dashboard import live
from dashboard.views import Topic
from tests.dashboard.factory import MemoryLive, MemoryViews
from tests.dashboard.serving import CookieGate

OWN = {"origin": "http://testserver", "cookie": "user=anna"}


@pytest.fixture
def memory() -> MemoryLive:
    return MemoryLive()


@pytest.fixture
def client(memory: MemoryLive) -> Iterator[TestClient]:
    server = FastAPI()
    live.serve(server, MemoryViews(memory), memory)
    with TestClient(CookieGate(server)) as client:
        yield client


def _listen(client: TestClient, headers: dict[str, str]) -> WebSocketTestSession:
    return client.websocket_connect(live.PATH, headers=headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://testserver"},
        {"origin": "http://testserver", "cookie": "user=nobody"},
        {"origin": "http://evil.example", "cookie": "user=anna"},
        {"cookie": "user=anna"},
    ],
    ids=["no session", "unknown session", "another site's page", "no origin"],
)
def test_strangers_do_not_listen(client: TestClient, memory: MemoryLive, headers: dict[str, str]) -> None:
    with pytest.raises(WebSocketDisconnect) as refused, _listen(client, headers):
        pass
    assert refused.value.code == live.NOT_ALLOWED
    assert memory.listeners == 0


def test_the_views_are_asked_who_listens_even_without_a_gate(memory: MemoryLive) -> None:
    server = FastAPI()
    live.serve(server, MemoryViews(memory), memory)
    with TestClient(server) as client, pytest.raises(WebSocketDisconnect), _listen(client, OWN):
        pass


def test_topics_are_told_and_nothing_else(client: TestClient, memory: MemoryLive) -> None:
    with _listen(client, OWN) as socket:
        assert socket.receive_json() == sorted(Topic)
        memory.announce(Topic.FLOOR)
        assert socket.receive_json() == ["floor"]
        memory.announce(Topic.PLANS)
        assert socket.receive_json() == ["plans"]


def test_a_closed_socket_ends_its_subscription(client: TestClient, memory: MemoryLive) -> None:
    with _listen(client, OWN) as socket:
        socket.receive_json()
        assert memory.listeners == 1
    with _listen(client, OWN) as socket:
        socket.receive_json()
        assert memory.listeners == 1
    assert memory.listeners == 0


def test_the_socket_closes_when_nothing_can_be_heard_any_more(client: TestClient, memory: MemoryLive) -> None:
    with _listen(client, OWN) as socket:
        socket.receive_json()
        memory.announce(None)
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_json()
    assert closed.value.code == live.GONE_AWAY
    assert memory.listeners == 0


def test_signs_of_life(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "BEAT_S", 0.01)
    with _listen(client, OWN) as socket:
        socket.receive_json()
        assert socket.receive_json() == []
