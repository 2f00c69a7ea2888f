"""The embedded MQTT broker: for one machine and loopback only; docker-compose runs mosquitto instead."""

from __future__ import annotations

import asyncio

from amqtt.broker import Broker


async def serve(port: int, stop: asyncio.Event) -> None:
    """Serve MQTT 3.1.1 on 127.0.0.1 until `stop` is set; sessions and what waits for them are kept in memory."""
    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
    )
    await broker.start()
    try:
        await stop.wait()
    finally:
        await broker.shutdown()
