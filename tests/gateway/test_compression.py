"""`gateway.compression`: what is compressed, what is not, and that the same file is compressed once."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

from gateway import compression
from gateway.compression import Compressed

SCRIPT = "let forerun = 1;\n" * 1000


async def _script(request: Request) -> Response:
    if "missing" in request.path_params["name"]:
        return Response("no such file" * 200, 404, media_type="text/plain")
    if request.headers.get("if-none-match") == '"tag"':
        return Response(status_code=304, headers={"etag": '"tag"'})
    media = "image/png" if request.path_params["name"].endswith(".png") else "text/javascript"
    return Response(SCRIPT, media_type=media, headers={"etag": '"tag"'})


async def _stream(request: Request) -> Response:
    async def parts() -> AsyncIterator[str]:
        for number in range(3):
            yield f"part {number} " * 200

    return StreamingResponse(parts(), media_type="text/plain")


async def _data(request: Request) -> Response:
    return PlainTextResponse("x" * int(request.query_params["n"]))


async def _socket(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("y" * 5000)
    await socket.close()


@pytest.fixture
def client() -> TestClient:
    routes = [
        Route("/assets/{name}", _script),
        Route("/stream", _stream),
        Route("/data", _data),
        WebSocketRoute("/live", _socket),
    ]
    return TestClient(Compressed(Starlette(routes=routes)))


def sent(client: TestClient, path: str, **headers: str) -> tuple[Response, int]:
    """The answer, read as a browser does, and the bytes that came over the wire."""
    with client.stream("GET", path, headers=headers) as answer:
        raw = b"".join(answer.iter_raw())
    body = gzip.decompress(raw) if answer.headers.get("content-encoding") == "gzip" else raw
    return Response(body, answer.status_code, dict(answer.headers)), len(raw)


def test_a_script_comes_small_and_whole(client: TestClient) -> None:
    answer, size = sent(client, "/assets/forerun.js?m=17.5", **{"accept-encoding": "gzip, br"})
    assert answer.body == SCRIPT.encode()
    assert size < len(SCRIPT) / 20
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["etag"] == '"tag"'
    assert "immutable" in answer.headers["cache-control"]


def test_one_whose_address_stays_the_same_is_asked_for_again(client: TestClient) -> None:
    answer, _ = sent(client, "/assets/forerun.js", **{"accept-encoding": "gzip"})
    assert "cache-control" not in answer.headers
    unchanged, size = sent(client, "/assets/forerun.js", **{"accept-encoding": "gzip", "if-none-match": '"tag"'})
    assert (unchanged.status_code, size) == (304, 0)


@pytest.mark.parametrize(
    ("path", "accepts", "status"),
    [("/assets/a.js", "identity", 200), ("/assets/a.png", "gzip", 200), ("/assets/missing.js", "gzip", 404)],
)
def test_what_is_sent_as_it_is(client: TestClient, path: str, accepts: str, status: int) -> None:
    answer, size = sent(client, path, **{"accept-encoding": accepts})
    assert answer.status_code == status
    assert "content-encoding" not in answer.headers
    assert size == len(answer.body) == int(answer.headers["content-length"])


def test_a_file_is_compressed_once(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    compressed: list[int] = []
    real = gzip.compress

    def compress(body: bytes, level: int, *, mtime: float) -> bytes:
        compressed.append(len(body))
        return real(body, level, mtime=mtime)

    monkeypatch.setattr(compression.gzip, "compress", compress)
    first, _ = sent(client, "/assets/a.js", **{"accept-encoding": "gzip"})
    again, _ = sent(client, "/assets/b.js", **{"accept-encoding": "gzip"})
    assert first.body == again.body == SCRIPT.encode()
    assert compressed == [len(SCRIPT)]


def test_data_and_streams_are_compressed_as_they_are_sent(client: TestClient) -> None:
    streamed, size = sent(client, "/stream", **{"accept-encoding": "gzip"})
    assert streamed.body == b"".join(f"part {number} ".encode() * 200 for number in range(3))
    assert size < len(streamed.body) / 10
    for length, encoding in ((5000, "gzip"), (100, None)):
        answer, _ = sent(client, f"/data?n={length}", **{"accept-encoding": "gzip"})
        assert (len(answer.body), answer.headers.get("content-encoding")) == (length, encoding)


def test_a_socket_passes_untouched(client: TestClient) -> None:
    with client.websocket_connect("/live") as socket:
        assert socket.receive_text() == "y" * 5000
