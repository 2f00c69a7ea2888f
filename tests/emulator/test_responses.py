from __future__ import annotations

import asyncio
from typing import Any

from emulator.responses import ResponseSender
from tests.emulator.parts import free_port, until
from tests.emulator.running import KEY, Gateway


def _entry(number: int) -> dict[str, Any]:
    told = {
        "job_order": f"CO-{number}",
        "at": "2026-01-05T06:00:00+00:00",
        "machine": "M01",
        "good": number,
        "scrap": 0,
    }
    return {"n": number, "kind": "job", "response": "progress", "id": f"id-{number}", "reason": "", **told}


def test_each_response_is_tried_until_it_is_settled_and_the_next_one_waits() -> None:
    gateway = Gateway(free_port())
    gateway.faults = [500, 401, 429, 503]
    gateway.refuse = {"CO-3"}
    refusals: list[tuple[str, str]] = []

    async def scenario() -> None:
        sender = ResponseSender(
            f"http://127.0.0.1:{gateway.port}", KEY, 1, lambda entry, why: refusals.append((entry["id"], why))
        )
        for number in (2, 3, 4):
            sender.queue(_entry(number))
        sending = asyncio.create_task(sender.run())
        await asyncio.sleep(0)
        assert (sender.waiting, sender.delivered) == (3, 1), "the gateway is away"
        gateway.start()
        await until(lambda: sender.waiting == 0, "all responses settled")
        assert sender.delivered == 4
        sending.cancel()

    try:
        asyncio.run(scenario())
    finally:
        gateway.stop()
    assert gateway.faults == [], "each fault was met and tried again"
    assert [body["id"] for body in gateway.bodies] == ["id-2", "id-3", "id-4"]
    assert gateway.bodies[0] == {
        **{"id": "id-2", "job_order": "CO-2", "kind": "progress", "at": "2026-01-05T06:00:00+00:00"},
        **{"machine": "M01", "good": 2, "scrap": 0, "reason": ""},
    }
    assert refusals == [("id-3", '404 {"detail": "unknown job order"}')]
