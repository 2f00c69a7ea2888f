"""The embedded MQTT broker: ``python -m runtime.broker --port 1883``, on the loopback interface only.

It keeps persistent sessions and their QoS 1 messages in memory, as long as it runs. Its one account comes from the
environment: ``FORERUN_BROKER_USER`` and ``FORERUN_BROKER_PASSWORD``.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import tempfile

from pwdlib.hashers.argon2 import Argon2Hasher

from connectors.durable_broker import DurableBroker


async def serve(port: int, user: str, password: str) -> None:
    """Serve on a port of the loopback interface until SIGTERM or SIGINT."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    with tempfile.NamedTemporaryFile("w", prefix="forerun-broker-") as accounts:
        accounts.write(f"{user}:{Argon2Hasher().hash(password)}\n")
        accounts.flush()
        broker = DurableBroker(f"127.0.0.1:{port}", accounts.name)
    await broker.start()
    try:
        await stopping.wait()
    finally:
        await broker.shutdown()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="An MQTT broker on the loopback interface.")
    parser.add_argument("--port", type=int, required=True)
    asyncio.run(
        serve(parser.parse_args().port, os.environ["FORERUN_BROKER_USER"], os.environ["FORERUN_BROKER_PASSWORD"])
    )
