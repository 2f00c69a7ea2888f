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

import amqtt.broker
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.session import OutgoingApplicationMessage
from pwdlib.hashers.argon2 import Argon2Hasher


class _KeepingHandler(BrokerProtocolHandler):
    """Keeps a message that was sent but not acknowledged, so that it is sent again when its reader is back.

    The handler of amqtt 0.12 forgets it when the connection breaks, which QoS 1 forbids.
    """

    async def _handle_qos1_message_flow(self, app_message: object) -> None:
        try:
            await super()._handle_qos1_message_flow(app_message)
        except (asyncio.CancelledError, TimeoutError):
            if isinstance(app_message, OutgoingApplicationMessage) and self.session is not None:
                self.session.inflight_out[app_message.packet_id] = app_message
            raise


async def serve(port: int, user: str, password: str) -> None:
    """Serve on a port of the loopback interface until SIGTERM or SIGINT."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    amqtt.broker.BrokerProtocolHandler = _KeepingHandler
    listeners = {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}", "max_connections": 1000}}
    # A session without a name is anonymous to amqtt, which keeps nothing for it: hence an account.
    with tempfile.NamedTemporaryFile("w", prefix="forerun-broker-") as accounts:
        accounts.write(f"{user}:{Argon2Hasher().hash(password)}\n")
        accounts.flush()
        plugins = {"amqtt.plugins.authentication.FileAuthPlugin": {"password_file": accounts.name}}
        broker = amqtt.broker.Broker({"listeners": listeners, "sys_interval": 0, "plugins": plugins})
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
