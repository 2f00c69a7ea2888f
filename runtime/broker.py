"""The embedded MQTT broker: ``python -m runtime.broker --port 1883``, on the loopback interface only.

It keeps persistent sessions and their QoS 1 messages in memory, as long as it runs.
"""

from __future__ import annotations

import argparse
import asyncio
import signal

from amqtt.broker import Broker

_CONFIG = {
    "sys_interval": 0,
    "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
}


async def serve(port: int) -> None:
    """Serve on a port of the loopback interface until SIGTERM or SIGINT."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    listeners = {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}", "max_connections": 1000}}
    broker = Broker({"listeners": listeners, **_CONFIG})
    await broker.start()
    try:
        await stopping.wait()
    finally:
        await broker.shutdown()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="An MQTT broker on the loopback interface.")
    parser.add_argument("--port", type=int, required=True)
    asyncio.run(serve(parser.parse_args().port))
