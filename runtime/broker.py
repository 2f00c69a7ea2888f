"""The embedded MQTT broker: for one machine and loopback only; docker-compose runs mosquitto instead."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

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


async def serve(port: int, folder: Path, user: str, password: str, stop: asyncio.Event) -> None:
    """Serve MQTT 3.1.1 on 127.0.0.1 until `stop` is set; sessions and what waits for them are kept in memory.

    Parameters
    ----------
    folder
        Where the file with the hash of the one account's password goes.
    """
    amqtt.broker.BrokerProtocolHandler = _KeepingHandler  # type: ignore[misc]
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    accounts = folder / "mqtt-accounts"
    with os.fdopen(os.open(accounts, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(f"{user}:{Argon2Hasher().hash(password)}\n")
    broker = amqtt.broker.Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
            "plugins": {"amqtt.plugins.authentication.FileAuthPlugin": {"password_file": str(accounts)}},
        }
    )
    await broker.start()
    try:
        await stop.wait()
    finally:
        await broker.shutdown()
