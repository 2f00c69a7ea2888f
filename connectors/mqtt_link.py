"""One MQTT connection: paho's thread on one side, asyncio on the other, a bounded buffer between."""

from __future__ import annotations

import asyncio
import contextlib
import queue
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from connectors.mqtt_options import MqttOptions
from plant.errors import SourceLost

_BATCH = 500
"""Messages of one batch: one transaction's worth."""
_TURN_S = 0.1
"""How often the network thread looks up from a full buffer whether it is to stop."""


@dataclass(frozen=True)
class Message:
    """A message with what its acknowledgement needs."""

    topic: str
    payload: bytes
    mid: int
    qos: int


class Link:
    """A client that connects once and, when it breaks, stays broken. It is used once: started, taken from, stopped."""

    def __init__(self, source: str, options: MqttOptions) -> None:
        self._source = source
        self._options = options
        self._loop = asyncio.get_running_loop()
        self._buffer: queue.Queue[Message] = queue.Queue(options.buffer)
        self._arrived = asyncio.Event()
        self._connected: asyncio.Future[bool] = self._loop.create_future()
        self._subscribed: asyncio.Future[None] = self._loop.create_future()
        self._lost: str | None = None
        self._client = self._new_client()

    async def start(self) -> bool:
        """Connect and subscribe; return whether the broker had kept our session.

        Raises
        ------
        SourceLost
            When the broker cannot be reached or refuses us.
        """
        try:
            await asyncio.to_thread(
                self._client.connect, self._options.host, self._options.port, self._options.keepalive_s
            )
            self._client.loop_start()
            async with asyncio.timeout(self._options.timeout_s):
                kept = await self._connected
                self._client.subscribe(f"{self._options.prefix}/#", qos=1)
                # A kept session is subscribed already: what it delivers first must not wait for the answer.
                if not kept:
                    await self._subscribed
        except (OSError, ValueError) as error:
            raise SourceLost(self._say(f"cannot be reached: {error!r}; is the broker running?")) from error
        return kept

    async def take(self) -> list[Message]:
        """Wait until messages have arrived and return them, at most a batch.

        Raises
        ------
        SourceLost
            When the connection has broken; what had arrived is delivered again by the broker.
        """
        await self._arrived.wait()
        if self._lost is not None:
            raise SourceLost(self._say(self._lost))
        messages: list[Message] = []
        with contextlib.suppress(queue.Empty):
            while len(messages) < _BATCH:
                messages.append(self._buffer.get_nowait())
        if self._buffer.empty():
            self._arrived.clear()
            # The thread may have put one in between: its wake-up then comes after this line.
        return messages

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Tell the broker that these are stored; on a broken connection it will deliver them again instead."""
        if self._lost is None:
            for message in messages:
                self._client.ack(message.mid, message.qos)

    async def stop(self) -> None:
        """Disconnect; whoever waits in `take` is told that the connection is lost."""
        self._lose("closed")
        for future in (self._connected, self._subscribed):
            future.cancel()
        self._client.disconnect()
        # A peer that takes nothing any more keeps the thread busy until its keep-alive ends: not worth waiting for.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._options.timeout_s):
                await asyncio.to_thread(self._client.loop_stop)

    def _new_client(self) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._options.client_id,
            clean_session=False,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        if self._options.tls:
            client.tls_set_context(self._options.tls_context())
        if self._options.username is not None:
            client.username_pw_set(self._options.username, self._options.password)
        client.connect_timeout = self._options.timeout_s
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        return client

    def _say(self, what: str) -> str:
        return f"connection {self._source}: mqtt://{self._options.host}:{self._options.port}: {what}"

    # What follows runs in paho's thread.

    def _on_connect(self, client: Client, data: Any, flags: ConnectFlags, reason: ReasonCode, _: Any) -> None:
        if reason.is_failure:
            refusal = SourceLost(self._say(f"the broker refuses us: {reason}; check username and password"))
            self._post(_fail, self._connected, refusal)
        else:
            self._post(_settle, self._connected, flags.session_present)

    def _on_subscribe(self, client: Client, data: Any, mid: int, reasons: list[ReasonCode], _: Any) -> None:
        refused = [str(reason) for reason in reasons if reason.is_failure]
        if refused:
            reason = f"the broker refuses the subscription to {self._options.prefix}/#: {', '.join(refused)}"
            self._post(_fail, self._subscribed, SourceLost(self._say(reason)))
            self._post(self._lose, reason)
        else:
            self._post(_settle, self._subscribed, None)

    def _on_disconnect(self, client: Client, data: Any, flags: Any, reason: ReasonCode, _: Any) -> None:
        self._post(self._lose, f"the connection broke: {reason}")

    def _on_message(self, client: Client, data: Any, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = repr(message._topic)
        # One byte more than is taken: enough to see that it is too long, and no more memory than the buffer allows.
        payload = bytes(message.payload[: self._options.max_payload_bytes + 1])
        item = Message(topic, payload, message.mid, message.qos)
        while self._lost is None:
            try:
                self._buffer.put(item, timeout=_TURN_S)
            except queue.Full:
                continue
            self._post(self._arrived.set)
            return

    def _post(self, function: Any, *arguments: Any) -> None:
        # The loop may have ended while the thread was still winding down: there is nobody left to tell.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function, *arguments)

    # Back in the event loop.

    def _lose(self, reason: str) -> None:
        self._lost = self._lost or reason
        lost = SourceLost(self._say(self._lost))
        _fail(self._connected, lost)
        _fail(self._subscribed, lost)
        self._arrived.set()


def _settle(future: asyncio.Future[Any], result: Any) -> None:
    if not future.done():
        future.set_result(result)


def _fail(future: asyncio.Future[Any], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
        future.exception()  # Seen: nobody may be waiting for it any more.
