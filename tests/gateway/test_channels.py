"""The contract of `plant.ports.Channel`, on the MES channel against a small real HTTP server."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

import pytest

from gateway.channels.mes import MesChannel
from plant.errors import InvalidInput, Unavailable
from plant.message import DeliveryState, MessageKind, Receipt, new_message_id

PAYLOAD = {"id": "CO-1/1-10", "revision": 3, "machine": "M01", "quantity": 4}


@dataclass
class Mes:
    """An MES that stores each message once, unless it was told to answer something else."""

    url: str = ""
    requests: list[tuple[str, str, str, dict[str, Any]]] = field(default_factory=list)
    stored: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    answers: list[tuple[int, str]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    def put(self, path: str, key: str, body: dict[str, Any]) -> tuple[int, str]:
        self.requests.append(("PUT", path, key, body))
        if self.answers:
            return self.answers.pop(0)
        if key not in self.keys:
            self.keys.add(key)
            self.stored[unquote(path).removeprefix("/job-orders/")] = body
        return 200, json.dumps({"result": "stored"})


@pytest.fixture
def mes() -> Iterator[Mes]:
    known = Mes()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, text = known.put(self.path, self.headers["Idempotency-Key"], body)
            if status == 0:  # hang up without an answer
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(text.encode())))
            for name, value in known.headers.items():
                self.send_header(name, value)
            if status == 307:
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    known.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield known
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
async def channel(mes: Mes) -> AsyncIterator[MesChannel]:
    async with MesChannel(mes.url) as opened:
        yield opened


async def _send(channel: MesChannel, message_id: str | None = None) -> Receipt:
    return await channel.send(MessageKind.DISPATCH, message_id or new_message_id(), dict(PAYLOAD))


async def test_a_message_is_delivered_with_its_id_and_content(mes: Mes, channel: MesChannel) -> None:
    assert await _send(channel, "id-1") == Receipt(DeliveryState.DELIVERED, "stored")
    body = {"revision": 3, "machine": "M01", "quantity": 4}
    assert mes.requests == [("PUT", "/job-orders/CO-1%2F1-10", "id-1", body)]
    assert mes.stored == {"CO-1/1-10": body}


async def test_an_id_with_anything_in_it_reaches_the_mes_as_it_is(mes: Mes, channel: MesChannel) -> None:
    odd = "CO 1/../?x=1#y%2F訂單;a"
    await channel.send(MessageKind.DISPATCH, "id-1", {**PAYLOAD, "id": odd})
    assert list(mes.stored) == [odd]


async def test_the_same_message_again_changes_nothing(mes: Mes, channel: MesChannel) -> None:
    await _send(channel, "id-1")
    before = dict(mes.stored)
    assert await _send(channel, "id-1") == Receipt(DeliveryState.DELIVERED, "stored")
    assert mes.stored == before
    assert [key for _, _, key, _ in mes.requests] == ["id-1", "id-1"]


@pytest.mark.parametrize("status", [400, 404, 405, 409, 410, 413, 414, 415, 422])
async def test_a_refusal_is_final_and_says_why(mes: Mes, channel: MesChannel, status: int) -> None:
    mes.answers = [(status, '{"detail": "has begun"}')]
    receipt = await _send(channel)
    assert receipt.state is DeliveryState.REFUSED
    assert f"answered {status} to CO-1/1-10" in receipt.detail
    assert "has begun" in receipt.detail


@pytest.mark.parametrize(("known", "state"), [(2, "refused"), (3, "delivered"), (4, "delivered"), ("3", "refused")])
async def test_a_conflict_with_what_the_mes_had_already_is_no_refusal(
    mes: Mes, channel: MesChannel, known: object, state: str
) -> None:
    mes.answers = [(409, json.dumps({"detail": "exists", "revision": known}))]
    assert (await _send(channel)).state == state


@pytest.mark.parametrize(
    ("status", "header", "shortest", "longest"),
    [
        (429, "17", 17, 17),
        (503, " 0 ", 0, 0),
        (413, "5", 5, 5),  # too large for now
        (409, "5", 5, 5),  # still busy with the same key
        (503, "Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
        (503, "Fri, 01 Jan 2100 00:00:00 -0000", 1e6, 1e10),
    ],
)
async def test_how_long_the_mes_wants_to_be_left_alone_is_told(
    mes: Mes, channel: MesChannel, status: int, header: str, shortest: float, longest: float
) -> None:
    mes.answers, mes.headers = [(status, "busy")], {"Retry-After": header}
    with pytest.raises(Unavailable, match=f"answered {status}") as told:
        await _send(channel)
    assert told.value.retry_after_s is not None
    assert shortest <= told.value.retry_after_s <= longest


@pytest.mark.parametrize("header", ["soon", "", "-5", "1e3", "Fri, 99 Foo 2100"])
async def test_a_wish_nobody_understands_is_none(mes: Mes, channel: MesChannel, header: str) -> None:
    mes.answers, mes.headers = [(503, "busy")], {"Retry-After": header}
    with pytest.raises(Unavailable) as told:
        await _send(channel)
    assert told.value.retry_after_s is None


@pytest.mark.parametrize("status", [0, 307, 401, 403, 407, 408, 425, 429, 500, 503])
async def test_anything_else_means_trying_again_later(mes: Mes, channel: MesChannel, status: int) -> None:
    mes.answers = [(status, "not now")]
    with pytest.raises(Unavailable):
        await _send(channel, "id-1")
    assert (await _send(channel, "id-1")).state is DeliveryState.DELIVERED
    assert len(mes.stored) == 1


async def test_an_mes_that_is_away_is_unavailable(mes: Mes) -> None:
    async with MesChannel("http://127.0.0.1:1") as channel:
        with pytest.raises(Unavailable, match="does not answer"):
            await _send(channel)


@pytest.mark.parametrize("text", ["", "<html>fine</html>", '["stored"]', "17", "null"])
async def test_what_else_a_successful_mes_says_does_not_matter(mes: Mes, channel: MesChannel, text: str) -> None:
    mes.answers = [(201, text)]
    assert (await _send(channel)).state is DeliveryState.DELIVERED


async def test_a_kind_it_does_not_know_is_invalid(mes: Mes, channel: MesChannel) -> None:
    with pytest.raises(InvalidInput, match="'greeting'"):
        await channel.send("greeting", "id-1", dict(PAYLOAD))
    assert mes.requests == []
